"""The command line: every wrong value is one line that names its flag, and nothing that is secret is ever repeated."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from l7lb import __version__
from l7lb.app.application import Application
from l7lb.app.config import FLAGS, Config
from tests.unit.cli.conftest import GOOD, SECRET_ID, SECRET_KEY, Run, flags

BAD = [
    ("shards", "0"),
    ("shards", "17"),
    ("cluster-id", ""),
    ("cluster-id", "cls_9mfq2k1t"),
    ("cluster-id", "cls-" + "a" * 63),
    ("cluster-id", "cls-1/../x"),
    ("region", ""),
    ("region", "Guangzhou"),
    ("region", "ap-guangzhou-"),
    ("vpc-id", "4hd8w0pn"),
    ("kubeconfig", "/does/not/exist"),
    ("clb-endpoint", "ftp://clb.example.com"),
    ("clb-endpoint", "http://clb.example.com"),
    ("clb-endpoint", "https://clb.example.com/path"),
    ("clb-endpoint", "http://127.0.0.1:70000"),
    ("clb-endpoint", "http://[::1"),
    ("clb-endpoint", f"https://{SECRET_ID}:{SECRET_KEY}@clb.example.com"),
    ("api-root-domain", "https://tencentcloudapi.com"),
    ("api-root-domain", "tencentcloudapi.com:443"),
    ("api-root-domain", "tencentcloudapi..com"),
    ("api-root-domain", "a.-b"),
    ("credentials", "vault"),
    ("credentials", SECRET_KEY),
    ("credentials", "file:/does/not/exist"),
    ("credentials", "tke-oidc"),
    ("confirm-cluster", "cls-another0"),
    ("more-regions", "Beijing"),
    ("more-regions", "ap-beijing ap-shanghai"),
    ("watch-namespace", "Shop"),
    ("watch-namespace", "shop,blog"),
    ("tke-finalizers", "no-slash"),
    ("tke-finalizers", "a.b/c d.e/f"),
    ("class-exit-grace", "-1"),
    ("class-exit-grace", "nan"),
    ("class-exit-grace", "inf"),
    ("class-exit-grace", "soon"),
    ("secrets-from", "nowhere"),
    ("max-concurrent-reconciles", "0"),
    ("max-concurrent-reconciles", "257"),
    ("max-concurrent-reconciles", "many"),
    ("api-share", "0.04"),
    ("api-share", "1"),
    ("api-share", "nan"),
    ("api-share", "most"),
    ("verify-interval", "-1"),
    ("verify-interval", "0.5"),
    ("verify-interval", "nan"),
    ("metrics-bind-address", "8080"),
    ("metrics-bind-address", ""),
    ("metrics-bind-address", ":65536"),
    ("health-probe-bind-address", "127.0.0.1"),
    ("health-probe-bind-address", "127.0.0.1:99999"),
    ("console-bind-address", "8082"),
    ("otlp-endpoint", "collector:4318"),
    ("readiness-webhook", "l7lb-webhook"),
    ("readiness-webhook", "l7lb/l7lb/webhook"),
    ("readiness-webhook-bind-address", "9443"),
    ("log-level", "loud"),
    ("log-format", "xml"),
]
SWITCHES = [flag for flag in FLAGS if isinstance(flag.default, bool)]


def test_every_flag_has_a_bad_value_in_these_tests() -> None:
    assert {name for name, _ in BAD} | {flag.name for flag in SWITCHES} == {flag.name for flag in FLAGS}


def is_one_line_about(flag: str, told: str) -> bool:
    return re.fullmatch(rf"l7lb: --{flag}\b.*\n", told) is not None


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(("flag", "value"), BAD, ids=lambda value: repr(value)[:40])
def test_a_bad_value_is_one_line_that_names_the_flag(
    run: Run, kubeconfig: str, command: str, flag: str, value: str
) -> None:
    code, out, err = run(command, *flags(**{"kubeconfig": kubeconfig, flag: value}))
    assert (code, out) == (2, "")
    assert is_one_line_about(flag, err), err


@pytest.mark.parametrize(("flag", "value"), [row for row in BAD if row[1]], ids=lambda value: repr(value)[:40])
def test_a_bad_value_in_the_environment_names_the_flag_as_well(
    run: Run, kubeconfig: str, monkeypatch: pytest.MonkeyPatch, flag: str, value: str
) -> None:
    for name, good in (GOOD | {"kubeconfig": kubeconfig, flag: value}).items():
        monkeypatch.setenv("L7LB_" + name.upper().replace("-", "_"), good)
    code, out, err = run("run")
    assert (code, out) == (2, "")
    assert is_one_line_about(flag, err), err


@pytest.mark.parametrize("flag", SWITCHES, ids=lambda flag: flag.name)
def test_a_switch_in_the_environment_is_a_boolean(run: Run, monkeypatch: pytest.MonkeyPatch, flag: object) -> None:
    name = str(getattr(flag, "name", ""))
    monkeypatch.setenv("L7LB_" + name.upper().replace("-", "_"), "perhaps")
    code, out, err = run("run", *flags())
    assert (code, out) == (2, "")
    assert is_one_line_about(name, err), err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--no-such-flag"], "--no-such-flag"),
        (["fly"], "fly"),
        (["plam"], "Did you mean 'plan'?"),
        (["plan", "--outptu=json"], "Did you mean '--output'?"),
        (["plan", "--color=blue"], "--color"),
        (["plan", "--offline", *flags()], "--filename"),
        (["plan", "-f", "x.yaml", *flags()], "--filename"),
        (["plan", "x.yaml", *flags()], "--filename"),
        (["plan", "-f", "x.yaml", "y.yaml", *flags()], "--filename"),
        (["plan", "-o", "yaml", *flags()], "-o"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_command_is_one_line(run: Run, arguments: list[str], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("l7lb: ")
    assert said in err
    assert err.count("\n") == 1


def test_missing_keys_are_named_and_not_guessed(run: Run, kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENCENTCLOUD_SECRET_ID")
    code, _, err = run("run", *flags(kubeconfig=kubeconfig))
    assert code == 2
    assert is_one_line_about("credentials", err), err
    assert "TENCENTCLOUD_SECRET_ID" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"users:\n- name: u\n  user: {{token: {SECRET_KEY}\n", ""),
        (SECRET_KEY, "is no kubeconfig: it holds a text where a map belongs"),
        ("[]", "is no kubeconfig: it holds a list where a map belongs"),
        ("", "is no kubeconfig: it is empty"),
        ("clusters: 3\n", "clusters is a bare value where a list belongs"),
        ("contexts: [3]\n", "contexts[0] is a bare value where a map belongs"),
        (f"users: [{{name: u, user: {SECRET_KEY}}}]\n", "users[0].user is a text where a map belongs"),
    ],
    ids=["broken yaml", "a word", "a list", "nothing", "wrong types", "a number", "a secret"],
)
@pytest.mark.parametrize("command", ["run", "tree"])
def test_an_unreadable_kubeconfig_is_named_and_not_quoted(
    run: Run, tmp_path: Path, command: str, text: str, said: str
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    code, out, err = run(command, *flags(kubeconfig=str(file)))
    assert (code, out) == (2, "")
    assert is_one_line_about("kubeconfig", err), err
    assert str(file) in err
    assert said in err


NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "command",
    ["plan", "audit", "tree", "explain shop/web", "adopt --dry-run", "release --all", "leave --deployment l7lb/l7lb"],
)
def test_an_api_server_that_cannot_be_reached_is_one_line_with_its_address_and_what_to_look_at(
    run: Run, kubeconfig: str, command: str
) -> None:
    code, out, err = run(*command.split(), *flags(kubeconfig=kubeconfig, clb_endpoint=NOBODY))
    assert (code, out) == (1, "")
    assert err == f"l7lb: {UNREACHED.format(kubeconfig)}\n"
    _, out, _ = run(*command.split(), "-o", "json", *flags(kubeconfig=kubeconfig, clb_endpoint=NOBODY))
    assert json.loads(out) == {"error": UNREACHED.format(kubeconfig)}


UNREACHED = (
    "the API server 127.0.0.1:1 (kubeconfig {}) cannot be reached: the connection is refused; "
    "check that this is the right address, that the server runs, and the network in between"
)


def test_a_port_in_use_is_one_line(run: Run, kubeconfig: str, taken_port: int) -> None:
    address = f"127.0.0.1:{taken_port}"
    code, _, err = run("run", *flags(kubeconfig=kubeconfig, metrics_bind_address=address, log_level="error"))
    assert code == 2
    assert "--metrics-bind-address" in err
    assert err.count("\n") == 1


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


def test_every_flag_and_its_twin_reach_the_configuration(
    run: Run, monkeypatch: pytest.MonkeyPatch, kubeconfig: str
) -> None:
    given = {
        "cluster-id": "cls-1", "confirm-cluster": "cls-1", "region": "eu-frankfurt", "more-regions": "ap-beijing",
        "vpc-id": "vpc-1",
        "kubeconfig": kubeconfig,
        "clb-endpoint": "http://127.0.0.1:9", "api-root-domain": "intl.tencentcloudapi.com", "credentials": "env",
        "watch-namespace": "shop", "manage-classless": "false", "ignore-tke-controller": "true",
        "tke-finalizers": "a.b/c", "collect-orphans": "false", "class-exit-grace": "1.5", "secrets-from": "referenced",
        "max-concurrent-reconciles": "3", "api-share": "0.5", "verify-interval": "0", "leader-elect": "false",
        "shards": "1",
        "metrics-bind-address": "0", "health-probe-bind-address": "127.0.0.1:0", "log-level": "error",
        "log-format": "text", "readiness-webhook": "l7lb/webhook", "readiness-webhook-bind-address": "0",
        "console-bind-address": "127.0.0.1:0", "otlp-endpoint": "http://127.0.0.1:4318",
    }  # fmt: skip
    assert given.keys() == {flag.name for flag in FLAGS}
    seen: list[Config] = []

    def lives(self: Application) -> int:
        seen.append(self.config)
        return 0

    monkeypatch.setattr(Application, "run", lives)
    switches = {flag.name for flag in SWITCHES}
    as_flags = [
        (f"--{name}" if value == "true" else f"--no-{name}") if name in switches else f"--{name}={value}"
        for name, value in given.items()
    ]
    assert run("run", *as_flags)[0] == 0
    for name, value in given.items():
        monkeypatch.setenv("L7LB_" + name.upper().replace("-", "_"), value)
    assert run("run")[0] == 0
    assert seen[0] == seen[1]
    assert str(seen[0].class_exit_grace) == "1.5"
    assert (seen[0].leader_elect, seen[0].manage_classless, seen[0].ignore_tke_controller) == (False, False, True)


@pytest.mark.parametrize("command", [[], ["run"], ["plan"], ["version"]], ids=lambda words: " ".join(words) or "l7lb")
def test_help_says_every_flag_and_no_secret(run: Run, command: list[str]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert SECRET_ID not in out
    if command == ["run"]:
        assert [flag.name for flag in FLAGS if f"--{flag.name}" not in out or flag.variable not in out] == []


def test_help_of_a_command_that_reads_leaves_out_what_only_run_heeds(run: Run) -> None:
    _, out, _ = run("plan", "--help")
    assert [name for name in ("--cluster-id", "--region", "--kubeconfig", "--credentials") if name not in out] == []
    assert "--max-concurrent-reconciles" not in out
    assert "\n  l7lb plan --offline -f examples/01-http.yaml\n" in out


def test_help_does_not_show_what_the_environment_says(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("L7LB_CREDENTIALS", f"file:/secret/{SECRET_KEY}")
    assert run("run", "--help")[0] == 0


def test_the_version_is_printed(run: Run) -> None:
    assert run("version") == (0, f"l7lb {__version__}\n", "")
    assert json.loads(run("version", "-o", "json")[1]) == {"version": __version__}


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    code, out, err = run()
    assert code == 2
    assert "plan" in out + err


# adopt and release


def test_a_release_wants_to_be_told_that_every_ingress_is_meant(run: Run) -> None:
    code, out, err = run("release", *flags())
    assert (code, out) == (2, "")
    assert err == "l7lb: --all: say that every Ingress is meant\n"


@pytest.mark.parametrize("command", ["adopt", "release"])
def test_a_command_that_hands_over_checks_its_flags_before_anything_else(run: Run, command: str) -> None:
    code, out, err = run(command, *flags(region="Guangzhou"))
    assert (code, out) == (2, "")
    assert "--region" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("adopt", "--dry-run"), ("adopt", "--apply"), ("release", "--all", "--yes"), ("tree",), ("explain", "shop/web"),
        ("plan",), ("audit",),
    ],
)  # fmt: skip
def test_a_cluster_that_cannot_be_reached_is_one_line(run: Run, kubeconfig: str, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments, *flags(kubeconfig=kubeconfig))
    assert (code, out) == (1, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("e4041", "What to do: Create it, or change the backend."),
        ("E6002", "Never told by l7lb: `l7lb run` reads the flag instead, and says what it cannot do without"),
    ],
)
def test_a_code_is_explained_whether_it_is_told_or_not(run: Run, code: str, line: str) -> None:
    status, out, _ = run("explain", code)
    assert status == 0
    assert out.startswith(f"{code.upper()}: ")
    assert line in out.splitlines()


def test_a_code_is_explained_to_programs_as_well(run: Run) -> None:
    status, out, _ = run("explain", "e4041", "-o", "json")
    assert status == 0
    assert {"code": "E4041", "holds": "the rule"}.items() <= json.loads(out).items()


def test_a_code_that_does_not_exist_is_one_line(run: Run) -> None:
    status, _, err = run("explain", "E9999")
    assert status == 2
    assert err == "l7lb: Invalid value: 'E9999' is no code of TKE's Ingress; docs/errors.md has all of them\n"


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        pytest.param(["--cluster=cls-1", "--cluster-id=cls-2"], "--cluster", id="two ids"),
        pytest.param(["--cluster=cls-1", "--yes=cls-2"], "--yes", id="another id confirmed"),
        pytest.param(["--cluster=cls-1", "--without-cluster"], "--cluster-uid", id="no identity"),
        pytest.param(["--cluster=cls-1", "--cluster-uid=x"], "--cluster-uid", id="an identity for a living cluster"),
        pytest.param(["--cluster=cls-1", "--watch-namespace=shop"], "--watch-namespace", id="a part of a cluster"),
        pytest.param(["--yes=cls-1"], "--cluster", id="no cluster named"),
    ],
)
def test_a_teardown_of_what_is_not_clearly_named_is_a_wrong_flag(run: Run, arguments: list[str], flag: str) -> None:
    code, out, err = run("teardown", "--region=ap-guangzhou", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"l7lb: {flag}: ")
