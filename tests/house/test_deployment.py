"""The manifest for a real cluster has flags that exist, and the page on rights names the actions that are called.

Whether its rights in the cluster are those that are used is seen by running the command: tests/system/test_rights.py.
"""

import json
import re
from typing import Any

import yaml

from l7lb.app.config import FLAGS, config
from tests.house.source import PRODUCT, ROOT, modules

MANIFEST = ROOT / "examples/deploy/l7lb.yaml"
OPERATIONS = ROOT / "docs/operations.md"
API = ROOT / "tests/emulators/clb/schema.json"
CLUSTER_ID = "cls-xxxxxxxx"


def documents() -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")) if document]


def test_the_arguments_are_flags_of_the_command() -> None:
    (deployment,) = (one for one in documents() if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    command, *arguments = container["args"]
    given = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)
    values = {flag.field: given.get(flag.name, flag.default) for flag in FLAGS}
    assert command == "run"
    assert given.keys() <= {flag.name for flag in FLAGS}
    assert config(values).cluster_id == CLUSTER_ID
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {f":{port}" for port in ports.values()} == {
        str(values["metrics_bind_address"]),
        str(values["health_probe_bind_address"]),
    }


def test_the_manifest_does_not_take_itself_for_the_controller_that_it_replaces() -> None:
    (deployment,) = (one for one in documents() if one["kind"] == "Deployment")
    assert (deployment["metadata"]["namespace"], deployment["metadata"]["name"]) != ("kube-system", "l7-lb-controller")


def test_the_rights_in_the_cloud_are_those_of_the_actions_that_are_called() -> None:
    known = {
        action
        for service, described in json.loads(API.read_text(encoding="utf-8"))["services"].items()
        if service in ("clb", "tag", "ssl")
        for action in described["actions"]
    }
    adapter = [module for module in modules(PRODUCT) if module.place.startswith("l7lb/adapters/clb/")]
    callers = [module for module in adapter if not module.place.endswith(("/errors.py", "/ratelimit.py"))]
    called = known & {text for module in callers for text in module.strings}
    rights = OPERATIONS.read_text(encoding="utf-8").partition("## Rights in the cloud")[2].partition("##")[0]
    assert known & set(re.findall(r"`([A-Za-z]+)`", rights)) == called
    assert len(called) > 15
