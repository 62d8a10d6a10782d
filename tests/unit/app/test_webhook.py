"""The webhook's certificate: made by who may write, shown by all, renewed before its end with the old one trusted."""

import ssl
from dataclasses import dataclass, field

from l7lb.adapters.kube.webhooks import KubeWebhooks, Shown
from l7lb.app.watching import Watching
from l7lb.app.webhook import LOOK_S, RENEW_S, Webhook
from l7lb.errors import LostLeadership
from l7lb.model.identity import ObjectKey
from l7lb.runtime.authority import LIFE, ends, issue
from l7lb.telemetry.metrics import Metrics
from tests.unit.runtime.fake_clock import FakeClock


@dataclass
class Cluster(KubeWebhooks):
    """Secret and configuration, in memory."""

    secret: Shown | None = None
    trusted: bytes = b""
    leading: bool = True
    writes: list[str] = field(default_factory=list)

    def read(self) -> Shown | None:
        return self.secret

    def write(self, shown: Shown) -> None:
        self._guarded("Secret")
        assert shown.version == (self.secret.version if self.secret is not None else "")
        self.secret = Shown(f"{len(self.writes)}", shown.authority, shown.certificate, shown.key)

    def trust(self, authority: bytes) -> bool:
        changed = authority != self.trusted
        if changed:
            self._guarded("configuration")
            self.trusted = authority
        return changed

    def _guarded(self, what: str) -> None:
        if not self.leading:
            raise LostLeadership("not the leader")
        self.writes.append(what)


def webhook(cluster: Cluster, clock: FakeClock) -> Webhook:
    nothing: Watching = None  # type: ignore[assignment]  # no pod is reviewed here
    return Webhook(ObjectKey("l7lb", "l7lb-webhook"), "127.0.0.1:0", nothing, cluster, clock, Metrics("test"))


def test_the_leader_makes_a_certificate_once_and_has_it_trusted() -> None:
    cluster, clock = Cluster(), FakeClock()
    one = webhook(cluster, clock)
    one.step()
    assert cluster.secret is not None
    assert cluster.trusted == cluster.secret.authority
    assert ends(cluster.secret.certificate) - clock.time() > RENEW_S
    one.step()
    assert cluster.writes == ["Secret", "configuration"]


def test_another_replica_writes_nothing() -> None:
    cluster, clock = Cluster(leading=False), FakeClock()
    webhook(cluster, clock).step()
    assert (cluster.secret, cluster.writes) == (None, [])


def test_it_is_renewed_before_its_end_and_the_one_before_stays_trusted() -> None:
    cluster, clock = Cluster(), FakeClock()
    one = webhook(cluster, clock)
    one.step()
    before = cluster.secret
    assert before is not None
    for _ in range(2):
        clock.advance(LIFE.total_seconds() - RENEW_S + LOOK_S)
        one.step()
    assert cluster.secret is not None
    assert cluster.secret.certificate != before.certificate
    assert cluster.trusted.count(b"BEGIN CERTIFICATE") == 2
    assert before.authority not in cluster.trusted


def test_what_is_no_certificate_is_replaced() -> None:
    cluster, clock = Cluster(secret=Shown("7", b"", b"nonsense", b"")), FakeClock()
    webhook(cluster, clock).step()
    assert cluster.secret is not None
    assert ends(cluster.secret.certificate) > clock.time()


def test_a_client_that_trusts_the_authority_believes_the_server() -> None:
    made = issue(("web.shop.svc",), ("127.0.0.1",), FakeClock().time())
    context = ssl.create_default_context(cadata=made.authority.decode())
    (known,) = context.get_ca_certs()
    assert known["subject"] == ((("commonName", "l7lb webhook authority"),),)
    assert made.key not in repr(made).encode()
