"""When certificates expire: read rarely, gently, only those that Ingresses name; shown as a metric, told when short."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from l7lb.app.expiry import AFTER_FAILURE_S, METRIC, READ_S, SOON_S, Archive, Expiry
from l7lb.errors import AccessDenied, L7lbError, Throttled
from l7lb.model.cloud import CertificateFacts
from l7lb.model.lane import Lane
from l7lb.model.writing import Note
from l7lb.telemetry.metrics import Metrics
from l7lb.translator.names import Name
from tests.unit.app.room import Room, annotated, named, served
from tests.unit.translator.builders import ingress, rule, secret, tls

DAY = 86_400.0


@dataclass
class Reader:
    """The SSL service; says what it was asked for."""

    ends: dict[str, float]
    expired: frozenset[str] = frozenset()
    trouble: L7lbError | None = None
    asked: list[set[str]] = field(default_factory=list)

    def read(self, ids: frozenset[str], lane: Lane) -> Mapping[str, CertificateFacts]:
        assert lane is Lane.VERIFY
        self.asked.append(set(ids))
        if self.trouble is not None:
            raise self.trouble
        return {
            one: CertificateFacts(one, expires=self.ends[one], expired=one in self.expired)
            for one in ids
            if one in self.ends
        }


class Scene:
    def __init__(self) -> None:
        self.room = Room()
        self.metrics = Metrics("test")
        self.notes: list[Note] = []
        self.reader = Reader({"Kd83hQ2x": self.in_days(90), "Wq71LmPz": self.in_days(200), "Ca5xY1dd": 0.0})
        archive = Archive(self.reader, self.room.stores, self.room.caches, self, self.metrics, self.room.clock)
        self.expiry = Expiry(archive)

    def emit(self, note: Note) -> None:
        self.notes.append(note)

    def in_days(self, days: float) -> float:
        return self.room.clock.time() + days * DAY

    def serve(self, name: str, *secrets: str, annotation: str = "") -> None:
        shop = named(ingress(rule(), certs=[tls(one) for one in secrets]), name)
        if annotation:
            shop = annotated(shop, **{Name.CERTIFICATE: annotation})
        self.room.put(served(shop, f"lb-{name}"))

    def shown(self) -> dict[str, float]:
        """The metric."""
        return {
            sample.labels["certificate"]: sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == METRIC
        }


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.room.put(secret("cert"))
    return made


def test_the_end_of_every_named_certificate_is_shown_once(scene: Scene) -> None:
    scene.serve("a", "cert")
    scene.serve("b", "cert")
    scene.serve("c", annotation='[{"qcloud_cert_id":["Wq71LmPz"]}]')
    scene.expiry.step()
    assert scene.shown() == {"Kd83hQ2x": scene.in_days(90), "Wq71LmPz": scene.in_days(200)}
    assert scene.reader.asked == [{"Kd83hQ2x", "Wq71LmPz"}]
    assert scene.notes == []


def test_two_algorithms_and_the_client_authority_count(scene: Scene) -> None:
    scene.room.put(secret("pair", "Kd83hQ2x,Wq71LmPz", "Ca5xY1dd"))
    scene.serve("a", "pair")
    scene.expiry.step()
    assert scene.reader.asked == [{"Kd83hQ2x", "Wq71LmPz", "Ca5xY1dd"}]


def test_without_certificates_nothing_is_asked(scene: Scene) -> None:
    scene.serve("a")
    scene.room.put(ingress(rule(), certs=[tls("cert")]))  # not ours: no finalizer
    scene.expiry.step()
    assert scene.reader.asked == []


def test_what_is_malformed_is_not_asked_for(scene: Scene) -> None:
    scene.room.put(secret("bad", "-----BEGIN PRIVATE KEY-----"))
    scene.serve("a", "bad", "gone")
    scene.serve("b", annotation="[{")
    scene.expiry.step()
    assert scene.reader.asked == []


def test_a_new_certificate_is_read_at_the_next_look_and_the_rest_hours_later(scene: Scene) -> None:
    scene.serve("a", "cert")
    scene.expiry.step()
    scene.room.put(secret("cert", "Wq71LmPz"))
    scene.expiry.step()
    scene.expiry.step()
    assert scene.reader.asked == [{"Kd83hQ2x"}, {"Wq71LmPz"}]
    assert scene.shown() == {"Wq71LmPz": scene.in_days(200)}
    scene.room.clock.advance(READ_S)
    scene.expiry.step()
    assert scene.reader.asked[2:] == [{"Wq71LmPz"}]


def test_an_id_that_the_account_does_not_have_is_not_asked_for_every_minute(scene: Scene) -> None:
    scene.room.put(secret("cert", "nowhere1"))
    scene.serve("a", "cert")
    scene.expiry.step()
    scene.expiry.step()
    assert scene.reader.asked == [{"nowhere1"}]
    assert scene.shown() == {}


def test_a_missing_right_is_said_once_and_the_rest_goes_on(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.serve("a", "cert")
    scene.reader.trouble = AccessDenied("not allowed", reason="AccessDenied")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            scene.expiry.step()
            scene.room.clock.advance(READ_S)
    assert len(scene.reader.asked) == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    scene.reader.trouble = None
    scene.expiry.step()
    assert set(scene.shown()) == {"Kd83hQ2x"}


def test_trouble_is_waited_out(scene: Scene) -> None:
    scene.serve("a", "cert")
    scene.reader.trouble = Throttled("later")
    scene.expiry.step()
    scene.reader.trouble = None
    scene.expiry.step()
    assert len(scene.reader.asked) == 1
    scene.room.clock.advance(AFTER_FAILURE_S)
    scene.expiry.step()
    assert set(scene.shown()) == {"Kd83hQ2x"}


@pytest.mark.parametrize(
    ("shorten", "reason", "words"),
    [
        pytest.param(
            lambda scene: scene.in_days(13), "CertificateExpires", "certificate Kd83hQ2x expires on", id="soon"
        ),
        pytest.param(lambda scene: scene.in_days(-1), "CertificateExpired", "E4039: certificate Kd83hQ2x", id="over"),
    ],
)
def test_every_ingress_whose_certificate_has_little_time_left_hears_of_it(
    scene: Scene, shorten: Callable[[Scene], float], reason: str, words: str
) -> None:
    scene.reader.ends["Kd83hQ2x"] = shorten(scene)
    scene.serve("a", "cert")
    scene.serve("b", "cert")
    scene.expiry.step()
    assert sorted((note.about.key.name, note.reason) for note in scene.notes) == [("a", reason), ("b", reason)]
    assert scene.notes[0].message.startswith(words)


def test_a_certificate_with_time_left_is_no_news(scene: Scene) -> None:
    scene.reader.ends["Kd83hQ2x"] = scene.room.clock.time() + SOON_S + 1
    scene.serve("a", "cert")
    scene.expiry.step()
    assert scene.notes == []
