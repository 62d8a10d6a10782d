"""What informers tell, as metrics. The shape matches their protocol."""

from l7lb.telemetry.metrics import Metrics


class InformerCounting:
    """l7lb_informer_*."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def listed(self, name: str, reason: str, objects: int) -> None:  # noqa: ARG002 - the protocol's shape
        """A list was completed."""
        self._metrics.count("l7lb_informer_lists_total", _kind(name), str(reason))

    def changed(self, name: str) -> None:
        """A watch event changed an object."""
        self._metrics.count("l7lb_informer_events_total", _kind(name))

    def failed(self, name: str, error: str) -> None:
        """A request or a stream failed."""
        self._metrics.count("l7lb_informer_failures_total", _kind(name), error)

    def quarantined(self, name: str) -> None:
        """An object could not be decoded."""
        self._metrics.count("l7lb_informer_quarantined_total", _kind(name))

    def handler_failed(self, name: str) -> None:
        """The handler raised."""
        self._metrics.count("l7lb_informer_failures_total", _kind(name), "handler")


def _kind(name: str) -> str:
    """The kind alone: `Secret shop/cert` would be an unbounded label."""
    return name.partition(" ")[0]
