"""Secrets that are watched by name: what a pass is told while the first look is on its way."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from l7lb.adapters.kube.transport import ByteStream, Request, Response, Transport
from l7lb.app import secrets
from l7lb.app.secrets import Means, ReferencedSecrets
from l7lb.errors import NotFound, Unavailable
from l7lb.model.identity import ObjectKey
from l7lb.runtime.informer import NoInformerMetrics
from tests.unit.app.room import Room
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.translator.builders import SPACE

CERT = ObjectKey(SPACE, "cert")
LONG_S = 3600.0


class Slow(Transport):
    """An API server that answers as the test says, and not before it is let go."""

    def __init__(self, answer: Callable[[], Response]) -> None:
        self._answer = answer
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def request(self, request: Request, *, guard: Callable[[], None] | None = None) -> Response:
        self.asked.set()
        self.let_go.wait()
        return self._answer()

    def stream(self, request: Request, *, silence_s: float) -> ByteStream:
        raise Unavailable("no watch here")


class Hasty(FakeClock):
    """Lets the answer come as soon as somebody begins to wait for it."""

    def __init__(self, transport: Slow) -> None:
        super().__init__()
        self._transport = transport

    def monotonic(self) -> float:
        if self._transport.asked.is_set():
            self._transport.let_go.set()
        return super().monotonic()


def absent() -> Response:
    raise NotFound("secrets cert not found", what="Secret")


def out_of_order() -> Response:
    raise Unavailable("connection refused")


@contextmanager
def watching(transport: Slow, clock: FakeClock) -> Iterator[ReferencedSecrets]:
    room = Room()
    made = ReferencedSecrets(Means(transport, clock, random.Random(1), NoInformerMetrics()), room.stores, room.triggers)
    made.start(lambda _name, _error: None)
    try:
        yield made
    finally:
        transport.let_go.set()
        made.stop()


def test_a_pass_that_comes_before_the_first_look_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "PATIENCE_S", LONG_S)
    transport = Slow(absent)
    with watching(transport, Hasty(transport)) as made:
        assert made.unread(frozenset({CERT}))
        assert transport.asked.wait()
        assert not made.unread_by_now(frozenset({CERT}))


def test_a_pass_does_not_wait_for_a_secret_that_cannot_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "PATIENCE_S", LONG_S)
    transport = Slow(out_of_order)
    transport.let_go.set()
    with watching(transport, FakeClock()) as made:
        assert made.unread_by_now(frozenset({CERT}))


def test_a_pass_waits_so_long_and_no_longer_for_an_answer_that_does_not_come() -> None:
    clock = FakeClock()
    transport = Slow(absent)
    with watching(transport, clock) as made:
        assert made.unread(frozenset({CERT}))
        clock.advance(secrets.PATIENCE_S)
        assert made.unread_by_now(frozenset({CERT}))
        assert not transport.let_go.is_set()
