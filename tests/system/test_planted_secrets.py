"""Secrets never leave: whatever the product prints, serves or writes while it handles planted ones holds none of them.

The search is tried too: copies of the product that leak on purpose are noticed.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import l7lb
from tests.emulators.kube.emulator import KubeEmulator
from tests.system import planted
from tests.system.planted import BEARER, Scene, collect, publish, run, stage
from tests.system.world import World

pytestmark = pytest.mark.system


@pytest.fixture(scope="module", params=["text", "json"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """It serves, is refused, loses answers, gets errors, is given wrong keys, and its commands run."""
    folder = tmp_path_factory.mktemp("files")
    with stage(folder) as (world, made):
        world.start(log_format=request.param, console_bind_address="127.0.0.1:0")
        world.wait("the webhook has a key", lambda: planted.webhook_key(world))
        made.planted["the webhook's key"] = planted.webhook_key(world)
        publish(world, "web", "cert")
        world.ready("web", "shop")
        publish(world, "misplaced", "misplaced")
        world.not_ready("misplaced", "shop", "E40")
        for kind in ("http_500", "drop_after", "drop_before"):
            world.fault(action="DescribeCertificates", kind=kind, count=1)
            world.fault(action="CreateListener", kind=kind, count=1)
            publish(world, kind.replace("_", "-"), "cert")
            world.ready(kind.replace("_", "-"), "shop")
        for line in ("plan --full", "adopt", "status", "tree --full", "explain shop/web --full", "audit", "doctor"):
            for form in ("text", "json"):
                words = [*line.split(), "-o", form]
                made.outputs[" ".join(words)] = run(world, *words)
        _refuse_the_keys(world)
        publish(world, "refused", "cert")
        world.not_ready("refused", "shop", "AccessDenied")
        for name in ("plan", "status", "doctor"):
            made.outputs[f"{name} with wrong keys"] = run(world, name)
        made.outputs["a kubeconfig that is refused"] = _refused_by_the_server(world)
        collect(world, made, folder)
    return made


def _refuse_the_keys(world: World) -> None:
    world.seed({"secrets": {"AKIDEMULATOR": {"key": "another", "token": "another"}}})


def _refused_by_the_server(world: World) -> str:
    """What `plan` says when the API server does not accept the token."""
    emulator = KubeEmulator(token="right")
    emulator.start()
    try:
        kubeconfig = world._folder / "kubeconfig"
        text = kubeconfig.read_text(encoding="utf-8")
        assert world.kube_emulator is not None
        kubeconfig.write_text(text.replace(world.kube_emulator.url, emulator.url), encoding="utf-8")
        assert BEARER in text
        said = run(world, "plan")
        assert emulator.controls.log.lines
        kubeconfig.write_text(text, encoding="utf-8")
        return said
    finally:
        emulator.stop()


def test_no_secret_is_in_anything_that_was_printed_served_or_written(scene: Scene) -> None:
    assert scene.found() == []


def test_enough_was_planted_and_searched(scene: Scene) -> None:
    assert len(scene.planted) >= 8
    assert all(len(value) >= planted.WINDOW for value in scene.planted.values())
    assert {name for name, text in scene.outputs.items() if not text} <= {"files left behind"}
    assert " DEBUG " in scene.outputs["its log"] or '"debug"' in scene.outputs["its log"]
    assert {"/metrics", "/healthz", "/readyz", "doctor -o json", "its log"} <= scene.outputs.keys()
    assert "AuthFailure" in scene.outputs["its log"]
    assert "l7lb_cloud_api_calls_total" in scene.outputs["/metrics"]
    assert "shop/web" in scene.outputs["console /index.json"]
    assert "certificate" in scene.outputs["console /ingresses/shop/web.json"]
    assert "clb CreateListener" in scene.outputs["its traces"]
    assert planted.RECEIVER_TOKEN in scene.traces.headers[0]["authorization"]


def test_each_span_of_a_pass_has_its_line_and_the_other_way_round(scene: Scene) -> None:
    """Both come from the same values: every trace is a pass of the log, and every RequestId of a span stands there."""
    spans, log = scene.traces.spans(), scene.outputs["its log"]
    values = [(one.key, one.value.string_value) for span in spans for one in span.attributes]
    passes = {value for key, value in values if key == "l7lb.reconcile_id"}
    requests = {value for key, value in values if key == "l7lb.request_id"}
    assert passes
    assert requests
    assert not [one for one in passes | requests if one not in log]
    assert {span.trace_id.hex()[16:] for span in spans} == passes
    linked = [span for span in spans if span.links]
    calls = {(span.trace_id, span.span_id) for span in spans if span.name.startswith("clb ")}
    assert linked
    assert all((link.trace_id, link.span_id) in calls for span in linked for link in span.links)


@dataclass(frozen=True)
class Change:
    """A place of the product, and what becomes of it."""

    module: str
    old: str
    new: str


SAY = "        __import__('logging').getLogger('l7lb').debug"
JOINED, SENT = '        return b"".join(body)\n', "        started = self._clock()\n        code"
MEMBERS = "        members = self._shop.snapshots.members(key)\n"
LEAKS: dict[str, tuple[str, tuple[Change, ...]]] = {
    "the debug log of the SDK": (
        "the session token",
        (Change("adapters/clb/sdk.py", "    _silence()\n", "    pass\n"),
         Change("telemetry/logs.py", '"tencentcloud_sdk_common")', ")")),
    ),
    "keys in the text of an error": (
        "the cloud's key",
        (Change("adapters/clb/calls.py", "_lost(request, silence)) from None",
                "repr(self.sender._credentials.get_credential_info())) from None"),),
    ),
    "what a Secret holds": (
        "a password in a Secret",
        (Change("adapters/kube/transport.py", JOINED, f"{SAY}('read %s', body)\n{JOINED}"),),
    ),
    "keys in a span": (
        "the cloud's key",
        (Change("telemetry/spans.py", 'attributes=_attributes(of_pass(done) |',
                'attributes=_attributes(dict(__import__("os").environ) | of_pass(done) |'),),
    ),
    "headers of requests": (
        "the bearer token",
        (Change("adapters/kube/transport.py", SENT, f"{SAY}('%s', headers)\n{SENT}"),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
def test_a_product_that_leaks_is_noticed(leak: str, tmp_path: Path) -> None:
    secret, changes = LEAKS[leak]
    with stage(tmp_path) as (world, made):
        world.start(package=changed(tmp_path / "product", *changes))
        publish(world, "web", "cert")
        world.fault(action="CreateListener", kind="drop_before", count=1)
        world.ready("web", "shop")
        collect(world, made, tmp_path / "product" / "none")
    where = "its traces" if leak == "keys in a span" else "its log"
    assert f"{secret} in {where}" in made.found()


def test_a_crash_shows_where_it_was_and_no_secret(tmp_path: Path) -> None:
    """The text of the error is all that can be reached from where it was raised, as `repr` shows it."""
    said = "        raise RuntimeError(repr((self, vars(self), members)))\n"
    crash = Change("reconciler/reconciler.py", MEMBERS, MEMBERS + said)
    with stage(tmp_path) as (world, made):
        controller = world.start(package=changed(tmp_path / "product", crash))
        publish(world, "web", "cert")
        world.wait("it crashes", lambda: "RuntimeError: " in controller.log.read_text(encoding="utf-8"))
        collect(world, made, tmp_path / "product" / "none")
    assert made.found() == []


def changed(folder: Path, *changes: Change) -> Path:
    """A copy of the product with changes."""
    (source,) = l7lb.__path__
    shutil.copytree(source, folder / "l7lb", ignore=shutil.ignore_patterns("__pycache__"))
    for change in changes:
        module = folder / "l7lb" / change.module
        text = module.read_text(encoding="utf-8")
        assert text.count(change.old) == 1, f"{change.module} has moved on"
        module.write_text(text.replace(change.old, change.new), encoding="utf-8")
    return folder
