"""One test per sentence of TKE's overview page: whose a load balancer is, which Ingresses are managed, switching."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests import envtest
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.world import CLUSTER, FINALIZER, World, ingress, rule, service, tree

CLASS = "kubernetes.io/ingress.class"
EXISTING = "kubernetes.io/ingress.existLbId"
CREATED_BY, CLUSTER_ID, INGRESS_UID = "tke-createdBy-flag", "tke-clusterId", "tke-lb-ingress-uuid"
STATES = ("missing", "wrong", "right")
States = tuple[str, str, str]


ALL: list[States] = [(a, b, c) for a in STATES for b in STATES for c in STATES]


def lent(name: str, tags: dict[str, str]) -> Json:
    """A load balancer of somebody else, with a listener of its own."""
    return {"id": name, "tags": tags, "listeners": [{"protocol": "TCP", "port": 22, "name": "lender"}]}


def ports(load_balancer: Json) -> list[int]:
    return sorted(listener["port"] for listener in load_balancer["listeners"])


def prepared(world: World, name: str) -> str:
    """A namespace with a Service to point at."""
    world.namespace(name)
    world.kube.create(service("web", name, 0))
    return name


# (1) - (4), for each state of each tag on a load balancer that the Ingress names


@dataclass(frozen=True)
class Story:
    """What was before the Ingress came, while it was there, and after it went; and which Ingress it was."""

    uid: str
    before: Json
    during: Json
    after: Json | None


@pytest.fixture(scope="module", params=SERVERS)
def stories(request: pytest.FixtureRequest) -> Iterator[dict[States, Story]]:
    """All 27 combinations live through one controller at the same time."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as world:
        yield tell(world)


def tell(world: World) -> dict[States, Story]:
    namespace = prepared(world, "tags")
    cases = {states: f"c{number}" for number, states in enumerate(ALL)}
    names = {states: f"lb-case{name}" for states, name in cases.items()}
    uids: dict[States, str] = {}
    for states, name in cases.items():
        # Not ours yet, so that its UID is known before anything looks at it.
        made = world.kube.create(
            ingress(name, namespace, rule(f"{name}.example.com", "web"), annotations={CLASS: "nginx"})
        )
        uids[states] = made["metadata"]["uid"]
        world.seed({"load_balancers": [lent(names[states], tags_of(states, uids[states]))]})
    before = world.load_balancers()
    world.start()
    for states, name in cases.items():
        world.kube.annotate(name, namespace, **{CLASS: "qcloud", EXISTING: names[states]})
    for states, name in cases.items():
        if may_be_served(states):
            world.ready(name, namespace)
        else:
            world.not_ready(name, namespace, "E40")
    during = world.load_balancers()
    for name in cases.values():
        world.gone(name, namespace)
    after = world.load_balancers()
    return {states: Story(uids[states], before[lb], during[lb], after.get(lb)) for states, lb in names.items()}


def tags_of(states: States, uid: str) -> dict[str, str]:
    right = {CREATED_BY: "yes", CLUSTER_ID: CLUSTER, INGRESS_UID: uid}
    wrong = {CREATED_BY: "no", CLUSTER_ID: "cls-another1", INGRESS_UID: "00000000-0000-0000-0000-000000000000"}
    return {
        key: (right if state == "right" else wrong)[key]
        for key, state in zip(right, states, strict=True)
        if state != "missing"
    }


def may_be_served(states: States) -> bool:
    """Another's cluster or Ingress is refused, and so is what TKE made for somebody else.

    Our cluster's tag without an Ingress's is refused too: another object of this cluster may use the load balancer.
    """
    created_by, cluster, uid = states
    if "wrong" in (cluster, uid):
        return False
    if created_by == "right":
        return (cluster, uid) == ("right", "right")
    return (cluster, uid) != ("right", "missing")


SERVED = [states for states in ALL if may_be_served(states)]
REFUSED = [states for states in ALL if not may_be_served(states)]


def named(states: States) -> str:
    return "createdBy {}, cluster {}, ingress {}".format(*states)


@pytest.mark.parametrize("states", [("right", "right", "right")], ids=named)
def test_1_a_load_balancer_with_the_created_by_tag_is_deleted_with_its_ingress(
    stories: dict[States, Story], states: States
) -> None:
    assert stories[states].during["id"]
    assert stories[states].after is None


@pytest.mark.parametrize("states", [states for states in SERVED if states[0] != "right"], ids=named)
def test_2_without_the_created_by_tag_only_our_listeners_go(stories: dict[States, Story], states: States) -> None:
    story = stories[states]
    assert story.after is not None
    assert ports(story.during) == [22, 80]
    assert ports(story.after) == [22]


@pytest.mark.parametrize("states", [states for states in SERVED if states[0] != "right"], ids=named)
def test_3_the_cluster_tag_is_set_while_in_use_and_taken_off_when_it_is_ours(
    stories: dict[States, Story], states: States
) -> None:
    story = stories[states]
    assert story.after is not None
    assert story.during["tags"][CLUSTER_ID] == CLUSTER
    assert CLUSTER_ID not in story.after["tags"]


@pytest.mark.parametrize("states", [states for states in SERVED if states[0] != "right"], ids=named)
def test_4_the_ingress_tag_is_set_while_in_use_and_taken_off_when_it_is_ours(
    stories: dict[States, Story], states: States
) -> None:
    story = stories[states]
    assert story.after is not None
    assert story.during["tags"][INGRESS_UID] == story.uid
    assert INGRESS_UID not in story.after["tags"]


@pytest.mark.parametrize("states", REFUSED, ids=named)
def test_5_a_load_balancer_with_the_tags_of_another_is_refused_and_nothing_changes(
    stories: dict[States, Story], states: States
) -> None:
    story = stories[states]
    assert story.during == story.before
    assert story.after == story.before


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("cluster", CLUSTER_ID, "cls-another1"),
        ("ingress", INGRESS_UID, "00000000-0000-0000-0000-000000000000"),
    ],
    ids=["3 the cluster tag", "4 the ingress tag"],
)
def test_a_tag_that_became_anothers_while_in_use_stays_with_its_load_balancer_and_the_ingress_goes(
    world: World, name: str, key: str, value: str
) -> None:
    namespace, lb_id = prepared(world, f"taken-{name}"), f"lb-taken{name}"
    uid = borrowed(world, namespace, lb_id)
    assert uses(world, lb_id, uid)
    world.console(edit="set_tags", load_balancer=lb_id, set={key: value})
    changed = world.load_balancers()[lb_id]
    world.gone("web", namespace)
    assert world.load_balancers()[lb_id] == changed
    left = world.said("web", namespace, "W1001")
    assert lb_id in left


def borrowed(world: World, namespace: str, lb_id: str, **annotations: str) -> str:
    """An Ingress `web` that is served by a lent load balancer; its UID."""
    world.seed({"load_balancers": [lent(lb_id, {"team": "lender"})]})
    named = {EXISTING: lb_id, **annotations}
    made = world.kube.create(ingress("web", namespace, rule("a.example.com", "web"), annotations=named))
    world.ready("web", namespace)
    uid: str = made["metadata"]["uid"]
    return uid


def uses(world: World, lb_id: str, uid: str) -> bool:
    """Whether a lent load balancer bears our two tags and our listener beside what is its lender's."""
    load_balancer = world.load_balancers()[lb_id]
    ours = {CLUSTER_ID: CLUSTER, INGRESS_UID: uid}
    return ports(load_balancer) == [22, 80] and load_balancer["tags"] == {"team": "lender", **ours}


# (5) - (10): one Ingress each


def test_5_the_object_hears_why_a_load_balancer_is_refused(world: World) -> None:
    namespace = prepared(world, "refused")
    world.seed({"load_balancers": [lent("lb-0000busy", {INGRESS_UID: "somebody-else", CLUSTER_ID: CLUSTER})]})
    world.kube.create(ingress("web", namespace, rule("a.example.com", "web"), annotations={EXISTING: "lb-0000busy"}))
    world.not_ready("web", namespace, "E4020")
    world.wait("an Event says it", lambda: [e for e in world.kube.events("web", namespace) if "E4020" in e])
    assert FINALIZER not in (world.kube.get("Ingress", "web", namespace)["metadata"].get("finalizers") or [])
    world.gone("web", namespace)


@pytest.mark.parametrize(
    ("name", "annotations", "spec"),
    [
        ("none", {}, {}),
        ("annotation", {CLASS: "qcloud"}, {}),
        ("field", {}, {"ingressClassName": "qcloud"}),
    ],
    ids=["6 neither annotation nor field", "7 the annotation says qcloud", "7 the field says qcloud"],
)
def test_an_ingress_of_the_class_qcloud_or_of_none_is_managed(
    world: World, name: str, annotations: dict[str, str], spec: Json
) -> None:
    namespace = prepared(world, f"managed-{name}")
    made = world.kube.create(ingress("web", namespace, rule("a.example.com", "web"), annotations=annotations, **spec))
    served = world.ready("web", namespace)
    (load_balancer,) = world.of(made["metadata"]["uid"])
    assert load_balancer["tags"][CREATED_BY] == "yes"
    assert served["status"]["loadBalancer"]["ingress"] == [{"ip": load_balancer["vip"]}]
    world.gone("web", namespace)
    assert not world.of(made["metadata"]["uid"])


@pytest.mark.parametrize(
    ("name", "annotations", "spec"),
    [("annotation", {CLASS: "nginx"}, {}), ("field", {}, {"ingressClassName": "nginx"})],
    ids=["8 the annotation says nginx", "8 the field says nginx"],
)
def test_8_an_ingress_of_another_class_is_not_managed(
    world: World, name: str, annotations: dict[str, str], spec: Json
) -> None:
    namespace = prepared(world, f"other-{name}")
    other = world.kube.create(ingress("web", namespace, rule("a.example.com", "web"), annotations=annotations, **spec))
    world.kube.create(ingress("witness", namespace, rule("b.example.com", "web")))
    world.ready("witness", namespace)
    now = world.kube.get("Ingress", "web", namespace)
    assert now["metadata"]["resourceVersion"] == other["metadata"]["resourceVersion"]
    assert not world.of(other["metadata"]["uid"])
    world.gone("witness", namespace)


def test_9_and_10_editing_the_class_out_releases_and_editing_it_in_creates(world: World) -> None:
    namespace = prepared(world, "moving")
    made = world.kube.create(ingress("web", namespace, rule("a.example.com", "web"), annotations={CLASS: "qcloud"}))
    uid = made["metadata"]["uid"]
    world.ready("web", namespace)
    (first,) = world.of(uid)
    world.kube.annotate("web", namespace, **{CLASS: "nginx"})
    world.wait("it is released", lambda: not world.of(uid))
    world.wait(
        "our finalizer is off",
        lambda: FINALIZER not in (world.kube.get("Ingress", "web", namespace)["metadata"].get("finalizers") or []),
    )
    assert not world.kube.get("Ingress", "web", namespace).get("status", {}).get("loadBalancer", {}).get("ingress")
    world.kube.annotate("web", namespace, **{CLASS: "qcloud"})
    world.ready("web", namespace)
    (second,) = world.of(uid)
    assert second["id"] != first["id"]
    world.gone("web", namespace)


def test_9_editing_the_class_out_gives_a_lent_load_balancer_back_without_any_ingress_class(world: World) -> None:
    assert not world.kube.all("IngressClass")
    namespace, lb_id = prepared(world, "giving"), "lb-giving01"
    uid = borrowed(world, namespace, lb_id, **{CLASS: "qcloud"})
    assert uses(world, lb_id, uid)
    lenders = [listener for listener in world.load_balancers()[lb_id]["listeners"] if listener["port"] == 22]
    world.kube.annotate("web", namespace, **{CLASS: "nginx"})
    world.wait(
        "our finalizer is off",
        lambda: FINALIZER not in (world.kube.get("Ingress", "web", namespace)["metadata"].get("finalizers") or []),
    )
    given_back = world.load_balancers()[lb_id]
    assert given_back["listeners"] == lenders
    assert given_back["tags"] == {"team": "lender"}
    assert not world.kube.get("Ingress", "web", namespace).get("status", {}).get("loadBalancer", {}).get("ingress")
    world.gone("web", namespace)
    assert world.load_balancers()[lb_id] == given_back


def test_11_switched_off_nothing_changes_and_switched_on_all_that_was_asked_for_is_done(world: World) -> None:
    namespace = prepared(world, "switched")
    edited = world.kube.create(ingress("edited", namespace, rule("b.example.com", "web")))["metadata"]["uid"]
    world.ready("edited", namespace)
    made = world.kube.create(ingress("web", namespace, rule("a.example.com", "web")))
    uid = made["metadata"]["uid"]
    world.ready("web", namespace)
    assert world.controller is not None
    assert world.controller.terminate() == 0
    before = world.load_balancers()
    world.kube.delete("Ingress", "web", namespace)
    held = world.kube.get("Ingress", "web", namespace)
    assert held["metadata"]["deletionTimestamp"]
    created = world.kube.create(ingress("created", namespace, rule("c.example.com", "web")))["metadata"]["uid"]
    world.kube.patch("Ingress", "edited", namespace, {"spec": {"rules": [rule("d.example.com", "web")]}})
    assert world.load_balancers() == before
    world.start()
    world.wait("the deletion ends", lambda: not world.kube.find("Ingress", "web", namespace))
    assert not world.of(uid)
    world.ready("created", namespace)
    assert hosts(world, created) == ["c.example.com/"]
    world.wait("the edit is done", lambda: hosts(world, edited) == ["d.example.com/"])
    world.gone("created", namespace)
    world.gone("edited", namespace)


def hosts(world: World, uid: str) -> list[str]:
    """`host/path` of what this Ingress's load balancer serves on port 80."""
    (load_balancer,) = world.of(uid)
    return sorted(tree(load_balancer)["HTTP:80"])
