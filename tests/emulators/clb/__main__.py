"""``python -m tests.emulators.clb``: the emulator as a process, with its data plane. Ends on SIGINT or SIGTERM."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence

from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; prints one line when ready."""
    options = _parser().parse_args(arguments)
    data_plane = None if options.no_data_plane else DataPlane(options.port_offset, options.probe_scale)
    emulator = ClbEmulator(
        seed=options.seed,
        latency=options.latency,
        data_plane=data_plane,
        switches=json.loads(options.switches),
        rate_limits=None if options.rate_limit is None else {"*": options.rate_limit},
    )
    tls = (options.tls_cert, options.tls_key) if options.tls_cert else None
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with ClbServer(emulator, options.port, tls=tls) as server:
        print(f"listening on {server.url}", flush=True)
        stopping.wait()
    if data_plane is not None:
        data_plane.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.emulators.clb", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 is ephemeral")
    parser.add_argument("--latency", choices=("fast", "real"), default="fast", help="how long tasks take")
    parser.add_argument("--seed", type=int, default=None, help="draws every open point; without it all are calm")
    parser.add_argument("--switches", default="{}", help="JSON: switches that are set, not drawn")
    parser.add_argument("--rate-limit", type=float, default=None, help="calls a second per action; 0 is unlimited")
    parser.add_argument("--port-offset", type=int, default=0, help="listener port P is served at VIP:P+offset")
    parser.add_argument("--probe-scale", type=float, default=1.0, help="multiplies health check intervals")
    parser.add_argument("--tls-cert", help="serve the API over TLS with this certificate")
    parser.add_argument("--tls-key", help="and this key")
    parser.add_argument("--no-data-plane", action="store_true", help="control plane only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
