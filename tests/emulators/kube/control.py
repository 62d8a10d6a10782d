"""`/_emulator/...`: looking into the emulator and disturbing it, for tests, the demo and people.

No real API server has these paths; nothing that is tested against a real one may use them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.emulators.kube import definitions
from tests.emulators.kube.faults import ON_WATCHES, Fault, Faults, RequestLog
from tests.emulators.kube.refusals import ApiError, no_such_path
from tests.emulators.kube.storage import Compacted, NotYet
from tests.emulators.kube.wire import Json, Request, Response, answer, dump
from tests.emulators.kube.world import World

PREFIX = "/_emulator/"


@dataclass
class Controls:
    """What the control paths work on."""

    world: World
    faults: Faults = field(default_factory=Faults)
    log: RequestLog = field(default_factory=RequestLog)
    on_outage: Callable[[float], None] | None = None
    """Told by a server that can close its door; without one, requests fail until the clock has passed."""
    out_until: float = 0.0

    def respond(self, request: Request) -> Response:
        """Carry out one control request."""
        body = json.loads(request.body) if request.body.strip() else {}
        match request.method, request.path.removeprefix(PREFIX):
            case "GET", "state":
                return answer(self.state())
            case "GET", "requests":
                return answer(self.log.wire(int(request.query.get("last", "1000"))))
            case "DELETE", "requests":
                self.log.clear()
            case "GET", "faults":
                pass
            case "POST", "faults":
                self.order(Fault.of(body))
            case "DELETE", "faults":
                self.faults.orders.clear()
                self.world.disturbances.silent_until = 0.0
            case "POST", "compact":
                revision = body.get("resourceVersion")
                self.world.storage.compact(None if revision is None else int(revision))
            case "POST", "restore":
                self.restore(int(body["resourceVersion"]), counter_rises=body.get("counter", "back") == "rise")
            case "POST", "clock":
                self.advance(float(body["advance"]))
            case "POST", "outage":
                self.outage(float(body["seconds"]))
            case _:
                raise no_such_path()
        return answer(self._summary())

    def _summary(self) -> Json:
        storage = self.world.storage
        return {
            "resourceVersion": str(storage.revision),
            "compacted": str(storage.compacted),
            "time": self.world.stamp(),
            "faults": [vars(fault) for fault in self.faults.orders],
        }

    def state(self) -> Json:
        """All objects by bucket and `namespace/name`, with the counters."""
        storage = self.world.storage
        objects = {
            bucket: {"/".join(part for part in key if part): record.obj for key, record in storage.scan(bucket)}
            for bucket in storage.buckets()
        }
        return {**self._summary(), "objects": objects}

    def order(self, fault: Fault) -> None:
        """Let something go wrong: now, for open watches; at the next requests that match, for the others."""
        storage, disturbances = self.world.storage, self.world.disturbances
        if fault.kind not in ON_WATCHES:
            self.faults.orders.append(fault)
            return
        with storage.changed:
            match fault.kind:
                case "reset_watches":
                    storage.end_watches()
                case "silence":
                    disturbances.silent_until = self.world.time() + fault.seconds
                case "malformed_line":
                    disturbances.say(b'{"type":"MODIFIED","object":{"kind":\n')
                case _:
                    error = ApiError(500, "etcdserver: leader changed", "InternalError")
                    disturbances.say(b'{"type":"ERROR","object":' + dump(error.status()) + b"}\n")
            storage.changed.notify_all()

    def restore(self, revision: int, *, counter_rises: bool) -> None:
        """Everything as it was at a revision; 400 for one that is forgotten or has not been."""
        before = definitions.all_of(self.world)
        try:
            self.world.storage.restore(revision, counter_rises=counter_rises)
        except (Compacted, NotYet):
            raise ApiError(400, f"there is no state of revision {revision} to go back to") from None
        definitions.reload(self.world, before)

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        with self.world.storage.changed:
            self.world.advanced_s += seconds
            self.world.storage.changed.notify_all()

    def outage(self, seconds: float) -> None:
        """Be away for a while."""
        if self.on_outage is None:
            self.out_until = self.world.time() + seconds
            self.world.storage.end_watches()
        else:
            self.on_outage(seconds)
