"""`python -m tests.demo [--keep]`: plays the scenes. Last line `demo: ok` and exit 0, or the reason and exit 1."""

import argparse
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tests.demo.children import ENDING, Children
from tests.demo.patience import Surprise
from tests.demo.scenes import LAST, LAST_WHEN_KEPT, SCENES, Play, Scene
from tests.demo.screen import Screen
from tests.demo.stage import CONTROLLER, Stage, raised

_LOG_LINES = 60
_CALLS = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Play; every child is ended whatever happens, also on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything up until Ctrl-C")
    keep = bool(parser.parse_args(arguments).keep)
    for number in ENDING:  # Ctrl-C too: a shell that starts us in the background has it ignored
        signal.signal(number, _interrupt)
    scenes = (*SCENES, LAST_WHEN_KEPT if keep else LAST)
    screen = Screen(len(scenes))
    with tempfile.TemporaryDirectory(prefix="l7lb-demo-") as folder, Children(Path(folder)) as children:
        reason = _play(scenes, Path(folder), screen, children, keep=keep)
    if reason is None:
        print("demo: ok")
        return 0
    print(f"demo: failed: {reason}")
    return 1


def _play(scenes: Sequence[Scene], folder: Path, screen: Screen, children: Children, *, keep: bool) -> str | None:
    """Why it failed; None: it did not."""
    stage: Stage | None = None
    try:
        with screen.on():
            stage = raised(folder, screen, children)
            play = Play(stage)
            for title, scene in scenes:
                screen.scene(title)
                scene(play)
        screen.say(f"took {screen.elapsed_s:.0f} s")
        if keep:
            _stay(play)
    except Surprise as surprise:
        _explain(screen, children, stage)
        return str(surprise)
    except KeyboardInterrupt:
        return "interrupted"
    except Exception as error:  # noqa: BLE001 - whatever it is, the logs must be shown before they are removed
        _explain(screen, children, stage)
        screen.raw(traceback.format_exc())
        return f"{type(error).__name__}: {error}"
    finally:
        if stage is not None:
            stage.close()
    return None


def _stay(play: Play) -> None:
    """Say what can be tried, and wait for Ctrl-C."""
    stage, screen = play.stage, play.stage.screen
    screen.raw(f"\nexport KUBECONFIG={stage.kubeconfig}\nkubectl get ingress --all-namespaces\n")
    for url, ingress in (
        ("http://shop.example.com/api", "storefront"),
        ("https://pay.example.com/", "checkout"),
        ("https://accounts.example.com/", "checkout"),
        ("http://*/reports", "backoffice"),
        ("http://partner.example.com/", "partner-api"),
    ):
        site = stage.site(play.lb(ingress), url)
        trust = f"--cacert {stage.authority} " if site.trust else ""
        named = f"--resolve {site.host}:{site.port}:{site.address} " if site.host != site.address else ""
        screen.raw(f"curl {trust}{named}{url.partition(':')[0]}://{site.host}:{site.port}{site.path}")
    screen.raw(f"curl {stage.cloud.url}/_emulator/state   # everything that the cloud holds")
    screen.raw("\nCtrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        screen.raw("")


def _explain(screen: Screen, children: Children, stage: Stage | None) -> None:
    """What helps to find the reason: logs, the last calls to the cloud, Events."""
    for name in ("kube", "clb", CONTROLLER):
        if text := children.log_of(name, _LOG_LINES):
            screen.raw(f"\n--- the end of the log of {name} ---\n{text}")
    if stage is None:
        return
    try:
        events = [f"{event.get('reason')}: {event.get('message')}" for event in stage.cluster.all("Event")]
        screen.raw("\n--- Events ---\n" + "\n".join(events))
        screen.raw("\n--- the last calls to the cloud ---\n" + "\n".join(stage.cloud.last_calls(_CALLS)))
    except Surprise as surprise:
        screen.raw(f"(an emulator does not answer any more: {surprise})")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
