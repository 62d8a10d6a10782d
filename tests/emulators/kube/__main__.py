"""`python -m tests.emulators.kube`: the emulator as a process of its own."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from tests.emulators.kube import KubeEmulator, Tls


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulators.kube", description="A Kubernetes API server for trying things out."
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port, 0 for any (default)")
    parser.add_argument("--kubeconfig-out", type=Path, metavar="FILE", help="write a kubeconfig that leads here")
    parser.add_argument("--seed", type=int, default=0, help="of UIDs, addresses and names")
    parser.add_argument("--compact-after", type=int, default=10_000, metavar="N", help="changes a watch can go back")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE")
    parser.add_argument("--tls-key", type=Path, metavar="FILE")
    parser.add_argument("--token", default="", help="the only bearer token taken; none: everybody may come in")
    return parser.parse_args()


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    arguments = _arguments()
    if bool(arguments.tls_cert) != bool(arguments.tls_key):
        sys.stderr.write("--tls-cert and --tls-key belong together\n")
        return 2
    tls = Tls(arguments.tls_cert, arguments.tls_key) if arguments.tls_cert else None
    emulator = KubeEmulator(seed=arguments.seed, compact_after=arguments.compact_after, token=arguments.token, tls=tls)
    done = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    emulator.start(arguments.port)
    if arguments.kubeconfig_out:
        emulator.write_kubeconfig(arguments.kubeconfig_out)
    sys.stdout.write(f"listening on {emulator.url}\n")
    sys.stdout.flush()
    done.wait()
    emulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
