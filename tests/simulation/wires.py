"""Both wires without sockets: the product's adapters on one side, the emulators' `handle` on the other.

Requests are signed, encoded and decoded as over HTTP; only the SDK's and urllib3's sending is left out.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from l7lb.adapters.clb.sdk import VERSIONS, NoAnswer, Refusal
from l7lb.adapters.kube import errors as kube_errors
from l7lb.adapters.kube.transport import Request, Response, Transport
from tests.emulators.clb import wire as clb_wire
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.kube import wire as kube_wire
from tests.emulators.kube.emulator import KubeEmulator
from tests.simulation.clock import SimClock
from tests.simulation.toll import Toll

SECRET_ID, SECRET_KEY = "AKIDEMULATOR", "emulator-secret-key"
Inspect = Callable[[str, Mapping[str, Any]], None]
HEADERS = ("content-type", "host")


class CloudWire:
    """What `sdk.Clients` is to a `Caller`: one action in, its `Response` object out."""

    def __init__(self, cloud: ClbEmulator, clock: SimClock, toll: Toll, inspect: Inspect) -> None:
        """`inspect` sees each write at the moment when it reaches the cloud."""
        self._cloud = cloud
        self._clock = clock
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
        self._clock.advance(response.delay_s)
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
        date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        scope = f"{date}/{service}/tc3_request"
        named = "".join(f"{name}:{headers[name.title()]}\n" for name in HEADERS)
        canonical = f"POST\n/\n\n{named}\n{';'.join(HEADERS)}\n{hashlib.sha256(body).hexdigest()}"
        text = f"TC3-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"TC3{SECRET_KEY}".encode()
        for part in (date, service, "tc3_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = (
            f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{scope}, SignedHeaders={';'.join(HEADERS)}, Signature={signature}"
        )
        return clb_wire.Request("POST", "/", headers, body)


class KubeWire(Transport):
    """The product's transport to the API server. Only writes pass the toll: a read changes nothing."""

    def __init__(self, kube: KubeEmulator, toll: Toll) -> None:
        self._kube = kube
        self._toll = toll

    @property
    def host(self) -> str:
        """A name for messages."""
        return "apiserver"

    def request(self, request: Request, *, guard: Callable[[], None] | None = None) -> Response:
        """Send and read the whole answer; raises what the real one raises."""
        if guard is not None:
            guard()
        asked = self._wire(request)
        try:
            if request.method == "GET":
                answer = self._kube.handle(asked)
            else:
                place = "/".join(request.path.split("/")[-2:])
                answer = self._toll.through(f"{request.method} {place}", lambda: self._kube.handle(asked))
        except (ConnectionError, TimeoutError) as error:
            raise kube_errors.from_connection(error, f"{request.method} {request.what}") from error
        if 200 <= answer.status < 300:
            return Response(answer.status, answer.headers, answer.body)
        raise kube_errors.from_response(answer.status, answer.headers, answer.body, request.what)

    @staticmethod
    def _wire(request: Request) -> kube_wire.Request:
        target = request.path + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {"Accept": request.accept}
        if request.body:
            headers["Content-Type"] = request.content_type
        return kube_wire.Request.of(request.method, target, request.body, headers)
