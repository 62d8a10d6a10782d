"""The product under watch: a Deployment on the virtual clock, scraped once a minute as a Prometheus would.

What the wiring of `l7lb run` adds to the metrics is added here as well: gauges, requests to both worlds, waits for the
budget. What runs there in threads that the simulation has none of is given its turn once a minute. No rule is known
here; `scraped` is what a Prometheus would have.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from prometheus_client import CollectorRegistry

from l7lb.app.campaign import lease_key
from l7lb.app.connections import count_call, count_kube_request, count_request, count_wait, foresee, tell_rates
from l7lb.app.gauges import Gauges
from l7lb.telemetry.metrics import Metrics
from tests.alerts.promql import selectors
from tests.alerts.rulebook import rules
from tests.simulation.deployment import Deployment
from tests.simulation.replica import Replica
from tests.simulation.staff import Rig

MINUTE: Final = 60.0
VERIFY_S: Final = 600.0
NEEDED: Final = frozenset(one.metric for rule in rules() for one in selectors(rule.expr))
"""Nothing else is scraped: the whole exposition takes more time than the simulation."""
START: Final = "process_start_time_seconds"
Series = tuple[str, tuple[tuple[str, str], ...]]


class Plant(Deployment):
    """`run_minutes` goes on and scrapes. Each replica has metrics of its own, and a place that its successor takes."""

    def __init__(self, *, rig: Rig | None = None, **setup: Any) -> None:
        super().__init__(rig=rig, **setup)
        self.around = replace(self.around, config=replace(self.around.config, verify_interval=VERIFY_S))
        self.minutes = 0
        self.scraped: dict[Series, dict[int, float]] = {}
        self.began = self.clock.time()
        self._places: dict[str, str] = {}
        self._born: dict[str, float] = {}
        self.verifies = True

    def _new(self, name: str) -> Replica:
        metrics = Metrics("1.2.3", CollectorRegistry())
        self.around = replace(self.around, metrics=metrics)
        taken = {self._places[one.name] for one in self.staff.replicas}
        self._places[name] = next(place for place in ("a", "b", "c") if place not in taken)
        self._born[name] = self.clock.time()
        made = super()._new(name)
        _wire(made, metrics)
        return made

    def run_minutes(self, minutes: int) -> None:
        """One scrape at the end of each; the first one is at the very beginning."""
        if not self.minutes and not self.scraped:
            self.scrape()
        for _ in range(minutes):
            self.run_for(MINUTE)
            self.minutes += 1
            self.scrape()
            self._chores()

    def hang_at(self, service: str, *, minutes: int) -> None:
        """The next call to this service takes so long; others run, and are scraped, meanwhile."""

        def hang(_who: str, name: str) -> None:
            if name.startswith(f"{service} "):
                self.on_call = lambda _who, _name: None
                for _ in range(minutes):
                    self._schedule.elapse(MINUTE)
                    self.minutes += 1
                    self.scrape()

        self.on_call = hang

    def scrape(self) -> None:
        """Ask every replica that lives for its metrics, as they are in this minute; only for what rules name."""
        for one in self.staff.alive():
            if one.frozen:
                continue
            target = (("instance", self._places[one.name]), ("job", "l7lb"), ("namespace", "l7lb"))
            metrics = one.around.metrics
            metrics.refresh()
            self._keep(START, {}, self._born[one.name], target)
            for family in metrics.registry.restricted_registry(NEEDED).collect():
                for sample in family.samples:
                    self._keep(sample.name, sample.labels, sample.value, target)

    def _keep(self, name: str, labels: Mapping[str, str], value: float, target: tuple[tuple[str, str], ...]) -> None:
        if name.endswith(("timestamp_seconds", START)):
            value -= self.began  # promtool's time begins at 0
        series = name, tuple(sorted((*labels.items(), *target)))
        self.scraped.setdefault(series, {})[self.minutes] = value

    def _chores(self) -> None:
        """Threads of a term that the simulation does not play."""
        one = self.staff.leader()
        if one is None or one.term is None:
            return
        if self.verifies and self.minutes % int(VERIFY_S / MINUTE) == 0:
            one.term.verifier.round()
        one.term.orphans.step()
        for part in (one.term._expiry, one.term._readying):
            if part is not None:
                part.step()


def _wire(replica: Replica, metrics: Metrics) -> None:
    """As `app.application` and `app.connections` do."""
    leadership, elector = replica.leadership, replica.elector
    name = lease_key(replica.around.config.cluster_id).name
    gauges = Gauges(metrics, replica.watching, leadership, {name: elector}, replica.machine.clock)
    foresee(metrics)

    def refresh() -> None:
        leadership.term = replica.term
        gauges.refresh()
        metrics.only("l7lb_quota_usage_ratio", leadership.quotas())
        tell_rates(metrics, replica.connections.limits)

    metrics.before_render(refresh)
    _count_requests(replica, metrics)
    caller: Any = replica.connections.cloud.caller
    object.__setattr__(caller, "on_call", partial(count_request, metrics))
    object.__setattr__(caller, "on_end", partial(count_call, metrics))
    object.__setattr__(caller.limits, "on_wait", partial(count_wait, metrics))


def _count_requests(replica: Replica, metrics: Metrics) -> None:
    """As the transport tells of each request to the API server."""
    for wire in (replica.connections.kube, replica.connections.lease):
        ask: Any = wire._ask  # type: ignore[attr-defined]  # the simulation's, which has one way for all requests

        def counted(request: Any, ask: Any = ask) -> Any:
            code = "<error>"
            try:
                answer = ask(request)
                code = str(answer.status)
                return answer
            finally:
                count_kube_request(metrics, request.method, "apiserver", code, 0.0)

        wire._ask = counted  # type: ignore[attr-defined]  # the same


def as_series(plant: Plant) -> list[dict[str, str]]:
    """What was scraped in promtool's notation; a minute without a sample is a gap."""
    return [
        {"series": _named(series), "values": _values(values, plant.minutes)}
        for series, values in sorted(plant.scraped.items())
    ]


def _named(series: Series) -> str:
    name, labels = series
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in labels) + "}"


def _values(values: Mapping[int, float], minutes: int) -> str:
    return " ".join(f"{values[minute]:.10g}" if minute in values else "_" for minute in range(minutes + 1))
