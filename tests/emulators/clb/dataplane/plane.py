"""The data plane as the control plane sees it. Puts the parts together; decisions about requests do not belong here."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from tests.emulators.clb.dataplane.balancing import Balancer, RuleKey, TargetKey
from tests.emulators.clb.dataplane.certificates import CertificateStore, authority
from tests.emulators.clb.dataplane.counters import Counters
from tests.emulators.clb.dataplane.frontends import Frontends
from tests.emulators.clb.dataplane.health import Status
from tests.emulators.clb.dataplane.loop import LoopThread
from tests.emulators.clb.dataplane.prober import Pace, Prober
from tests.emulators.clb.dataplane.proxy import Services
from tests.emulators.clb.dataplane.routes import ListenerRoutes, served_names
from tests.emulators.clb.dataplane.served import Address, Served, compile_lb
from tests.emulators.clb.dataplane.streams import Limits
from tests.emulators.clb.dataplane.views import LbView

_NOTHING = Served(LbView("", ""), {}, {}, {})


class DataPlane:
    """Serves load balancers on loopback addresses; the package's docstring says how it behaves.

    ``port_offset`` is added to every listener's port. ``probe_scale`` multiplies every health check interval,
    ``probe_rate`` is the most probes per second in all. With ``loopback_only`` no other address is ever dialled:
    such a target fails its checks and its requests.
    """

    def __init__(
        self,
        port_offset: int = 0,
        probe_scale: float = 1.0,
        *,
        limits: Limits | None = None,
        probe_rate: float = 200.0,
        loopback_only: bool = True,
    ) -> None:
        self.counters = Counters()
        self.problems: dict[Address, str] = {}
        self._port_offset = port_offset
        self._thread = LoopThread("clb-dataplane")
        self._prober = Prober(Pace(probe_scale, probe_rate), loopback_only=loopback_only)
        self._balancer = Balancer()
        self._certificates = CertificateStore()
        services = Services(self._balancer, self._prober, self.counters, limits or Limits(), port_offset, loopback_only)
        self._frontends = Frontends(services, self._certificates, self._thread.spawn)
        self._served: dict[str, Served] = {}
        self._one_at_a_time = asyncio.Lock()
        self._probing = False
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def defects(self) -> tuple[BaseException, ...]:
        """Exceptions that nothing here should have let out: bugs of the emulator, for tests to assert on."""
        return tuple(self._thread.defects)

    def apply(self, loadbalancers: Sequence[LbView]) -> None:
        """Serve exactly these. Returns when they are served; may be called from any thread until ``stop``.

        Give a view that has not changed as the same object if you can: then it costs next to nothing.
        ``problems`` then names the addresses that cannot be served, with the reason; they are tried again next time.
        """
        if self._stopped:
            raise RuntimeError("this data plane was stopped")
        self._thread.call(self._reconfigure(tuple(loadbalancers)))

    def health(self, lb_id: str, listener_id: str, location_id: str, ip: str, port: int) -> Status:
        """Health of a target in a rule, in the words of DescribeTargetHealth; Unknown when it is not bound."""
        return self._prober.status(((lb_id, listener_id, location_id), (ip, port)))

    def wait_for_health(self, rule: RuleKey, target: TargetKey, status: Status, timeout_s: float) -> bool:
        """Block until a target of a rule (ids of load balancer, listener, rule) has this health; False: not in time."""
        return self._prober.wait_for((rule, target), status, timeout_s)

    def address_of(self, lb_id: str) -> str:
        """The loopback address of a load balancer. Raises ``KeyError`` when it is not served."""
        return self._served[lb_id].lb.vip

    def port_of(self, listener_port: int) -> int:
        """The port on which listeners of that port are really served."""
        return listener_port + self._port_offset

    def ca_pem(self) -> str:
        """The authority that signed every certificate shown here."""
        return authority().pem()

    def stop(self) -> None:
        """Close everything and end the thread. Doing so twice, or without a start, is harmless."""
        self._stopped = True
        if self._probing:
            self._probing = False
            self._thread.call(self._close())
        self._thread.stop()
        self._served = {}

    async def _close(self) -> None:
        self._frontends.close()

    async def _reconfigure(self, loadbalancers: Sequence[LbView]) -> None:
        async with self._one_at_a_time:
            if not self._probing:
                self._probing = True
                self._thread.spawn(self._prober.run(self._thread.spawn))
            # From here to ``open`` there is no ``await``: no request ever sees half of a change.
            served = {lb.id: self._serve(lb) for lb in loadbalancers}
            for lb_id in served.keys() | self._served.keys():
                before, after = self._served.get(lb_id, _NOTHING), served.get(lb_id, _NOTHING)
                if before.probes is not after.probes:
                    self._rebind(before, after)
            self._served = served
            wanted, problems = _addresses(served.values())
            self._certificates.serve(_names(wanted.values()))
            self._frontends.swap(wanted)
            self.problems = problems | await self._frontends.open(wanted)

    def _serve(self, lb: LbView) -> Served:
        """What is made of a view; that of the last time if nothing has changed."""
        before = self._served.get(lb.id)
        if before is None or (before.lb is not lb and before.lb != lb):
            return compile_lb(lb, self._port_offset)
        return replace(before, lb=lb)

    def _rebind(self, before: Served, after: Served) -> None:
        self._prober.unbind(before.probes.keys() - after.probes.keys())
        self._prober.bind(after.probes, asyncio.get_running_loop().time())
        bound: dict[RuleKey, set[TargetKey]] = {rule: set() for rule, _ in before.probes}
        for rule, target in after.probes:
            bound.setdefault(rule, set()).add(target)
        for rule, targets in bound.items():
            self._balancer.rebind(rule, targets)


def _addresses(served: Iterable[Served]) -> tuple[dict[Address, ListenerRoutes], dict[Address, str]]:
    wanted: dict[Address, ListenerRoutes] = {}
    problems: dict[Address, str] = {}
    for one in served:
        problems.update(one.problems)
        for address, routes in one.listeners.items():
            if wanted.setdefault(address, routes) is not routes:
                problems[address] = f"{wanted[address].lb.id} is served here, {one.lb.id} cannot be"
    return wanted, problems


def _names(listeners: Iterable[ListenerRoutes]) -> dict[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for routes in listeners:
        for certificate_id, domains in served_names(routes).items():
            names.setdefault(certificate_id, set()).update(domains)
    return {certificate_id: frozenset(domains) for certificate_id, domains in names.items()}
