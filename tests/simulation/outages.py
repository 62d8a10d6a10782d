"""A region of the cloud that does not answer, or that says no, while all others go on."""

import json
from dataclasses import dataclass

import pytest

from tests.emulators.clb import wire
from tests.simulation.world import World


@dataclass
class Outage:
    """`code` empty: HTTP 503. `actions` empty: all of them."""

    region: str
    code: str = ""
    actions: tuple[str, ...] = ()
    count: int = -1
    """So many calls, and then it is over; negative: until `end`."""
    tried: int = 0

    def begin(self, world: World, patch: pytest.MonkeyPatch) -> None:
        """From now on."""
        self._handle = world.around.cloud.handle
        patch.setattr(world.around.cloud, "handle", self._answer)

    def end(self) -> None:
        """It answers again."""
        self.count = 0

    def _answer(self, request: wire.Request) -> wire.Response:
        action, region = request.headers["X-TC-Action"], request.headers["X-TC-Region"]
        if self.count == 0 or region != self.region or (self.actions and action not in self.actions):
            return self._handle(request)
        self.tried += 1
        self.count -= 1
        if not self.code:
            return wire.Response(503, b"")
        error = {"Code": self.code, "Message": "out of order"}
        return wire.Response(200, json.dumps({"Response": {"Error": error, "RequestId": "0-0"}}).encode())
