"""The chart's files agree with each other and with the command, as far as that can be seen without Helm."""

import re
from typing import Any

import pytest
import yaml

import l7lb
from l7lb.app.config import FLAGS, Flag, config
from l7lb.errors import ConfigurationError
from tests.house.charting import CHART, NOT_VALUES, value_of, valued
from tests.house.charting import Json as Schema

SCHEMA: Schema = yaml.safe_load((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES: Schema = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
REQUIRED = {"cluster_id": "cls-9mfq2k1t", "region": "ap-guangzhou"}
TRIED: dict[str, tuple[Any, ...]] = {
    "cluster-id": ("cls-9mfq2k1t", "cls_1", "c" * 63, "c" * 64, "-cls"),
    "region": ("ap-guangzhou", "Guangzhou", "ap-guangzhou-1"),
    "more-regions": ("", "ap-beijing", "ap-beijing, ap-shanghai", "ap-beijing;ap-shanghai"),
    "vpc-id": ("", "vpc-4hd8w0pn", "4hd8w0pn", "vpc-"),
    "clb-endpoint": (
        "",
        "clb.internal.tencentcloudapi.com",
        "https://clb.example.com:8443",
        "https://clb.example.com/",
        "http://127.0.0.1:9000",
        "http://localhost:9000",
        "http://clb.example.com",
        "https://clb.example.com/v1",
        "ftp://clb.example.com",
        "clb_1",
    ),
    "otlp-endpoint": ("", "http://collector.tracing:4318", "collector"),
    "api-root-domain": ("internal.tencentcloudapi.com", "-", "a..b"),
    "credentials": ("env", "file", "file:/keys", "cvm-role:l7lb", "tke-oidc", "AKIDsomething", "envy"),
    "watch-namespace": ("", "shop", "Shop", "a" * 63, "a" * 64),
    "tke-finalizers": ("", "ingress.k8s.tencent/resources", "none"),
    "api-share": (0.05, 0.75, 0.95, 0.04, 1),
    "class-exit-grace": (0, 0.5, 86400, 86401, -1),
    "max-concurrent-reconciles": (0, 1, 256, 257),
    "verify-interval": (0, 1, 600.5, 86400, 86401),
    "metrics-bind-address": ("0", ":8080", "[::1]:80", "8080", ":65536", ""),
}
"""Values on both sides of each border."""


def accepts(schema: Schema, value: Any) -> bool:
    """The part of JSON Schema that flags need."""
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] in ("number", "integer"):
        return bool(schema["minimum"] <= value <= schema["maximum"])
    return len(value) <= schema.get("maxLength", len(value)) and bool(re.search(schema.get("pattern", ""), value))


def takes(flag: Flag, value: Any) -> bool:
    """Whether the command does."""
    values = {each.field: each.default for each in FLAGS} | REQUIRED | {"confirm_cluster": "", flag.field: value}
    try:
        config(values)
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("name", TRIED)
def test_the_schema_takes_what_the_command_takes(name: str) -> None:
    (flag,) = [flag for flag in FLAGS if flag.name == name]
    schema = SCHEMA["properties"][value_of(flag)]
    differ = [value for value in TRIED[name] if accepts(schema, value) != takes(flag, value)]
    assert differ == []


def test_each_flag_has_a_value_or_a_reason_why_not() -> None:
    assert NOT_VALUES.keys() <= {flag.name for flag in FLAGS}
    assert {value_of(flag) for flag in valued()} <= VALUES.keys() & SCHEMA["properties"].keys()


def leaves(values: Schema, schema: Schema, place: str = "") -> list[str]:
    """Where values and schema differ in their names, and objects that take any name although values have some."""
    names, known = values.keys(), schema.get("properties", {}).keys() - ({"global"} if not place else set())
    if not known:
        return []
    found = [f"{place}{name}" for name in names ^ known if f"{place}{name}" not in WITHOUT_DEFAULT]
    found += [] if schema.get("additionalProperties") is False else [f"{place}: takes anything"]
    for name in names & known:
        if isinstance(values[name], dict):
            found += leaves(values[name], schema["properties"][name], f"{place}{name}.")
    return found


WITHOUT_DEFAULT = {"resources.claims"}


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    assert leaves(VALUES, SCHEMA) == []


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (l7lb.__version__, l7lb.__version__)


def test_every_value_is_explained() -> None:
    rows = re.findall(r"^\| `([A-Za-z.]+)` \|", (CHART / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    def names(values: Schema, place: str = "") -> list[str]:
        return [
            name
            for key, value in values.items()
            for name in (
                names(value, f"{place}{key}.")
                if isinstance(value, dict) and value and f"{place}{key}" not in rows
                else [f"{place}{key}"]
            )
        ]

    assert sorted(rows) == sorted(names(VALUES))
