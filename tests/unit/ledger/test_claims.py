"""Whose listener, which refusals, which tags."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from l7lb import ledger
from l7lb.model.identity import ListenerKey
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.ownership import Claim, Disposal, Evidence, Ownership, Record
from tests.builders import CLUSTER, LB, LENT_TAGS, OUR_TAGS, OWNER, head, listener, observed

HTTP = ListenerKey("HTTP", 80)
HTTPS = ListenerKey("HTTPS", 443)
SERVICE = {"tke-lb-serviceuuid": "service"}


def read(
    world: ObservedLoadBalancer,
    *,
    wanted: frozenset[ListenerKey] = frozenset({HTTP}),
    record: Record | None = None,
    names: Mapping[ListenerKey, str] | None = None,
    named: bool = False,
) -> Claim:
    evidence = Evidence(CLUSTER, "uid-1", world.head.tags, record, LB, named=named)
    return ledger.read(evidence, world, wanted, names or {})


def recorded(key: ListenerKey, name: str, id_: str | None = None) -> Record:
    return Record("uid-1", "cls-1", lb=LB, claim="created", listeners={str(key): (id_ or f"lbl-{key}", name)})


def announced(key: ListenerKey, name: str) -> Record:
    """A record from before the listener's creation was answered."""
    return replace(recorded(key, name), listeners={str(key): ("", name)})


@pytest.mark.parametrize(
    ("tags", "name", "record", "names", "wanted", "ours"),
    [
        pytest.param(OUR_TAGS, "TKE-DEDICATED-LISTENER", None, {}, {HTTP}, True, id="created, our name"),
        pytest.param(OUR_TAGS, "TKE-DEDICATED-LISTENER", None, {}, set(), True, id="created, our name, not wanted"),
        pytest.param(OUR_TAGS, "web", None, {}, {HTTP}, False, id="created, another name"),
        pytest.param(OUR_TAGS, "web", None, {HTTP: "web"}, {HTTP}, True, id="created, declared name"),
        pytest.param(OUR_TAGS, "web", None, {HTTPS: "web"}, {HTTP}, False, id="created, name of another port"),
        pytest.param(OUR_TAGS, "web", recorded(HTTP, "web"), {}, {HTTP}, True, id="created, recorded"),
        pytest.param(OUR_TAGS, "new", recorded(HTTP, "web"), {}, {HTTP}, False, id="recorded, renamed since"),
        pytest.param(OUR_TAGS, "web", recorded(HTTP, "web", "lbl-9"), {}, {HTTP}, False, id="recorded, another id"),
        pytest.param(OUR_TAGS, "new", recorded(HTTP, "web"), {HTTP: "new"}, {HTTP}, True, id="renamed by us just now"),
        pytest.param(LENT_TAGS, "new", recorded(HTTP, "web"), {HTTP: "new"}, set(), True, id="adopted, renamed by us"),
        pytest.param(OUR_TAGS, "web", announced(HTTP, "web"), {}, {HTTP}, True, id="created, announced"),
        pytest.param(LENT_TAGS, "web", announced(HTTP, "web"), {}, {HTTP}, True, id="adopted, announced, wanted"),
        pytest.param(LENT_TAGS, "web", announced(HTTP, "web"), {}, set(), False, id="adopted, announced, not wanted"),
        pytest.param(LENT_TAGS, "web", announced(HTTPS, "web"), {}, {HTTP}, False, id="announced on another port"),
        pytest.param(
            {**OUR_TAGS, **SERVICE}, "TKE-DEDICATED-LISTENER", None, {}, {HTTP}, False, id="created, a Service's too"
        ),
        pytest.param(
            {**OUR_TAGS, **SERVICE}, "web", recorded(HTTP, "web"), {}, {HTTP}, True, id="a Service's too, recorded"
        ),
        pytest.param(LENT_TAGS, "TKE-DEDICATED-LISTENER", None, {}, {HTTP}, True, id="adopted, our name, wanted"),
        pytest.param(LENT_TAGS, "TKE-DEDICATED-LISTENER", None, {}, {HTTPS}, False, id="adopted, our name, not wanted"),
        pytest.param(LENT_TAGS, "web", None, {HTTP: "web"}, {HTTP}, True, id="adopted by TKE, declared name, wanted"),
        pytest.param(LENT_TAGS, "web", None, {HTTP: "web"}, {HTTPS}, False, id="adopted by TKE, declared, not wanted"),
        pytest.param(
            LENT_TAGS, "web", recorded(HTTPS, "api"), {HTTP: "web"}, {HTTP}, False, id="adopted by us, declared name"
        ),
        pytest.param(LENT_TAGS, "web", recorded(HTTP, "web"), {}, set(), True, id="adopted, recorded, not wanted"),
    ],
)
def test_whose_listener(
    tags: Mapping[str, str],
    name: str,
    record: Record | None,
    names: Mapping[ListenerKey, str],
    wanted: set[ListenerKey],
    ours: bool,
) -> None:
    world = observed(listener("HTTP:80", name=name), on=head(tags=tags))
    claim = read(world, record=record, names=names, wanted=frozenset(wanted), named=True)
    assert (HTTP in claim.listeners) is ours


def test_a_tcp_listener_is_never_ours() -> None:
    world = observed(listener("TCP:22", name="TKE-DEDICATED-LISTENER"))
    assert read(world).listeners == frozenset()


def test_a_lent_load_balancer_misses_both_tags() -> None:
    claim = read(observed(on=head(tags={"team": "shop"})), named=True)
    assert claim.ownership is Ownership.TO_ADOPT
    assert dict(claim.missing_tags) == LENT_TAGS
    assert claim.disposal is Disposal.LEAVE


def test_an_adopted_load_balancer_without_the_cluster_tag_gets_it() -> None:
    claim = read(observed(on=head(tags={"tke-lb-ingress-uuid": "uid-1"})), named=True)
    assert claim.ownership is Ownership.ADOPTED
    assert claim.missing_tags == (("tke-clusterId", "cls-1"),)


def test_an_adoption_that_shows_one_tag_so_far_goes_on() -> None:
    record = Record("uid-1", "cls-1", lb=LB, claim="adopting")
    claim = read(observed(on=head(tags={"tke-clusterId": "cls-1"})), named=True, record=record)
    assert claim.ownership is Ownership.TO_ADOPT
    assert claim.missing_tags == (("tke-lb-ingress-uuid", "uid-1"),)


@pytest.mark.parametrize(
    ("world", "code"),
    [
        pytest.param(observed(on=head(tags={"tke-createdBy-flag": "yes"})), "E4019", id="made by TKE"),
        pytest.param(observed(on=head(tags={"tke-lb-ingress-uuid": "uid-2"})), "E4020", id="another Ingress"),
        pytest.param(observed(on=head(tags={"tke-clusterId": "cls-2"})), "E4020", id="another cluster"),
        pytest.param(observed(on=head(tags={}, application=False)), "E4030", id="classic"),
        pytest.param(observed(listener("TCP:80", name="web"), on=head(tags={})), "E4101", id="port taken by TCP"),
        pytest.param(observed(listener("HTTP:80", name="web"), on=head(tags={})), "E4101", id="port taken by HTTP"),
        pytest.param(observed(listener("HTTPS:80"), on=head(tags={})), "E4101", id="our name, another protocol"),
    ],
)
def test_a_lent_load_balancer_is_refused_with_its_code(world: ObservedLoadBalancer, code: str) -> None:
    claim = read(world, named=True)
    assert claim.code == code
    assert claim.ownership in {Ownership.FOREIGN, Ownership.UNCLAIMED}
    assert (claim.missing_tags, claim.listeners, claim.disposal) == ((), frozenset(), Disposal.LEAVE)


def test_a_listener_of_its_owner_is_not_ours_by_the_name_that_we_would_give() -> None:
    world = observed(listener("HTTP:80", name="web"), on=head(tags={}))
    assert read(world, named=True, names={HTTP: "web"}).code == "E4101"


def test_a_lender_keeps_other_ports() -> None:
    world = observed(listener("TCP:22", name="ssh"), listener("UDP:80", name="dns"), on=head(tags={}))
    assert read(world, named=True).ownership is Ownership.TO_ADOPT


def test_hand_over_with_created_flag_is_created_not_adopted() -> None:
    claim = read(observed(on=head(tags={**LENT_TAGS, "tke-createdBy-flag": "yes"})), named=True)
    assert claim.ownership is Ownership.CREATED
    assert not claim.native


def test_wrong_tags_of_what_the_record_names_are_e4017() -> None:
    record = Record("uid-1", "cls-1", lb=LB, claim="created")
    assert read(observed(on=head(tags={"tke-createdBy-flag": "yes"})), record=record).code == "E4017"


def test_a_kept_load_balancer_loses_all_tags_of_ours() -> None:
    evidence = Evidence(CLUSTER, "uid-1", OUR_TAGS, None, LB, retain=True)
    claim = ledger.read(evidence, observed(), frozenset(), {})
    assert claim.ownership is Ownership.KEPT
    assert set(claim.removable_tags) == set(OUR_TAGS)


def test_the_word_user_in_the_lifecycle_tag_is_the_users() -> None:
    tags = {**OUR_TAGS, "tke-lifecycle-owner": "user"}
    claim = read(observed(on=head(tags=tags)))
    assert claim.ownership is Ownership.KEPT
    assert "tke-lifecycle-owner" not in claim.removable_tags


def test_a_record_of_another_ingress_names_nothing() -> None:
    record = replace(Record("uid-1", "cls-1", lb=LB), uid="uid-2")
    claim = read(observed(on=head(tags=LENT_TAGS)), record=record)
    assert claim.ownership is Ownership.UNCLAIMED


def test_one_member_alone_has_nothing_of_a_shared_load_balancer() -> None:
    evidence = Evidence(CLUSTER, "uid-1", {}, None, LB, named=True, group=True)
    claim = ledger.read(evidence, observed(listener("HTTP:80")), frozenset({HTTP}), {})
    assert claim.ownership is Ownership.SHARED
    assert (claim.listeners, claim.rules, claim.missing_tags) == (frozenset(), frozenset(), ())


def test_our_tags_are_recognised_whatever_else_is_there() -> None:
    assert ledger.is_ours({**OUR_TAGS, "team": "shop"}, OWNER)
    assert not ledger.is_ours({**OUR_TAGS, "l7lb-cluster-uid": "another"}, OWNER)
    assert not ledger.is_ours({**OUR_TAGS, "tke-clusterId": "another"}, OWNER)
    assert not ledger.is_ours({"tke-clusterId": "cls-1"}, OWNER)


def test_the_stamp_is_what_the_table_calls_created() -> None:
    assert dict(ledger.stamp(OWNER)) == OUR_TAGS
    assert ledger.lookup(OWNER).items() <= dict(ledger.stamp(OWNER)).items()


@pytest.mark.parametrize("ownership", list(Ownership))
def test_every_ownership_has_a_disposal(ownership: Ownership) -> None:
    assert ledger.disposal_for(ownership, untouched=True) is Disposal.LEAVE
    deleted = ledger.disposal_for(ownership) is Disposal.DELETE_LOAD_BALANCER
    assert deleted is (ownership is Ownership.CREATED)
