"""The API's gateway: judges one signed request after the other and lets the actions answer.

The order of judgement: signature, service and version, forbidden forms, action, region, rights, rate, faults, schema,
and then the action itself. The socket is in ``server``, the control endpoints are in ``control``.
"""

import copy
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.emulators.clb import forbidden, projection, schema, signature
from tests.emulators.clb.actions import ACTIONS, REGIONLESS
from tests.emulators.clb.calls import CallLog
from tests.emulators.clb.clock import Clock
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, ForbiddenCall, MissingResponseError, ServerFaultError, missing
from tests.emulators.clb.faults import Fault, Faults
from tests.emulators.clb.projection import TrafficPlane
from tests.emulators.clb.ratelimit import RateLimits
from tests.emulators.clb.signature import DEFAULT_SECRETS, Caller, Secret
from tests.emulators.clb.switches import Switches
from tests.emulators.clb.tasks import Latency
from tests.emulators.clb.wire import Json, Request, Response, answer
from tests.emulators.clb.world import REGIONS, World

BODY_BYTES_MAX = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setup:
    """How an emulator is made and, after a reset, made again.

    ``seed`` ``None``: every switch has its calm value; a number draws all of them (and the latencies). ``switches`` are
    set after the drawing. ``wall`` is the Unix time against which signatures are checked. ``refuse_forbidden`` off lets
    the forms of ``forbidden`` through, for tests of the emulator itself.
    """

    seed: int | None = None
    latency: str | float | Mapping[str, float] = "fast"
    quotas: Mapping[str, int] | None = None
    rate_limits: Mapping[str, float] | None = None
    switches: Mapping[str, Any] | None = None
    secrets: Mapping[str, Secret] | None = None
    refuse_forbidden: bool = True
    wall: Callable[[], float] = time.time


class Gateway:
    """The emulated cloud behind its wire. Callers hold ``lock`` while they touch anything inside."""

    def __init__(self, setup: Setup, clock: Clock, data_plane: TrafficPlane | None) -> None:
        self.setup = setup
        self.clock = clock
        self.data_plane = data_plane
        self.calls = CallLog()
        self.forbidden: list[Json] = []
        self.defects: list[str] = []
        """Tracebacks of what the emulator itself got wrong; never reset, so that a test cannot miss one."""
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """An empty world, as on the first day; the clock goes on."""
        with self.lock:
            seed = self.setup.seed
            dice = random.Random(0 if seed is None else seed)
            switches = Switches() if seed is None else Switches.drawn(seed)
            self.faults = Faults(dice)
            self.secrets = dict(self.setup.secrets or DEFAULT_SECRETS)
            self.limits = RateLimits(self.setup.rate_limits)
            self.cloud = Cloud(
                World(), self.clock, dice, switches.but(self.setup.switches or {}), Latency(self.setup.latency, dice)
            )
            self.cloud.health_probe = self.data_plane
            self.cloud.world.quotas.update(self.setup.quotas or {})
            self.calls.reset()
            self.forbidden.clear()
            self.show()

    def settle(self) -> None:
        """End the tasks that are due."""
        with self.lock:
            now = self.clock.now()
            if self.cloud.tasks.settle(now):
                self.cloud.tasks.forget(now - self.cloud.switches.task_retention_s)
                self.show()

    def show(self) -> None:
        """Let the data plane serve the world as it is now."""
        if self.data_plane is not None:
            self.data_plane.apply(projection.views(self.cloud.world))

    def answer(self, request: Request) -> Response:
        """Answer one API request. A cut connection is ``Response.dropped``; a slow answer carries ``delay_s``."""
        world = self.cloud.world
        action = request.header("X-TC-Action")
        entry: Json = {
            "time": self.clock.now(), "service": "", "action": action, "region": request.header("X-TC-Region"),
            "request": {}, "error": None, "status": 200, "request_id": world.request_id(), "credential_id": "",
            "client": request.header("X-TC-RequestClient"),
        }  # fmt: skip
        members, delay_s, dropped = self._judged(request, entry)
        self.calls.note(entry)
        if dropped:
            return Response(dropped=True)
        if entry["status"] != 200:
            return answer({"error": entry["error"], **members}, entry["status"], delay_s)
        return answer({"Response": {**members, "RequestId": entry["request_id"]}}, 200, delay_s)

    def _judged(self, request: Request, entry: Json) -> tuple[Json, float, bool]:
        """Members of the answer, delay, and whether the connection is cut; ``entry`` is filled on the way."""
        faults: dict[str, Fault] = {}
        members: Json = {}
        dropped = False
        try:
            call, faults = self._admit(request, entry)
            members = self._perform(call)
            dropped = "drop_after" in faults
        except ApiError as error:
            entry["error"] = error.code
            members = {"Error": {"Code": error.code, "Message": error.message}}
        except ForbiddenCall as verdict:
            entry.update(error="Forbidden", status=500)
            members = {"reason": str(verdict)}
            self.forbidden.append(
                {"reason": str(verdict), **{key: entry[key] for key in ("time", "action", "request")}}
            )
        except MissingResponseError:
            entry["error"] = "Dropped"
            dropped = True
        except ServerFaultError:
            entry.update(error="ServerFault", status=500)
        delay = faults["slow"].seconds if "slow" in faults else 0.0
        return members, delay, dropped

    def _admit(self, request: Request, entry: Json) -> tuple[Call, dict[str, Fault]]:
        caller = signature.verify(request, self.secrets, self.setup.wall)
        entry.update(service=caller.service, credential_id=caller.credential_id)
        action, region = entry["action"], entry["region"]
        params = _body(request)
        entry["request"] = params
        _check_service(request, caller)
        if self.setup.refuse_forbidden and caller.service == "clb":
            reason = forbidden.verdict(action, params, self.cloud.world)
            if reason is not None:
                raise ForbiddenCall(reason)
        _check_action(caller.service, action)
        _check_region(caller.service, region)
        if not caller.secret.may(caller.service, action):
            raise ApiError(
                "UnauthorizedOperation", f"You are not authorized to perform operation ({caller.service}:{action})."
            )
        self.limits.take(caller.account, region, caller.service, action, self.clock.now())
        faults = self.faults.hit(action)
        if "http_500" in faults:
            raise ServerFaultError
        if "drop_before" in faults:
            raise MissingResponseError
        if "error" in faults:
            raise ApiError(faults["error"].code, faults["error"].message)
        schema.check_request(caller.service, action, params)
        now = self.clock.now()
        return Call(caller.service, action, region, params, entry["request_id"], caller, now, faults), faults

    def _perform(self, call: Call) -> Json:
        perform = ACTIONS[call.service, call.action]
        stale = call.faults.get("stale_read")
        if stale is not None and call.action.startswith(("Describe", "Get")):
            return perform(replace(self.cloud, world=stale.snapshot), call)
        members = perform(self.cloud, call)
        if not call.action.startswith(("Describe", "Get")):
            self.show()
        return members

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in; a stale read shows the world as it is at this moment."""
        with self.lock:
            if fault.kind == "stale_read":
                fault.snapshot = copy.deepcopy(self.cloud.world)
            self.faults.add(fault)


def _body(request: Request) -> Any:
    if request.method != "POST":
        raise ApiError("InvalidRequest", "Only POST with a JSON body is served.")
    if len(request.body) > BODY_BYTES_MAX:
        raise ApiError("RequestSizeLimitExceeded", "The request is larger than 10 MB.")
    try:
        return json.loads(request.body or b"{}")
    except ValueError:
        raise ApiError("InvalidParameter.FormatError", "The request body is not JSON.") from None


def _check_service(request: Request, caller: Caller) -> None:
    version = schema.version(caller.service)
    if version is None:
        raise ApiError("NoSuchProduct", f"The product '{caller.service}' does not exist.")
    if request.header("X-TC-Version") != version:
        raise ApiError("NoSuchVersion", f"The version '{request.header('X-TC-Version')}' does not exist.")


def _check_action(service: str, action: str) -> None:
    if not action:
        raise missing("Action")
    if not schema.knows(service, action):
        raise ApiError("InvalidAction", f"The action '{action}' is not served by this emulator.")
    if (service, action) not in ACTIONS:
        raise ApiError("UnsupportedOperation", f"The action '{action}' is not served by this emulator.")


def _check_region(service: str, region: str) -> None:
    if service in REGIONLESS and not region:
        return
    if not region:
        raise missing("Region")
    if region not in REGIONS:
        raise ApiError("UnsupportedRegion", f"The region '{region}' is not supported.")
