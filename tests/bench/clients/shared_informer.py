"""The informer of the `kubernetes` package, with a handler that counts."""

import os
import sys
import threading

from kubernetes.informer import SharedInformer

from tests.bench.clients.meter import Meter, asked
from tests.bench.clients.typed import lister


def main() -> None:
    """Its own list, then its watch; only what the watch brings is counted."""
    wanted = asked()
    listed = lister(wanted)
    listed(limit=1)
    informer = SharedInformer(list_func=listed)
    done = threading.Event()
    handled = 0

    def count(_one: object) -> None:
        nonlocal handled
        handled += 1
        if handled == wanted.count:
            done.set()

    informer.add_event_handler("ADDED", count)
    informer.add_event_handler("MODIFIED", count)
    meter = Meter(wanted.ticking)
    meter.start()
    informer.start()
    done.wait()
    meter.stop(handled)
    sys.stdout.flush()
    os._exit(0)  # its thread would go on reading


if __name__ == "__main__":
    main()
