"""Which load balancers and Ingresses a word means, and what is said of one that means none."""

import pytest

from l7lb.app.sketching import Users, chosen
from l7lb.errors import ConfigurationError
from l7lb.model.cluster import (
    Ingress,
    IngressAddress,
    IngressLoadBalancer,
    IngressRule,
    IngressSpec,
    IngressStatus,
    ObjectMeta,
)
from l7lb.model.identity import CloudRef, LoadBalancerId
from tests.builders import head


def ingress(namespace: str, name: str, host: str, address: str = "") -> Ingress:
    status = IngressStatus(load_balancer=IngressLoadBalancer(ingress=(IngressAddress(ip=address),)))
    return Ingress(
        metadata=ObjectMeta(name=name, namespace=namespace),
        spec=IngressSpec(rules=(IngressRule(host=host),)),
        status=status if address else None,
    )


ONE, TWO = (CloudRef("ap-guangzhou", LoadBalancerId(name)) for name in ("lb-1", "lb-2"))
WEB, API = ingress("shop", "web", "shop.example.com", "203.0.113.1"), ingress("shop", "api", "api.example.com")
BLOG, NEW = ingress("blog", "web", "blog.example.com"), ingress("shop", "new", "new.example.com")
USERS = Users({ONE: (WEB, API), TWO: (BLOG,)}, (NEW,))


@pytest.mark.parametrize(
    ("word", "refs", "without"),
    [
        ("", [ONE, TWO], [NEW]),
        ("shop/web", [ONE], []),
        ("web", [ONE, TWO], []),
        ("api.example.com", [ONE], []),
        ("203.0.113.1", [ONE], []),
        ("lb-2", [TWO], []),
        ("ap-guangzhou/lb-2", [TWO], []),
        ("shop/new", [], [NEW]),
    ],
)
def test_a_word_means_what_bears_it(word: str, refs: list[CloudRef], without: list[Ingress]) -> None:
    found = chosen(USERS, word)
    assert (list(found.by_ref), list(found.without)) == (refs, without)


def test_a_load_balancer_that_nobody_uses_is_meant_by_its_id_only() -> None:
    free = head("lb-3", {})
    assert list(chosen(USERS, "lb-3", (free,)).by_ref.values()) == [()]
    assert free.ref not in chosen(USERS, "", (free,)).by_ref


@pytest.mark.parametrize(
    ("word", "meant"), [("shop/wbe", "shop/web"), ("api.exmaple.com", "api.example.com"), ("lb-22", "lb-2")]
)
def test_a_word_that_means_nothing_is_answered_with_what_is_like_it(word: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match="did you mean") as refusal:
        chosen(USERS, word)
    assert meant in str(refusal.value)


def test_a_word_like_nothing_is_answered_without_a_guess() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        chosen(USERS, "??????")
    assert "did you mean" not in str(refusal.value)
