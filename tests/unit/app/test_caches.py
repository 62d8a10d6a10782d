"""Who is a member of a binding, what a snapshot holds, and what is known of Services that have gone."""

from itertools import permutations

import pytest

from l7lb.app.caches import GONE_KEPT, UNANSWERED_S, stores
from l7lb.errors import Unavailable
from l7lb.model.identity import BindingKey, ObjectKey
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.translator.names import Name
from tests.unit.app.room import CLUSTER, REGION, SETTINGS, Room, annotated, named, served
from tests.unit.translator.builders import (
    SPACE,
    UID,
    backend,
    class_object,
    endpoints,
    ingress,
    node,
    path,
    rule,
    secret,
    service,
    tls,
)

EXISTING = "kubernetes.io/ingress.existLbId"
WEB = ObjectKey(SPACE, "web")


@pytest.fixture
def room() -> Room:
    return Room()


def test_an_ingress_of_its_own_is_the_only_member_of_its_key(room: Room) -> None:
    a, b = room.put(named(ingress(rule()), "a")), room.put(named(ingress(rule()), "b"))
    assert room.caches.members(BindingKey(room.key(a))) == (a,)
    assert room.caches.members(BindingKey(room.key(b))) == (b,)
    assert room.caches.members(BindingKey("new/nobody")) == ()


def test_members_with_a_claim_come_first_then_the_older_then_by_name(room: Room) -> None:
    lent = annotated(ingress(rule()), **{EXISTING: "lb-0000lent"})
    young = room.put(named(lent, "young", creation_timestamp="2026-03-01T00:00:00Z"))
    old_b = room.put(named(lent, "b", creation_timestamp="2026-01-01T00:00:00Z"))
    old_a = room.put(named(lent, "a", creation_timestamp="2026-01-01T00:00:00Z"))
    claimed = room.put(
        served(named(lent, "z", creation_timestamp="2026-05-01T00:00:00Z"), "lb-0000lent", claim="adopted")
    )
    key = BindingKey(f"lb/{REGION}/lb-0000lent")
    assert room.caches.members(key) == (claimed, old_a, old_b, young)


def test_a_snapshot_holds_what_the_ingress_names_and_all_nodes(room: Room) -> None:
    room.put(service("web"))
    room.put(service("other"))
    room.put(secret("cert"))
    room.put(secret("stranger"))
    slices = room.put(endpoints("web", ("172.16.0.1", "a", True)))
    room.put(endpoints("other", ("172.16.0.2", "a", True)))
    room.put(node("a"))
    room.put(node("b"))
    room.put(class_object("nginx", "k8s.io/nginx"))
    found = room.caches.snapshot(room.put(ingress(rule(), certs=[tls("cert")])))
    assert set(found.services) == {WEB}
    assert found.slices == {WEB: (slices,)}
    assert set(found.secrets) == {ObjectKey(SPACE, "cert")}
    assert {one.metadata.name for one in found.nodes} == {"a", "b"}
    assert set(found.classes) == {"nginx"}
    assert (found.now, found.unread) == (room.clock.time(), frozenset())


def test_a_snapshot_for_the_shape_has_neither_nodes_nor_endpoints(room: Room) -> None:
    room.put(service("web"))
    room.put(endpoints("web", ("172.16.0.1", "a", True)))
    room.put(node("a"))
    found = room.caches.snapshot(room.put(ingress(rule())), targets=False)
    assert (found.nodes, found.slices, set(found.services)) == ((), {}, {WEB})


def test_kinds_that_are_not_synced_are_named_in_the_snapshot(room: Room) -> None:
    room.unread = frozenset({"Node"})
    assert room.caches.snapshot(ingress(rule())).unread == {"Node"}


def test_a_secret_that_was_not_looked_at_makes_secrets_unknown_for_those_alone_who_name_it(room: Room) -> None:
    room.unread_secrets = frozenset({ObjectKey(SPACE, "slow")})
    assert room.caches.snapshot(ingress(rule(), certs=[tls("slow")])).unread == {"Secret"}
    assert room.caches.snapshot(ingress(rule(), certs=[tls("quick")])).unread == frozenset()


def test_a_secret_that_is_looked_at_while_a_snapshot_is_taken_does_not_count_as_absent(room: Room) -> None:
    cert = secret("cert", "certfrst")
    room.on_unread_secrets = lambda: room.put(cert)
    assert set(room.caches.snapshot(ingress(rule(), certs=[tls("cert")])).secrets) == {cert.key}


def test_living_knows_of_nobodys_death_while_ingresses_are_not_synced(room: Room) -> None:
    room.put(named(ingress(rule()), "a"))
    assert room.caches.living("uid-a")
    assert not room.caches.living("uid-b")
    room.unread = frozenset({"Ingress"})
    assert room.caches.living("uid-b")


def test_classes_come_with_whether_they_are_all_there_are(room: Room) -> None:
    room.put(class_object("nginx", "k8s.io/nginx"))
    classes, synced = room.caches.classes()
    assert (set(classes), synced) == ({"nginx"}, True)
    room.unread = frozenset({"IngressClass"})
    assert room.caches.classes()[1] is False


VALUES = {
    Name.RECORD: [
        f'{{"v":1,"uid":"{uid}","cluster":"{CLUSTER.id}","claim":"adopted","lb":"lb-taken001"}}'
        for uid in (UID, "somebody")
    ],
    Name.EXIST_LB_ID: ["lb-7xk2m9qa", "lb-other001"],
    Name.CONFIG: ["tuning", "other"],
    Name.CLASS: ["qcloud", "nginx"],
}
"""For the others a switch will do."""


def alternatives(name: Name) -> list[dict[Name, str]]:
    return [{}, *({name: text} for text in VALUES.get(name, ["true", "ap-shanghai"]))]


EDITS = [
    (before, after)
    for base in ({}, {Name.EXIST_LB_ID: "lb-7xk2m9qa"}, {Name.CONFIG_AUTO: "true"})
    for name in Name
    for before, after in permutations([ingress(rule(), annotations=base | one) for one in alternatives(name)], 2)
] + list(
    permutations(
        [
            ingress(rule()),
            ingress(rule(), annotations={"example.com/note": "1"}),
            ingress(rule(), class_name="qcloud"),
            ingress(rule(), finalizers=("example.com/hold",)),
            ingress(rule(), certs=[tls("cert")]),
            ingress(rule(), default=backend("fallback")),
            ingress(rule("store.acme-demo.com", path("/", to="api"))),
        ],
        2,
    )
)
"""Each annotation there is, and each part of the spec, set, changed and taken away."""


def test_indexes_say_of_an_edited_ingress_what_they_would_say_of_a_new_one() -> None:
    for before, after in EDITS:
        edited, fresh = (stores(CLUSTER, SETTINGS).ingresses for _ in range(2))
        edited.apply(Change(ChangeType.ADDED, Item(before.key, UID, "1", before)))
        for store in (edited, fresh):
            store.apply(Change(ChangeType.MODIFIED, Item(after.key, UID, "2", after)))
        for name in fresh._functions:
            assert set(edited.index_values(name)) == set(fresh.index_values(name)), (name, before, after)
        assert edited.list() == fresh.list()


class TestGoneService:
    """A Service counts as gone when it was seen deleted, long ago, and the API server says so now."""

    def test_one_that_was_never_seen_is_not_gone(self, room: Room) -> None:
        assert room.caches.snapshot(ingress(rule())).services_gone_since == {}

    def test_one_deleted_a_moment_ago_is_not_gone(self, room: Room) -> None:
        room.remove(room.put(service("web")))
        room.clock.advance(299)
        assert room.caches.snapshot(ingress(rule())).services_gone_since == {}

    def test_one_deleted_five_minutes_ago_is_gone_since_then(self, room: Room) -> None:
        room.remove(room.put(service("web")))
        since = room.clock.time()
        room.clock.advance(300)
        assert room.caches.snapshot(ingress(rule())).services_gone_since == {WEB: since}

    def test_one_that_an_ingress_names_is_not_forgotten_for_many_that_none_names(self, room: Room) -> None:
        room.put(named(ingress(rule()), "shop"))
        room.remove(room.put(service("web")))
        since = room.clock.time()
        for number in range(10 * GONE_KEPT):
            room.remove(room.put(service(f"build-{number}")))
        room.clock.advance(300)
        assert room.caches.snapshot(ingress(rule())).services_gone_since == {WEB: since}
        assert len(room.caches._gone) <= 2 * (1 + GONE_KEPT)

    def test_the_word_of_the_api_server_counts_more_than_the_cache(self, room: Room) -> None:
        room.remove(room.put(service("web")))
        room.clock.advance(3000)
        room.services_alive.add(WEB)
        assert room.caches.snapshot(ingress(rule())).services_gone_since == {}

    def test_when_it_may_be_proven_is_told_beforehand(self, room: Room) -> None:
        assert room.caches.snapshot(ingress(rule())).proof_in_s is None
        room.remove(room.put(service("web")))
        room.clock.advance(60)
        assert room.caches.snapshot(ingress(rule())).proof_in_s == 240
        room.clock.advance(240)
        assert room.caches.snapshot(ingress(rule())).proof_in_s is None
        room.services_alive.add(WEB)
        assert room.caches.snapshot(ingress(rule())).proof_in_s is None

    def test_where_nobody_answers_it_is_asked_again(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        def silent(_key: ObjectKey) -> bool:
            raise Unavailable("no answer")

        room.remove(room.put(service("web")))
        room.clock.advance(3000)
        monkeypatch.setattr(room.caches, "_service_exists", silent)
        found = room.caches.snapshot(ingress(rule()))
        assert (found.services_gone_since, found.proof_in_s) == ({}, UNANSWERED_S)

    def test_one_that_came_back_starts_anew_when_it_goes_again(self, room: Room) -> None:
        room.remove(room.put(service("web")))
        room.clock.advance(299)
        room.remove(room.put(service("web")))
        room.clock.advance(299)
        assert room.caches.snapshot(ingress(rule())).services_gone_since == {}


def test_the_record_decides_the_key_and_another_clusters_record_does_not(room: Room) -> None:
    mine = named(annotated(ingress(rule()), **{EXISTING: "lb-0000lent"}), "a")
    assert room.key(served(mine, "lb-00000one", claim="adopted")) == f"lb/{REGION}/lb-00000one"
    assert room.key(served(named(ingress(rule()), "b"), "lb-00000two")) == "new/uid-b"
    copied = named(served(mine, "lb-00000one", claim="adopted"), "copy")
    assert room.key(copied) == f"lb/{REGION}/lb-0000lent"
    assert (CLUSTER.id, REGION) == (SETTINGS.cluster_id, SETTINGS.region)
