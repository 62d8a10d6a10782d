"""The manifest for a real cluster has flags that exist, and the table of cloud actions has those that are called.

Whether its rights in the cluster are those that are used is seen by running the command: tests/system/test_rights.py.
"""

import json
from typing import Any

import yaml

from l7lb.adapters.clb.actions import TABLE
from l7lb.app.config import FLAGS, config
from tests.house import cloud_rights
from tests.house.source import PRODUCT, ROOT, modules

MANIFEST = ROOT / "examples/deploy/l7lb.yaml"
API = ROOT / "tests/emulators/clb/schema.json"
CLUSTER_ID = "cls-xxxxxxxx"
NOT_CALLERS = ("/errors.py", "/ratelimit.py", "/actions.py")
"""They name actions and call none."""


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
    callers = [module for module in adapter if not module.place.endswith(NOT_CALLERS)]
    called = known & {text for module in callers for text in module.strings}
    assert sorted(called) == sorted(action.name for action in TABLE), (
        "l7lb/adapters/clb/actions.py has all, and no more"
    )
    assert len(called) > 15


def test_each_action_is_listed_once_under_its_own_service() -> None:
    described = json.loads(API.read_text(encoding="utf-8"))["services"]
    assert [action for action in TABLE if action.name not in described[action.service]["actions"]] == []
    assert len({action.name for action in TABLE}) == len(TABLE)


def test_each_call_that_is_said_to_name_a_load_balancer_has_to() -> None:
    described = json.loads(API.read_text(encoding="utf-8"))["services"]["clb"]
    for action in (one for one in TABLE if one.service == "clb"):
        fields = described["objects"][described["actions"][action.name][0]]
        names = any(field in fields and fields[field][2] for field in ("LoadBalancerId", "LoadBalancerIds"))
        assert names == action.named, action.name


def test_a_read_is_called_so_and_a_write_is_not() -> None:
    assert {action.name for action in TABLE if action.name.startswith("Describe")} == {
        action.name for action in TABLE if not action.write
    }


def test_the_policy_has_the_syntax_of_cam() -> None:
    for document in (cloud_rights.policy(), cloud_rights.narrowed()):
        assert document.keys() == {"version", "statement"}
        assert document["version"] == "2.0"
        allowed = []
        for statement in document["statement"]:
            assert statement.keys() - {"condition"} == {"effect", "action", "resource"}
            assert (statement["effect"], statement["resource"]) == ("allow", ["*"])
            allowed += statement["action"]
        assert sorted(allowed) == sorted(f"name/{action.service}:{action.name}" for action in TABLE)
        assert not any("*" in action for action in allowed)
