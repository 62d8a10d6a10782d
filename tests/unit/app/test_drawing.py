"""The tree of a load balancer: what is asked for over what is there."""

from dataclasses import replace

from l7lb.app.drawing import Asked, Sight, branches
from l7lb.model.branches import ListenerView, Mark, Part, RuleView
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.cluster import (
    Backend,
    HttpPath,
    HttpRule,
    Ingress,
    IngressRule,
    IngressSpec,
    ObjectMeta,
    ServiceBackend,
    ServicePortRef,
)
from l7lb.model.identity import ListenerKey, ObjectKey
from l7lb.model.loadbalancer import ListenerSpec, ObservedLoadBalancer, TargetKey
from l7lb.model.ownership import Ownership
from l7lb.model.problems import Held
from l7lb.model.snapshot import Translation
from tests.builders import claim, desired, listener, listener_id, location_id, observed, redirect, ref, rule, there

WEB = ObjectKey("shop", "web")


def asked(*listeners: ListenerSpec, held: Held | None = None, redirects: tuple[str, ...] = ()) -> Asked:
    path = HttpPath(
        path="/",
        path_type="Exact",
        backend=Backend(service=ServiceBackend(name="web", port=ServicePortRef(number=80))),
    )
    spec = IngressSpec(rules=(IngressRule(host="a.example.com", http=HttpRule(paths=(path,))),))
    wish = desired(*listeners, **({"redirects": tuple(map(redirect, redirects))} if redirects else {}))
    ingress = Ingress(metadata=ObjectMeta(name="web", namespace="shop", uid="uid-1"), spec=spec)
    return Asked(ingress, None, Translation(wish, held or Held()))


def rules(views: tuple[ListenerView, ...]) -> dict[str, RuleView]:
    return {f"{one.key} {host.host}{item.path}": item for one in views for host in one.hosts for item in host.rules}


def parts(views: tuple[ListenerView, ...]) -> dict[str, Part]:
    return {name: one.part for name, one in rules(views).items()}


def drawn(
    wish: Asked, seen: ObservedLoadBalancer | None, ours: str = "HTTP:80", strangers: str = ""
) -> tuple[ListenerView, ...]:
    held = claim(Ownership.CREATED, *ours.split())
    if strangers:
        held = replace(held, strangers=frozenset({ref("HTTP:80", strangers)}))
    return branches(Sight((wish,), seen, held if seen is not None else None))


def test_each_rule_says_whether_it_is_there_asked_for_and_ours() -> None:
    wish = asked(listener("HTTP:80", rule("a.example.com/"), rule("new.example.com/")))
    seen = observed(
        listener("HTTP:80", rule("a.example.com/"), rule("old.example.com/"), rule("guest.example.com/")),
        listener("HTTP:8080", rule("lender.example.com/")),
    )
    assert parts(drawn(wish, seen, strangers="guest.example.com/")) == {
        "HTTP:80 a.example.com/": Part.THERE,
        "HTTP:80 guest.example.com/": Part.OTHERS,
        "HTTP:80 new.example.com/": Part.MISSING,
        "HTTP:80 old.example.com/": Part.SURPLUS,
        "HTTP:8080 lender.example.com/": Part.OTHERS,
    }


def test_nothing_is_said_to_be_missing_where_nobody_has_looked() -> None:
    views = drawn(asked(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:30080"))), None)
    assert [one.part for one in views] == [Part.UNSEEN]
    assert parts(views) == {"HTTP:80 a.example.com/": Part.UNSEEN}
    (target,) = rules(views)["HTTP:80 a.example.com/"].targets
    assert (target.part, target.mark) == (Part.UNSEEN, Mark.UNKNOWN)


def test_while_all_is_held_nothing_is_called_surplus() -> None:
    wish = asked(listener("HTTP:80", rule("a.example.com/")), held=Held(everything=True))
    seen = observed(listener("HTTP:80", rule("a.example.com/"), rule("old.example.com/")))
    found = rules(drawn(wish, seen))
    assert found["HTTP:80 old.example.com/"].part is Part.OTHERS
    assert found["HTTP:80 a.example.com/"].held


def test_a_rule_that_is_held_because_of_a_mistake_stays_what_its_author_has_written() -> None:
    held = Held(rules=frozenset({ref("HTTP:80", "a.example.com=/")}))
    seen = observed(listener("HTTP:80", rule("a.example.com=/", "10.0.0.1:1")))
    view = rules(drawn(asked(listener("HTTP:80"), held=held), seen))["HTTP:80 a.example.com=/"]
    assert (view.part, view.held, view.owner, view.backend) == (Part.THERE, True, WEB, "web:80")
    assert [one.part for one in view.targets] == [Part.THERE]


def test_a_rule_names_its_ingress_and_the_service_behind_it() -> None:
    wish = asked(listener("HTTP:80", rule("a.example.com=/")))
    found = rules(drawn(wish, observed(listener("HTTP:80", rule("a.example.com=/")))))
    view = found["HTTP:80 a.example.com=/"]
    assert (view.owner, view.backend, view.id) == (WEB, "web:80", location_id(ref("HTTP:80", "a.example.com=/")))


def test_targets_show_what_is_bound_what_is_to_come_and_what_goes() -> None:
    wish = asked(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:30080", "10.0.0.3:30080", "10.0.0.4:1 gone")))
    seen = observed(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:30080", "10.0.0.2:30080", "10.0.0.4:1")))
    (view,) = rules(drawn(wish, seen)).values()
    assert {str(one.key): one.part for one in view.targets} == {
        "10.0.0.1:30080": Part.THERE,
        "10.0.0.2:30080": Part.SURPLUS,
        "10.0.0.3:30080": Part.MISSING,
        "10.0.0.4:1": Part.SURPLUS,
    }


def test_targets_that_are_not_known_are_left_as_they_are() -> None:
    wish = asked(listener("HTTP:80", rule("a.example.com/", known=False)))
    seen = observed(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:30080")))
    (view,) = rules(drawn(wish, seen)).values()
    assert [one.part for one in view.targets] == [Part.THERE]


def test_health_and_weight_are_those_that_the_cloud_says_now() -> None:
    seen = observed(listener("HTTP:80", rule("a.example.com/", "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1 weight=0")))
    said = tuple(
        TargetHealth(TargetKey(address, 1), health, weight)
        for address, health, weight in (
            ("10.0.0.1", Health.DEAD, 7),
            ("10.0.0.2", Health.ALIVE, None),
            ("10.0.0.3", Health.DEAD, 0),
        )
    )
    place = listener_id(ListenerKey.parse("HTTP:80")), location_id(ref("HTTP:80", "a.example.com/"))
    sight = Sight(
        (asked(listener("HTTP:80", rule("a.example.com/", known=False))),),
        seen,
        claim(Ownership.CREATED, "HTTP:80"),
        {place: said},
        {"10.0.0.1": "node-a"}.get,  # type: ignore[arg-type]  # of a dict, and it is asked for text only
    )
    (view,) = rules(branches(sight)).values()
    assert [(one.mark, one.weight, one.name) for one in view.targets] == [
        (Mark.BAD, 7, "node-a"), (Mark.OK, 10, None), (Mark.WARNING, 0, None),
    ]  # fmt: skip


def test_a_redirect_says_where_it_leads() -> None:
    wish = asked(
        listener("HTTPS:443", rule("a.example.com/")), redirects=("HTTP:80 a.example.com/ -> HTTPS:443 a.example.com/",)
    )
    unseen = rules(drawn(wish, None))
    assert unseen["HTTP:80 a.example.com/"].redirect == "302 to HTTPS:443 a.example.com/"
    http = there(listener("HTTP:80", rule("a.example.com/")), {"a.example.com/": "HTTPS:443 a.example.com/ 301"})
    seen = observed(http, listener("HTTPS:443", rule("a.example.com/"), shown="cert"))
    found = rules(drawn(wish, seen, ours="HTTP:80 HTTPS:443"))
    assert found["HTTP:80 a.example.com/"].redirect == "301 to HTTPS:443 a.example.com/"


def test_a_host_shows_the_certificate_that_its_clients_see() -> None:
    seen = observed(listener("HTTPS:443", rule("a.example.com/"), shown="rsa+ecc/ca"))
    (view,) = drawn(asked(listener("HTTPS:443", rule("a.example.com/"))), seen, ours="HTTPS:443")
    assert [host.certificate for host in view.hosts] == ["ecc + rsa, client CA ca"]
