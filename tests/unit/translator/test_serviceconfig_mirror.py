"""The object that is kept in step: what it shows is what is there, what its author says stays, entries follow rules."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from l7lb import translator
from l7lb.model.cluster import ObjectMeta, TkeServiceConfig
from l7lb.model.identity import ListenerKey, RuleKey
from l7lb.model.loadbalancer import HealthCheck, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.maybe import over
from l7lb.translator.notebook import HTTP, HTTPS, Notebook
from l7lb.translator.serviceconfig import decorate

from .builders import SPACE, ingress

NAME = "storefront-auto-ingress-config"

checks = st.builds(
    HealthCheck,
    enabled=st.booleans(),
    timeout_s=st.integers(2, 5),
    interval_s=st.integers(5, 300),
    healthy_num=st.integers(2, 10),
    unhealthy_num=st.integers(2, 10),
    http_code=st.integers(1, 31),
    path=st.sampled_from(["/", "/x"]),
    host=st.sampled_from(["", "a.example.com"]),
    method=st.sampled_from(["HEAD", "GET"]),
    check_type=st.sampled_from(["HTTP", "TCP", "PING"]),
    source_ip_type=st.sampled_from([0, 1]),
    port=st.sampled_from([0, 81]),
)
keys = st.builds(RuleKey, st.sampled_from(["", "a.example.com", "*.example.com"]), st.sampled_from(["/", "/p", "=/p"]))


@st.composite
def rules(draw: st.DrawFn) -> tuple[RuleSpec, ...]:
    return tuple(
        RuleSpec(
            key,
            health_check=draw(checks),
            scheduler=draw(st.sampled_from(["WRR", "LEAST_CONN", "IP_HASH"])),
            session_s=draw(st.sampled_from([0, 30, 86400])),
            forward_type=draw(st.sampled_from(["HTTP", "TRPC"])),
        )
        for key in draw(st.lists(keys, unique=True, max_size=4))
    )


def listener(key: ListenerKey, made: tuple[RuleSpec, ...]) -> ListenerSpec:
    hosts = dict.fromkeys(rule.key.host for rule in made)
    first = next(iter(hosts), None)
    return ListenerSpec(key, keepalive=True, hosts=tuple(HostSpec(h, default=h == first) for h in hosts), rules=made)


def wanted(spec: ListenerSpec) -> ListenerSpec:
    hosts = tuple(HostSpec(host.host) for host in spec.hosts)
    return ListenerSpec(spec.key, hosts=hosts, rules=tuple(RuleSpec(rule.key) for rule in spec.rules))


def written(spec: object) -> TkeServiceConfig:
    raw = msgspec.Raw(msgspec.json.encode(spec))
    return TkeServiceConfig(metadata=ObjectMeta(name=NAME, namespace=SPACE), spec=raw)


def shown(config: TkeServiceConfig) -> list[Any]:
    found: list[Any] = msgspec.json.decode(config.spec)["loadBalancer"]["l7Listeners"]
    return found


@given(rules(), rules())
def test_what_it_shows_declares_what_is_there_and_needs_no_second_writing(
    plain: tuple[RuleSpec, ...], secure: tuple[RuleSpec, ...]
) -> None:
    there = (listener(HTTP, plain), listener(HTTPS, secure))
    desired = tuple(wanted(spec) for spec in there)
    made = translator.in_step(None, desired, there)
    assert made is not None
    config = written(made)
    assert translator.in_step(config, desired, there) is None
    notebook = Notebook(ingress())
    declared = decorate(desired, config, notebook)
    assert notebook.findings().problems == ()
    for spec, observed in zip(declared, there, strict=True):
        assert over(spec, observed).keepalive == observed.keepalive
        for rule, seen in zip(spec.rules, observed.rules, strict=True):
            assert over(rule.health_check, seen.health_check) == seen.health_check
            merged = over(rule, seen)
            assert (merged.scheduler, merged.session_s, merged.forward_type) == (
                seen.scheduler,
                seen.session_s,
                seen.forward_type,
            )


@given(rules(), rules())
def test_after_an_edit_of_the_rules_it_has_an_entry_for_each_and_none_for_others(
    before: tuple[RuleSpec, ...], after: tuple[RuleSpec, ...]
) -> None:
    old, new = listener(HTTP, before), listener(HTTP, after)
    config = written(translator.in_step(None, (wanted(old),), (old,)))
    made = translator.in_step(config, (wanted(new),), (new,))
    listeners = shown(written(made) if made is not None else config)
    found = [(d["domain"], r["url"]) for one in listeners for d in one.get("domains", ()) for r in d["rules"]]
    assert len(found) == len(set(found))
    plain = {(key.host, key.path.removeprefix("=")) for key in (rule.key for rule in after)}
    assert {(host, url.removeprefix("=")) for host, url in found} == plain


def test_what_its_author_wrote_stays_also_where_it_is_nonsense() -> None:
    spec = listener(HTTP, (RuleSpec(RuleKey("a.example.com", "/")),))
    entry = {"domain": "a.example.com", "rules": [{"url": "/"}]}
    theirs = [
        "nonsense",
        {"protocol": "UDP", "port": 53},
        {"protocol": "HTTP", "port": 80, "more": 1, "domains": [7, entry]},
    ]
    config = written({"loadBalancer": {"l7Listeners": theirs}, "other": 1})
    assert translator.in_step(config, (wanted(spec),), (spec,)) is None


def test_an_empty_listener_has_an_entry_without_hosts() -> None:
    made = translator.in_step(None, (ListenerSpec(HTTP),), (ListenerSpec(HTTP, keepalive=False),))
    assert made == {"loadBalancer": {"l7Listeners": [{"protocol": "HTTP", "port": 80, "keepaliveEnable": 0}]}}


def test_a_rule_that_tke_wrote_without_the_sign_is_shown_as_it_is() -> None:
    there = listener(HTTP, (RuleSpec(RuleKey("a.example.com", "/p"), scheduler="IP_HASH"),))
    desired = ListenerSpec(HTTP, hosts=(HostSpec("a.example.com"),), rules=(RuleSpec(RuleKey("a.example.com", "=/p")),))
    made = translator.in_step(None, (desired,), (there,))
    assert made is not None
    (rule,) = shown(written(made))[0]["domains"][0]["rules"]
    assert rule["scheduler"] == "IP_HASH"
    assert translator.in_step(written(made), (desired,), (there,)) is None
