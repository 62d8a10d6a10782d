"""The webhook of the readiness gate as a part of the process: server, certificate, and the API server's trust in it.

Every replica serves. Only the leader makes and renews the certificate and repairs the configuration; the others read
the Secret and follow.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import Final

from l7lb.adapters.kube.transport import Transport
from l7lb.adapters.kube.webhooks import KubeWebhooks, Shown
from l7lb.app.config import Config
from l7lb.app.injecting import answer, is_behind_ours
from l7lb.app.watching import Watching
from l7lb.errors import GateClosed, L7lbError, LostLeadership
from l7lb.model.identity import ObjectKey
from l7lb.model.pods import Pod
from l7lb.runtime.admission import AdmissionServer
from l7lb.runtime.authority import ends, issue
from l7lb.runtime.clock import Clock
from l7lb.runtime.lifecycle import Died, Threads
from l7lb.runtime.listening import parse_bind
from l7lb.telemetry.admitting import counted
from l7lb.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

CONFIGURATION: Final = "l7lb-readiness-gate"
"""Name of the MutatingWebhookConfiguration."""
LOOK_S: Final = 5.0
RENEW_S: Final = 30 * 86_400.0
"""So long before its end a certificate is made anew."""


@dataclass(slots=True)
class Webhook:
    """A part of the lifecycle; `step` is one look at Secret and configuration."""

    service: ObjectKey
    bind: str
    watching: Watching
    kube: KubeWebhooks
    clock: Clock
    metrics: Metrics
    name: str = "webhook"
    only_after_drain: bool = False
    _stopping: threading.Event = field(default_factory=threading.Event)
    _shown: bytes = b""
    _complaint: str = ""
    _server: AdmissionServer = field(init=False)
    _threads: Threads = field(init=False)

    def __post_init__(self) -> None:
        answerer = counted(partial(answer, wants=self._wants), self.metrics, self.clock.monotonic)
        self._server = AdmissionServer("--readiness-webhook-bind-address", self.bind, answerer)
        self._threads = Threads(self.name, {"webhook-certificate": self._run}, self._stopping.set)

    def start(self, died: Died) -> None:
        """Raises ConfigurationError when the address is not to be had."""
        where = self._server.start()
        if where is not None:
            _logger.info("serving the webhook on %s:%d", *where)
            self._threads.start(died)

    def stop(self, timeout_s: float) -> bool:
        """Close the port."""
        stopped = self._threads.stop(timeout_s)
        self._server.stop()
        return stopped

    def step(self) -> None:
        """Show the certificate that the Secret holds; as the leader see to it that there is a good one, and trust."""
        try:
            shown = self._renewed(self.kube.read())
            if shown is not None and shown.certificate != self._shown:
                self._server.show(shown.certificate, shown.key)
                self._shown = shown.certificate
            if shown is not None and self.kube.trust(shown.authority):
                _logger.info("%s trusts our certificate now", CONFIGURATION)
            self._complaint = ""
        except (LostLeadership, GateClosed) as reason:
            _logger.debug("left to the leader: %s", reason)
        except (L7lbError, ValueError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _logger.warning("the webhook's certificate: %s", error)

    def _renewed(self, shown: Shown | None) -> Shown | None:
        """The Secret's content as it is to be shown now; a new one is shown at the next look, when all can read it."""
        now = self.clock.time()
        if shown is not None and ends(shown.certificate) - now > RENEW_S:
            return shown
        host = f"{self.service.name}.{self.service.namespace}"
        made = issue((f"{host}.svc", f"{host}.svc.cluster.local", host), _literal(self.bind), now)
        # Replicas that still show the one before stay trusted.
        before = _first(shown.authority) if shown is not None and ends(shown.authority) > now else b""
        bundle = made.authority + before
        try:
            self.kube.write(Shown(shown.version if shown is not None else "", bundle, made.certificate, made.key))
        except (LostLeadership, GateClosed):
            return shown
        return self.kube.read()

    def _run(self) -> None:
        while True:
            self.step()
            if self._stopping.wait(LOOK_S):
                return

    def _wants(self, pod: Pod) -> bool:
        watching = self.watching
        return is_behind_ours(pod, watching.stores, watching.caches, watching.settings)


def _literal(bind: str) -> tuple[str, ...]:
    """The address of `bind` if it is one: an API server may be told that instead of a Service."""
    host, _port = parse_bind(bind) or ("", 0)
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return ()


def _first(bundle: bytes) -> bytes:
    end = b"-----END CERTIFICATE-----\n"
    return bundle.partition(end)[0] + end


def part(
    config: Config,
    watching: Watching,
    transport: Transport,
    guard: Callable[[], None],
    clock: Clock,
    metrics: Metrics,
) -> Webhook:
    """The one that the flags ask for."""
    namespace, _, name = config.readiness_webhook.partition("/")
    service = ObjectKey(namespace, name)
    kube = KubeWebhooks(transport, service, CONFIGURATION, guard)
    return Webhook(service, config.readiness_webhook_bind_address, watching, kube, clock, metrics)
