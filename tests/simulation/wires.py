"""Both wires without sockets: the product's adapters on one side, the emulators' `handle` on the other.

Requests are signed, encoded and decoded as over HTTP; only the SDK's and urllib3's sending is left out.
"""

import functools
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from l7lb.adapters.clb.sdk import VERSIONS, NoAnswer, Refusal
from l7lb.adapters.clb.transport import READ_S
from l7lb.adapters.kube import errors as kube_errors
from l7lb.adapters.kube.transport import Request, Response, Transport
from l7lb.runtime.clock import Clock
from tests.emulators.clb import wire as clb_wire
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.kube import wire as kube_wire
from tests.emulators.kube.emulator import KubeEmulator
from tests.emulators.kube.faults import Hang
from tests.emulators.kube.watches import Watch
from tests.simulation.clock import SimClock
from tests.simulation.feeds import Post
from tests.simulation.leases import Register
from tests.simulation.streams import Body
from tests.simulation.toll import Toll

SECRET_ID, SECRET_KEY = "AKIDEMULATOR", "emulator-secret-key"
Inspect = Callable[[str, Mapping[str, Any]], None]
HEADERS = ("content-type", "host")


@functools.lru_cache(maxsize=64)
def _signing_key(date: str, service: str) -> bytes:
    key = f"TC3{SECRET_KEY}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


class CloudWire:
    """What `sdk.Clients` is to a `Caller`: one action in, its `Response` object out."""

    def __init__(
        self, cloud: ClbEmulator, clock: Clock, toll: Toll, inspect: Inspect, elapse: Callable[[float], None]
    ) -> None:
        """`inspect` sees each write at the moment when it reaches the cloud; `elapse` lets the time of a call pass."""
        self._cloud = cloud
        self._clock = clock
        self._elapse = elapse
        self._toll = toll
        self._inspect = inspect

    def send(self, service: str, action: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send once; raises Refusal or NoAnswer."""
        request = self._signed(service, action, region, params)

        def reach() -> clb_wire.Response:
            if not action.startswith(("Describe", "Get")):
                self._inspect(action, params)
            return self._cloud.handle(request)

        response = self._toll.through(f"{service} {action}", reach)
        self._elapse(min(response.delay_s, READ_S))
        if response.delay_s > READ_S:
            raise NoAnswer(f"{action}: no answer within {READ_S:g} s", sent=True)
        if response.dropped:
            raise NoAnswer(f"{action}: the connection was cut", sent=True)
        if response.status != 200:
            raise NoAnswer(f"{action}: answered, but not with status 200", sent=True)
        answer: dict[str, Any] = response.json()["Response"]
        error = answer.get("Error")
        if error is not None:
            raise Refusal(error["Code"], error["Message"], answer["RequestId"])
        return answer

    def _signed(self, service: str, action: str, region: str, params: Mapping[str, Any]) -> clb_wire.Request:
        body = json.dumps(params).encode()
        now = int(self._clock.time())
        headers = {
            "Content-Type": "application/json",
            "Host": f"{service}.tencentcloudapi.com",
            "X-TC-Action": action,
            "X-TC-Version": VERSIONS[service],
            "X-TC-Region": region,
            "X-TC-Timestamp": str(now),
        }
        date = datetime.fromtimestamp(now, UTC).date().isoformat()
        scope = f"{date}/{service}/tc3_request"
        named = "".join(f"{name}:{headers[name.title()]}\n" for name in HEADERS)
        canonical = f"POST\n/\n\n{named}\n{';'.join(HEADERS)}\n{hashlib.sha256(body).hexdigest()}"
        text = f"TC3-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(_signing_key(date, service), text.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = (
            f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{scope}, SignedHeaders={';'.join(HEADERS)}, Signature={signature}"
        )
        return clb_wire.Request("POST", "/", headers, body)


@dataclass(frozen=True, slots=True)
class Line:
    """The way to the API server: how late its news is, and what else is between."""

    clock: SimClock
    post: Post
    register: Register
    elapse: Callable[[float], None]
    page_max: int = 0
    """Pages of lists are cut to so many objects; 0: they are not."""


class KubeWire(Transport):
    """The product's transport to the API server.

    Without a `line` only writes pass the toll, since a read changes nothing, and there are no watches.
    """

    def __init__(self, kube: KubeEmulator, toll: Toll, line: Line | None = None) -> None:
        self._kube = kube
        self._toll = toll
        self._line = line

    @property
    def host(self) -> str:
        """A name for messages."""
        return "apiserver"

    def request(self, request: Request, *, guard: Callable[[], None] | None = None) -> Response:
        """Send and read the whole answer; raises what the real one raises."""
        if guard is not None:
            guard()
        answer = self._ask(request)
        if 200 <= answer.status < 300:
            return Response(answer.status, answer.headers, answer.body)
        raise kube_errors.from_response(answer.status, answer.headers, answer.body, request.what)

    def stream(self, request: Request, *, silence_s: float) -> Body:
        """Open a watch."""
        assert self._line is not None, "no watch without a line"
        answer = self._ask(request)
        if answer.status != 200:
            raise kube_errors.from_response(answer.status, answer.headers, answer.body, request.what)
        assert isinstance(answer.stream, Watch)
        return Body(answer.stream, request.what, self._line.clock, self._line.post, silence_s)

    def _ask(self, request: Request) -> kube_wire.Response:
        asked = self._wire(request)
        try:
            if request.method == "GET" and self._line is None:
                return self._kube.handle(asked)
            place = "/".join(request.path.split("/")[-2:])
            return self._toll.through(f"{request.method} {place}", lambda: self._reach(asked))
        except Hang as hang:
            if self._line is not None:
                self._line.elapse(min(hang.seconds, request.timeout_s))
            raise kube_errors.from_connection(hang, f"{request.method} {request.what}") from hang
        except (ConnectionError, TimeoutError) as error:
            raise kube_errors.from_connection(error, f"{request.method} {request.what}") from error

    def _reach(self, asked: kube_wire.Request) -> kube_wire.Response:
        try:
            return self._kube.handle(asked)
        finally:
            if self._line is not None and asked.method != "GET" and "/leases" in asked.path:
                self._line.register.look(self._kube, self._line.clock.now())

    def _wire(self, request: Request) -> kube_wire.Request:
        query = dict(request.query)
        if self._line is not None and self._line.page_max and "limit" in query:
            query["limit"] = str(min(int(query["limit"]), self._line.page_max))
        target = request.path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": request.accept}
        if request.body:
            headers["Content-Type"] = request.content_type
        return kube_wire.Request.of(request.method, target, request.body, headers)
