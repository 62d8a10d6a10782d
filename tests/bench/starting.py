"""What a start costs: CPU of the shipped command up to its first list, and until it has synced a large cluster."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from statistics import median
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from tests.bench.apiserver import IDENTITY, KUBE_SYSTEM, Server
from tests.bench.clients.ours import KUBECONFIG
from tests.bench.figures import alternate, figure, growth
from tests.bench.processes import serving
from tests.bench.rows import Benchmark, Better, Figure, Scale

KEYS: Final = {"TENCENTCLOUD_SECRET_ID": "AKIDEMULATOR", "TENCENTCLOUD_SECRET_KEY": "emulator-secret-key"}
COLLECTION: Final = ("/ingresses", "/services", "/endpointslices", "/pods", "/nodes", "/secrets", "/ingressclasses")
START_S: Final = 60.0
LOOK_S: Final = 0.02
TICKS: Final = os.sysconf("SC_CLK_TCK")
NOBODY: Final = "http://127.0.0.1:9"


def cpu_s(pid: int) -> float:
    """CPU seconds of a process with all its threads, also those that have ended; to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def command(url: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """`l7lb run` against an API server at `url`; its log is the process's output."""
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG.format(url=url), encoding="utf-8")
    flags = {
        "cluster-id": "cls-9mfq2k1t",
        "region": "ap-guangzhou",
        "vpc-id": "vpc-4hd8w0pn",
        "kubeconfig": str(kubeconfig),
        "clb-endpoint": NOBODY,
        "metrics-bind-address": "127.0.0.1:0",
        "health-probe-bind-address": "127.0.0.1:0",
        "log-format": "text",
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "l7lb", "run", *(f"--{name}={value}" for name, value in flags.items())],
        env={**os.environ, **KEYS},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


class FirstList:
    """An API server that only waits for the first list, and looks at its client's CPU time then."""

    def __init__(self) -> None:
        self.pid = 0
        self.cpu = 0.0
        self.seen = threading.Event()
        self._looking = threading.Lock()

    def look(self) -> None:
        """How much CPU time the client has used; only the first time, whoever else asks at the same time."""
        with self._looking:
            if not self.seen.is_set():
                self.cpu = cpu_s(self.pid)
                self.seen.set()

    @contextmanager
    def listening(self) -> Iterator[str]:
        """While it does; its address."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path.endswith(COLLECTION):
                    outer.look()
                body = IDENTITY if path == KUBE_SYSTEM else b'{"kind":"Status","code":503}'
                self.send_response(200 if path == KUBE_SYSTEM else 503)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it is called by
                """Say nothing."""

        with Server(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()


def to_first_list() -> float:
    """CPU seconds from the start of the interpreter to the first list of a collection."""
    waiting = FirstList()
    with (
        tempfile.TemporaryDirectory(prefix="l7lb-bench-") as folder,
        waiting.listening() as url,
        command(url, Path(folder)) as child,
    ):
        waiting.pid = child.pid
        assert waiting.seen.wait(START_S), "no list was asked for"
    return waiting.cpu


def of(*words: str) -> float:
    """CPU seconds of a command that ends."""
    before = os.times()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def start(scale: Scale) -> tuple[Figure, ...]:
    """Beside it what a part of it takes by itself."""
    others = {
        "l7lb version": ("-m", "l7lb", "version"),
        "import kubernetes": ("-c", "import kubernetes.client, kubernetes.config"),
        "import kopf": ("-c", "import kopf"),
        "Python alone": ("-c", "pass"),
    }
    sides: dict[str, Callable[[], float]] = {
        "l7lb run": to_first_list,
        **{name: partial(of, *words) for name, words in others.items()},
    }
    of("-m", "l7lb", "version")
    costs = alternate(scale.pick(3, 2), sides)
    ours = costs.pop("l7lb run")
    versus = {name: median(found) for name, found in costs.items()}
    note = "of the whole process, when its first list arrives; bytecode is there"
    return (figure("start/cpu", ours, "CPU s", Better.LOWER, versus=versus, note=note),)


def until_ready(url: str) -> tuple[float, float]:
    """Seconds and CPU seconds of `l7lb run` until its readiness probe says yes."""
    with tempfile.TemporaryDirectory(prefix="l7lb-bench-") as folder, command(url, Path(folder)) as child:
        begun = time.monotonic()
        assert child.stdout is not None
        probes = next(
            line.split("serving probes on ")[1].split()[0] for line in child.stdout if "serving probes" in line
        )
        drain = threading.Thread(target=child.stdout.read, daemon=True)
        drain.start()
        while not is_ready(f"http://{probes}/readyz"):
            assert time.monotonic() - begun < START_S, "not ready"
            time.sleep(LOOK_S)
        return time.monotonic() - begun, cpu_s(child.pid)


def is_ready(probe: str) -> bool:
    """What the probe says."""
    try:
        with urlopen(probe) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def synced(scale: Scale) -> tuple[Figure, ...]:
    """A standby: caches are filled before anybody leads."""
    found: dict[int, list[tuple[float, float]]] = {}
    sizes = scale.pick((100, 1_000, 10_000), (100, 1_000))
    for count in sizes:
        flags = {"services": count, "small-slices": 2 * count, "nodes": count // 2}
        words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
        with serving("tests.bench.apiserver", "--ingresses", str(count), "0", "0", *words) as url:
            found[count] = [until_ready(url) for _ in range(scale.pick(2, 1))]
    *_, small, large = sizes
    note = f"{large:,} Ingresses, {large:,} Services, {2 * large:,} slices of ten endpoints, {large // 2:,} Nodes"
    return (
        figure(
            "start/synced",
            [seconds for seconds, _ in found[large]],
            "s",
            Better.LOWER,
            versus={f"with {small:,} Ingresses": median(seconds for seconds, _ in found[small])},
            note=f"by the wall clock, until ready; {note}",
        ),
        figure(
            "start/synced-cpu",
            [cpu for _, cpu in found[large]],
            "CPU s",
            Better.LOWER,
            versus={f"with {small:,} Ingresses": median(cpu for _, cpu in found[small])},
            note="of the whole process by then",
        ),
        growth(
            "start/growth",
            {float(count): median(cpu for _, cpu in found[count]) for count in sizes},
            unit="CPU seconds",
            note="beside it: CPU seconds until ready by Ingresses; what every start takes is in it",
        ),
    )


BENCHMARKS: Final = (
    Benchmark(
        "starting",
        "The shipped command starts, and the first list that it asks for arrives at the API server.",
        start,
        ("start/cpu",),
        limit_s=200.0,
    ),
    Benchmark(
        "syncing",
        "The shipped command starts in front of a large cluster, until it says that it is ready.",
        synced,
        ("start/synced", "start/synced-cpu", "start/growth"),
        limit_s=200.0,
    ),
)
