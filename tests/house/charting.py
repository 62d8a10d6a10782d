"""Files of the Helm chart that are made from the flags: values, their schema, and how the template names them, as text.

A flag `--log-level` has the value `logLevel`. Whatever else the chart's files hold is written by hand and stays.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from l7lb.app import config
from l7lb.app.config import FLAGS, Flag
from tests.house.source import ROOT

Json = dict[str, Any]

CHART: Final = ROOT / "charts/l7lb"
BEGIN: Final = "# Flags: made by `make docs` from the flags of the command.\n"
END: Final = "# End of flags.\n"
NOT_VALUES: Final = {
    "kubeconfig": "in a pod it is the service account",
    "readiness-webhook": "made of the names of the release by readinessWebhook.enabled",
}
"""Flags that have no value of their own, and why."""
OWN_DEFAULTS: Final = {"credentials": "file"}
"""A mounted Secret goes before the environment, which whoever may look at the pod can read (docs/security.md)."""
OWN_HELP: Final = {
    "credentials": "Where the cloud keys come from: file (the Secret of credentialsSecret, or file:PATH), env, "
    "cvm-role[:NAME] or tke-oidc.",
}
LIMITS: Final[dict[str, Json]] = {
    "max-concurrent-reconciles": {"minimum": 1, "maximum": config.WORKERS_MAX},
    "api-share": {"minimum": 0.05, "maximum": 0.95},
    "shards": {"minimum": 1, "maximum": config.SHARDS_MAX},
    "class-exit-grace": {"minimum": 0, "maximum": 86400},
    "verify-interval": {"minimum": 0, "maximum": 86400},
}
CLOUD: Final = rf"((https://)?{config._HOST.pattern}/?|http://(127\.0\.0\.1|localhost)(:{config._PORT})?/?)?"
"""Plain http for oneself only, as the command has it."""
MAY_BE_NOTHING: Final = ("object", "array")
"""Maps and lists of the user's own: templates take none for an empty one."""
LENGTHS: Final = {"cluster-id": 63, "watch-namespace": 63}
LOOK_AHEAD: Final = re.compile(r"\(\?=[^)]*\)")
"""Helm's regular expressions have none; the length is said by maxLength."""
HEAD: Final = """# Chart l7lb

<!-- Made by `make docs` from values.yaml; an edit by hand is undone. -->

Installs [l7lb](../../README.md). [docs/install.md](../../docs/install.md) has the way from nothing to a working
Ingress, upgrades, and what uninstalling does. Required are `clusterId`, `region`, `vpcId`, `image.repository`, and
`credentialsSecret` or another source of keys. `values.schema.json` refuses what is not in this table.

| value | default | meaning |
| --- | --- | --- |
"""
COMMENT: Final = re.compile(r"^ *# (?P<begin>-- )?(?P<text>.*)$")
KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]+):(?: (?P<value>.*))?$")


def value_of(flag: Flag) -> str:
    """`--log-level` -> `logLevel`."""
    first, *others = flag.name.split("-")
    return first + "".join(word.capitalize() for word in others)


def valued() -> tuple[Flag, ...]:
    """Flags that have a value."""
    return tuple(flag for flag in FLAGS if flag.name not in NOT_VALUES)


def values_text() -> str:
    """values.yaml."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = "".join(f"\n{_comment(flag)}{value_of(flag)}: {_scalar(flag)}\n" for flag in valued())
    return f"{before}{BEGIN}{made}\n{END}{after}"


def _comment(flag: Flag) -> str:
    words, lines = f"-- {OWN_HELP.get(flag.name, flag.help)}".split(), ["#"]
    if flag.choices:
        words += f"One of {', '.join(flag.choices)}.".split()
    for word in words:
        if len(lines[-1]) + len(word) > 118:
            lines.append("#")
        lines[-1] += f" {word}"
    return "".join(f"{line}\n" for line in lines)


def _scalar(flag: Flag) -> str:
    default = OWN_DEFAULTS.get(flag.name, flag.default)
    if isinstance(default, float):
        return f"{default:g}"
    return json.dumps(default)


def flags_text() -> str:
    """files/flags.yaml."""
    rows = "".join(
        f"- {{value: {value_of(flag)}, flag: {flag.name}, variable: {flag.variable}, "
        f"default: {json.dumps(flag.default)}}}\n"
        for flag in valued()
    )
    return f"# Made by `make docs`: values, the flags that they are, and what the command takes without them.\n{rows}"


def schema_text() -> str:
    """values.schema.json: the flags' part of its properties is replaced, the rest is by hand."""
    path = CHART / "values.schema.json"
    schema: Json = json.loads(path.read_text(encoding="utf-8"))
    flags = {value_of(flag): _schema(flag) for flag in valued()}
    by_hand = {name: part for name, part in schema["properties"].items() if name in _by_hand()}
    schema["properties"] = flags | by_hand
    return json.dumps(_complete(schema), indent=2) + "\n"


def _complete(schema: Json) -> Json:
    """With `required`: a key with nothing behind it is none to Helm, and templates would make `<nil>` of it."""
    if "properties" not in schema:
        return schema
    parts = {name: _complete(part) for name, part in schema["properties"].items()}
    needed = [name for name, part in parts.items() if "properties" in part or part.get("type") not in MAY_BE_NOTHING]
    return {**schema, "properties": parts, **({"required": needed} if needed else {})}


def _by_hand() -> set[str]:
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return {"global", *yaml.safe_load(before + rest.partition(END)[2])}


def _schema(flag: Flag) -> Json:
    if isinstance(flag.default, bool):
        return {"type": "boolean"}
    if isinstance(flag.default, int | float):
        kind = "integer" if isinstance(flag.default, int) else "number"
        return {"type": kind, **LIMITS[flag.name]}
    if flag.choices:
        return {"enum": list(flag.choices)}
    made: Json = {"type": "string"}
    if flag.name in LENGTHS:
        made["maxLength"] = LENGTHS[flag.name]
    pattern = _pattern(flag)
    return made | ({"pattern": pattern} if pattern else {})


def _pattern(flag: Flag) -> str:
    """As the command checks it; empty where the command looks closer than a pattern can."""
    forms = {name: rf"({form.pattern})?" for name, form, _ in config._FORMS}
    forms["credentials"] = f"({config._CREDENTIALS.pattern})"
    forms["clb-endpoint"] = CLOUD
    form = config._ADDRESS.pattern if flag.name.endswith("-bind-address") else forms.get(flag.name, "")
    return f"^({LOOK_AHEAD.sub('', form)})$" if form else ""


def readme_text() -> str:
    """README.md of the chart: a row for each value with a comment."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8").replace(BEGIN, "").replace(END, "")
    rows = "".join(f"| `{name}` | {default} | {meaning} |\n" for name, default, meaning in _rows(text))
    return HEAD + rows


def _rows(text: str) -> Iterator[tuple[str, str, str]]:
    values: Json = yaml.safe_load(text)
    told: list[str] = []
    path: list[str] = []
    for line in text.splitlines():
        comment, key = COMMENT.match(line), KEY.match(line)
        if comment and (comment["begin"] or told):
            told = [comment["text"]] if comment["begin"] else [*told, comment["text"]]
        elif key:
            path = [*path[: len(key["indent"]) // 2], key["key"]]
            if told:
                meaning = " ".join(told).replace("|", "\\|")
                yield ".".join(path), f"`{json.dumps(_at(values, path))}`", meaning
            told = []
        else:
            told = []


def _at(values: Json, path: list[str]) -> object:
    found: Any = values
    for key in path:
        found = found[key]
    return found
