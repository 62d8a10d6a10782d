"""The emulator without a socket: one request in, one answer out, on a clock and dice that are given."""

from dataclasses import replace
from typing import Any

from tests.emulators.clb import control
from tests.emulators.clb.calls import CallLog
from tests.emulators.clb.clock import Clock, RunningClock
from tests.emulators.clb.cloud import Cloud
from tests.emulators.clb.gateway import Gateway, Setup
from tests.emulators.clb.projection import TrafficPlane
from tests.emulators.clb.wire import Json, Request, Response
from tests.emulators.clb.world import World


class ClbEmulator:
    """The emulated cloud: ``ClbEmulator(seed=7, latency="real", clock=VirtualClock())`` (members of ``Setup``)."""

    def __init__(
        self,
        setup: Setup | None = None,
        *,
        clock: Clock | None = None,
        data_plane: TrafficPlane | None = None,
        **members: Any,
    ) -> None:
        self.gateway = Gateway(replace(setup or Setup(), **members), clock or RunningClock(), data_plane)

    def handle(self, request: Request) -> Response:
        """Answer one request of the API or of the control endpoints; may be called from any thread."""
        with self.gateway.lock:
            self.gateway.settle()
            if request.path.startswith("/_emulator"):
                return control.respond(self.gateway, request)
            return self.gateway.answer(request)

    @property
    def cloud(self) -> Cloud:
        return self.gateway.cloud

    @property
    def world(self) -> World:
        return self.gateway.cloud.world

    @property
    def clock(self) -> Clock:
        return self.gateway.clock

    @property
    def calls(self) -> CallLog:
        return self.gateway.calls

    @property
    def forbidden(self) -> list[Json]:
        """Forbidden calls seen since the last reset."""
        return self.gateway.forbidden

    @property
    def state(self) -> Json:
        """What ``GET /_emulator/state`` shows."""
        with self.gateway.lock:
            self.gateway.settle()
            return control.state(self.gateway)

    def advance(self, seconds: float) -> None:
        """Move the clock and end the tasks that are due."""
        with self.gateway.lock:
            self.clock.advance(seconds)
            self.gateway.settle()
