"""Real health checks: asks targets when the schedule says so and keeps the verdicts.

One coroutine starts probes, at a bounded rate and with bounded company, whatever the number of targets: past that rate
the checks come later, the processor stays free. What a result means is decided in ``health``.
"""

import asyncio
import functools
import ipaddress
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tests.emulators.clb.dataplane.balancing import RuleKey, TargetKey
from tests.emulators.clb.dataplane.health import Schedule, Status, Verdict, judge, status_accepted, switched
from tests.emulators.clb.dataplane.hosts import is_concrete
from tests.emulators.clb.dataplane.http1 import MalformedMessage, parse_response, render
from tests.emulators.clb.dataplane.views import HealthView, RuleView

USER_AGENT = "clb-healthcheck"
# A scaled-down interval must not turn a busy machine into a dead target.
_TIMEOUT_S_MIN = 1.0
_HEAD_BYTES = 16384

ProbeKey: TypeAlias = tuple[RuleKey, TargetKey]
Spawn: TypeAlias = Callable[[Coroutine[None, None, None]], None]


@dataclass(frozen=True, slots=True)
class Probe:
    """What is asked of a target: the rule's check, and the name to put in the Host header."""

    health: HealthView
    host: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How probes are spread: ``scale`` shortens all intervals, ``rate`` is the most per second."""

    scale: float = 1.0
    rate: float = 200.0
    at_once: int = 32


class Prober:
    """Verdicts of all targets of all rules. Reads come from any thread, everything else from the event loop's."""

    def __init__(self, pace: Pace, *, loopback_only: bool) -> None:
        self._pace = pace
        self._loopback_only = loopback_only
        self._probes: dict[ProbeKey, Probe] = {}
        self._verdicts: dict[ProbeKey, Verdict] = {}
        self._schedule: Schedule[ProbeKey] = Schedule()
        self._changed = asyncio.Event()
        self._turned = threading.Condition()

    def status(self, key: ProbeKey) -> Status:
        """The health of a target as DescribeTargetHealth words it; Unknown when it is not bound."""
        verdict = self._verdicts.get(key)
        return "Unknown" if verdict is None else verdict.status

    def wait_for(self, key: ProbeKey, status: Status, timeout_s: float) -> bool:
        """Block the calling thread until the target has this status; False when it took longer."""
        with self._turned:
            return self._turned.wait_for(lambda: self.status(key) == status, timeout_s)

    def bind(self, probes: Mapping[ProbeKey, Probe], now: float) -> None:
        """Probe these from now on. New ones are due at once; verdicts of those that were bound stay."""
        for key, probe in probes.items():
            if self._probes.get(key) == probe:
                continue
            self._probes[key] = probe
            self._verdicts[key] = switched(self._verdicts.get(key), probe.health.enabled)
            if probe.health.enabled:
                self._schedule.put(key, now)
            else:
                self._schedule.drop(key)
        self._changed.set()
        self._announce()

    def unbind(self, keys: Iterable[ProbeKey]) -> None:
        """Stop probing these and forget what is known of them."""
        for key in keys:
            del self._probes[key], self._verdicts[key]
            self._schedule.drop(key)
        self._announce()

    async def run(self, spawn: Spawn) -> None:
        """Start probes when they are due, each as a task of its own, until cancelled."""
        loop = asyncio.get_running_loop()
        places = asyncio.Semaphore(self._pace.at_once)
        while True:
            self._changed.clear()
            key = self._schedule.take(loop.time())
            if key is None:
                await self._wait_until(self._schedule.next_due())
                continue
            await places.acquire()
            spawn(self._probe(key, places))
            await asyncio.sleep(1 / self._pace.rate)

    async def _wait_until(self, due: float | None) -> None:
        try:
            async with asyncio.timeout_at(due):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _probe(self, key: ProbeKey, places: asyncio.Semaphore) -> None:
        try:
            probe = self._probes.get(key)
            if probe is None:
                return  # unbound while it waited for its turn
            success = await self._succeeds(key[1], probe)
            if self._probes.get(key) == probe:  # else the answer is about something that is not asked any more
                self._note(key, probe.health, success)
        finally:
            places.release()

    def _note(self, key: ProbeKey, health: HealthView, success: bool) -> None:
        before = self._verdicts[key]
        self._verdicts[key] = judge(before, success, health.healthy_num, health.unhealthy_num)
        now = asyncio.get_running_loop().time()
        self._schedule.put(key, now + health.interval * self._pace.scale)
        self._changed.set()
        if self._verdicts[key].status != before.status:
            self._announce()

    async def _succeeds(self, target: TargetKey, probe: Probe) -> bool:
        timeout_s = max(probe.health.timeout * self._pace.scale, min(probe.health.timeout, _TIMEOUT_S_MIN))
        if self._loopback_only and not is_loopback(target[0]):
            return False
        try:
            async with asyncio.timeout(timeout_s):
                return await _ask(target, probe)
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError, MalformedMessage):
            return False

    def _announce(self) -> None:
        with self._turned:
            self._turned.notify_all()


def probe_of(rule: RuleView, vip: str) -> Probe:
    """The probe of a rule: its own domain, else the rule's, else the address goes into Host (HealthCheck structure)."""
    host = rule.health.domain or (rule.domain if is_concrete(rule.domain) else vip)
    return Probe(rule.health, host)


def is_loopback(ip: str) -> bool:
    """Whether ``ip`` is an address of this machine only."""
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False


@functools.cache
def unverified_tls() -> ssl.SSLContext:
    """TLS towards a target: the cloud does not verify target certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _ask(target: TargetKey, probe: Probe) -> bool:
    check_type = probe.health.check_type.upper()
    tls = unverified_tls() if check_type == "HTTPS" else None
    reader, writer = await asyncio.open_connection(*target, ssl=tls, limit=_HEAD_BYTES)
    try:
        if check_type not in ("HTTP", "HTTPS"):
            return True
        method = probe.health.method.upper()
        headers = [("Host", probe.host), ("User-Agent", USER_AGENT), ("Connection", "close")]
        writer.write(render(f"{method} {probe.health.path} HTTP/1.1", headers))
        answer = parse_response(await reader.readuntil(b"\r\n\r\n"))
        return status_accepted(answer.status, probe.health.http_code)
    finally:
        writer.transport.abort()
