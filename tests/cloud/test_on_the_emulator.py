"""The suite for the real cloud proves itself here: it finds what is drawn, keeps its budget, and cleans up.

The emulator's switches are the open questions; a probe that asks badly would find another answer than was drawn.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.cloud import __main__ as command
from tests.cloud.account import (
    CLUSTER_TAG,
    LOAD_BALANCERS_MAX,
    NEEDED,
    PUBLIC,
    TAG,
    Account,
    Json,
    OverBudget,
    Refused,
    Settings,
    settings,
)
from tests.cloud.asking import PROBES, what_protection_stops
from tests.cloud.lab import Lab
from tests.cloud.report import as_text, run, write
from tests.emulators.backends import Backend
from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer
from tests.emulators.clb.signature import Secret
from tests.emulators.clb.switches import Switches
from tests.house.source import ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

NODE = f"127.97.{os.getpid() % 250 + 1}.1"
"""An address of this process's own: others may run at the same time."""
NODE_PORT = 30080
CALM = Switches()
ODD = Switches(
    location_ids_order="reversed",
    parts_visible="before_task",
    batch_busy_s_max=2.0,
    reregister_weight="change",
    register_duplicate="ignore",
    duplicate_rule_code="InvalidParameter",
    missing_location_code="InvalidParameterValue",
    create_rule_max=20,
    percent_in_url=True,
    regex_charset="old",
    protected_delete_code="OperationDenied",
    protection_scope="all_writes",
    create_tail_s=2.0,
)
Reach = Callable[[str, int], tuple[str, int]]


@contextmanager
def account(switches: Switches = CALM) -> Iterator[tuple[Account, ClbEmulator, Reach]]:
    """An emulated account, with a machine that serves, and a load balancer that somebody has protected."""
    with socket.socket() as probe:
        probe.bind((NODE, 0))
        offset = int(probe.getsockname()[1]) - 18100
    with DataPlane(offset, probe_scale=0.1) as plane, Backend("web", NODE_PORT, NODE) as backend:
        keys = {"AKIDEMULATOR": Secret("emulator-secret-key")}
        emulator = ClbEmulator(
            latency="fast", switches=asdict(switches), secrets=keys, refuse_forbidden=False, data_plane=plane
        )
        with ClbServer(emulator) as server:
            told = Settings(
                "AKIDEMULATOR", "emulator-secret-key", "ap-guangzhou", "vpc-4hd8w0pn",
                instance=f"ins-0000000a={NODE}:{backend.port}", endpoint=server.url,
            )  # fmt: skip
            made = Account(told, "0a1b2c3d", poll_s=0.05, limit_s=30.0)
            _furnish(server.url)
            yield made, emulator, lambda address, port: (address, plane.port_of(port))
            made.close()


def _furnish(url: str) -> None:
    world = json.dumps({"instances": [{"id": "ins-0000000a", "ip": NODE}]})
    assert urllib3.request("POST", f"{url}/_emulator/seed-world", body=world, retries=False).status == 200


def findings(switches: Switches) -> dict[str, str]:
    """Of one whole run; and that nothing is left of it."""
    with account(switches) as (made, emulator, reach):
        with Lab(made, reach=reach, poll_s=0.05, limit_s=60.0) as lab:
            report = run(made, lab, serves=True)
        assert made.left() == {}
        assert emulator.state["defects"] == []
    found = {row["id"]: row["finding"] for row in (*report["life"], *report["questions"])}
    assert "" not in found.values(), as_text(report)
    return found


def test_it_finds_what_is_so_in_a_calm_cloud() -> None:
    found = findings(CALM)
    assert found["serves"] == "200"
    assert found["gone"]
    assert {name: found[name] for name in EXPECTED_CALM} == EXPECTED_CALM


def test_it_finds_what_is_so_in_an_odd_cloud() -> None:
    found = findings(ODD)
    assert {name: found[name] for name in EXPECTED_ODD} == EXPECTED_ODD
    assert found["busy-after-batch"].startswith("busy: ")
    assert found["running-early"].startswith("for about ")


EXPECTED_CALM = {
    "running-early": "not seen",
    "create-rule-max": "50 and more",
    "location-ids-order": "as sent",
    "duplicate-rule": "InvalidParameterValue.Duplicate",
    "missing-rule": "InvalidParameter.LocationNotFound",
    "busy-after-batch": "free at once",
    "register-again": "batch: OK, weight 10; single: InvalidParameterValue.Duplicate, weight 10",
    "percent": "InvalidParameterValue",
    "no-target": "503",
    "gzip": "not compressed",
    "deletion-protection": "FailedOperation",
}
EXPECTED_ODD = {
    "create-rule-max": "20, not twice as many",
    "location-ids-order": "another",
    "duplicate-rule": "InvalidParameter",
    "missing-rule": "InvalidParameterValue",
    "percent": "OK",
    "register-again": "batch: OK, weight 20; single: OK, weight 30",
    "deletion-protection": "OperationDenied",
}


def test_a_run_never_has_more_load_balancers_than_it_may() -> None:
    with account() as (made, _, _):
        for number in range(LOAD_BALANCERS_MAX):
            made.create(f"n{number}")
        with pytest.raises(OverBudget):
            made.create("one-too-many")
        assert len(made.mine()) == LOAD_BALANCERS_MAX
        assert len(made.clean()) == LOAD_BALANCERS_MAX


def test_what_a_run_makes_goes_also_when_it_fails() -> None:
    with account() as (made, _, reach):
        with pytest.raises(AssertionError, match="never so"), Lab(made, reach=reach, poll_s=0.05, limit_s=60.0) as lab:
            _break_down(lab)
        assert made.left() == {}


def _break_down(lab: Lab) -> None:
    lab.bench(serves=False)
    raise AssertionError("never so")


def test_one_that_does_not_go_keeps_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with account() as (made, _, _):
        stays, goes = sorted((made.create("a"), made.create("b")))
        call = made.call

        def refused(action: str, service: str = "clb", **params: Any) -> Json:
            if params.get("LoadBalancerIds") == [stays] and action == "DeleteLoadBalancer":
                raise Refused("ResourceInUse", "somebody holds it")
            return call(action, service, **params)

        monkeypatch.setattr(made, "call", refused)
        with pytest.raises(ExceptionGroup, match="0a1b2c3d are left"):
            made.clean()
        assert set(made.mine()) == {stays} != {goes}
        monkeypatch.undo()
        assert made.clean() == [stays]


def test_one_that_a_look_misses_goes_after_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with account() as (made, _, _):
        late, call = made.create("late"), made.call
        blind = iter(range(2))  # a look asks by both tags

        def lagging(action: str, service: str = "clb", **params: Any) -> Json:
            if action == "DescribeLoadBalancers" and next(blind, None) is not None:
                return {"LoadBalancerSet": []}
            return call(action, service, **params)

        monkeypatch.setattr(made, "call", lagging)
        assert made.clean() == [late]


def test_lists_are_read_to_their_end() -> None:
    with account() as (made, _, _):
        made.page = 1
        several = {made.create("a"), made.create("b")}
        assert set(made.left()) == set(made.mine()) == several
        assert set(made.clean()) == several


def test_what_the_product_has_ordered_goes_also_without_the_tag_of_the_run() -> None:
    with account() as (made, _, _):
        tags = [{"TagKey": CLUSTER_TAG, "TagValue": made.cluster}]
        made.write("CreateLoadBalancer", **PUBLIC, VpcId=made.told.vpc, LoadBalancerName="web", Number=1, Tags=tags)
        assert len(made.clean()) == 1
        assert made.mine() == {}


def test_cleaning_takes_one_runs_load_balancers_and_no_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with account() as (made, emulator, _):
        other = Account(made.told, "ffffffff", poll_s=0.05)
        mine, theirs = made.create("left"), other.create("running")
        for name, value in zip(NEEDED, ("AKIDEMULATOR", "emulator-secret-key", "ap-guangzhou", "vpc-1"), strict=True):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("L7LB_E2E_ENDPOINT", made.told.endpoint)
        assert command.main(["left"]) == 0
        assert sorted(capsys.readouterr().out.splitlines()) == sorted(
            [f"{mine} of run 0a1b2c3d", f"{theirs} of run ffffffff"]
        )
        assert command.main(["clean", "0a1b2c3d"]) == 0
        assert capsys.readouterr().out == f"deleted: {mine} of run 0a1b2c3d\n"
        assert [one["id"] for one in emulator.state["load_balancers"]] == [theirs]
        other.close()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("attributes", {"rename": "OperationDenied", "create a listener": "OK", "create a rule": "OK",
                        "delete a listener": "OK"}),
        ("all_writes", {"rename": "OperationDenied", "create a listener": "OperationDenied"}),
    ],
)  # fmt: skip
def test_it_finds_what_modification_protection_stops(scope: str, expected: dict[str, str]) -> None:
    with account(replace(CALM, protection_scope=scope)) as (made, emulator, _):
        lb = made.create("protected")
        emulator.world.load_balancers[lb].operate_protect = "a person"
        found = {row["id"].removeprefix("protection: "): row["finding"] for row in what_protection_stops(made, lb)}
        assert found == expected
        emulator.world.load_balancers[lb].operate_protect = ""
        made.clean()


def test_without_an_account_it_says_what_is_missing() -> None:
    assert settings({}) == f"no real account: {', '.join(NEEDED)} not set (docs/real-account.md)"
    assert "L7LB_E2E_VPC not set" in str(settings(dict.fromkeys(NEEDED[:3], "x")))


def test_a_report_is_one_file_with_a_row_for_each_question(tmp_path: Path) -> None:
    with account() as (made, _, reach):
        bare = Account(replace(made.told, instance=""), made.run, poll_s=0.05)
        with Lab(bare, reach=reach, poll_s=0.05, limit_s=60.0) as lab:
            write(run(bare, lab, serves=True), tmp_path / "report.json")
        bare.close()
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in report["questions"]] == list(PROBES)
    skipped = {row["id"] for row in report["questions"] if row.get("not_asked")}
    assert skipped == {"busy-after-batch", "register-again", "no-target", "gzip"}
    assert TAG not in json.dumps(report["questions"])


def test_the_page_lists_every_question() -> None:
    page = (ROOT / "docs/real-account.md").read_text(encoding="utf-8")
    rows = [f"| `{name}` | {probe.question} | {probe.needs} |" for name, probe in PROBES.items()]
    assert [row for row in rows if row not in page.splitlines()] == []
