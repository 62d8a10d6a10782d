"""Pairs of worlds for the property tests: small alphabets, so that they meet often."""

from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from l7lb.model.identity import ListenerKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    HostSpec,
    ListenerSpec,
    ObservedLoadBalancer,
    Presence,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.ownership import Claim, Ownership
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import LENT_TAGS, OUR_TAGS, certificate, claim, head, observed, there

HOSTS = ("", "a.example.com", "b.example.com", "*.example.com")
PATHS = ("/", "/api", "=/api")
LISTENERS = ("HTTP:80", "HTTPS:443", "HTTP:443", "HTTP:8080")
FOREIGN = (ListenerKey("TCP", 8080), ListenerKey("HTTP", 80), ListenerKey("HTTPS", 8443))

certificates = st.sampled_from([certificate("one"), certificate("two"), certificate("rsa+ecc/ca")])
limits = st.builds(
    Limits, rules_per_listener=st.sampled_from([2, 5, 50]), targets_per_rule=st.sampled_from([2, 3, 100]),
    rules_per_call=st.sampled_from([1, 3, 50]),
)  # fmt: skip


def _pool() -> list[tuple[Target, ...]]:
    """Sets of targets made once: drawing each target by itself would cost most of the run."""
    dice = Random("targets")
    presences = (Presence.REQUIRED, Presence.REQUIRED, Presence.TOLERATED, Presence.GONE)
    weights: tuple[Maybe[int], ...] = (UNSET, 0, 10, 20)
    return [
        tuple(
            Target(
                TargetKey(f"10.0.0.{n}", 80),
                dice.choice((None, "ins-1", "ins-2")),
                dice.choice(weights),
                presence,
                steady=dice.random() < 0.1,
            )
            for n in range(6)
            if dice.random() < share
            for presence in dice.choices(presences)
        )
        for share in (0, 0.2, 0.5, 0.5, 0.5, 0.9)
        for _ in range(20)
    ]


targets = st.sampled_from(_pool())
schedulers: st.SearchStrategy[Maybe[str]] = st.sampled_from((UNSET, "WRR", "IP_HASH"))
names: st.SearchStrategy[Maybe[str]] = st.sampled_from((UNSET, UNSET, "mine"))
switches: st.SearchStrategy[Maybe[bool]] = st.sampled_from((UNSET, True, False))
on_or_unset: st.SearchStrategy[Maybe[bool]] = st.sampled_from((UNSET, True))
groups: st.SearchStrategy[Maybe[frozenset[str]]] = st.sampled_from((UNSET, frozenset({"sg-1"})))
paths = st.sampled_from([("/",), ("/api",), ("=/api",), ("/", "=/api"), ("/api", "=/api"), PATHS])


@st.composite
def listener_specs(draw: st.DrawFn, text: str) -> ListenerSpec:
    key = ListenerKey.parse(text)
    https = key.protocol == "HTTPS"
    hosts = draw(st.lists(st.sampled_from(HOSTS), unique=True, min_size=1, max_size=3))
    default = draw(st.sampled_from([None, None, *hosts]))
    rules = []
    for name in hosts:
        for path in draw(paths):
            bound = draw(targets)
            known = draw(st.sampled_from([True, True, False]))
            scheduler = draw(schedulers)
            rules.append(RuleSpec(RuleKey(name, path), bound, targets_known=known, scheduler=scheduler))
    return ListenerSpec(
        key,
        name=draw(names),
        hosts=tuple(
            HostSpec(
                name,
                certificate=draw(certificates) if https else None,
                http2=draw(on_or_unset) if https else UNSET,
                default=True if name == default else UNSET,
            )
            for name in hosts
        ),
        rules=tuple(rules),
    )


@st.composite
def desires(draw: st.DrawFn) -> DesiredLoadBalancer:
    keys = draw(st.lists(st.sampled_from(LISTENERS), unique_by=lambda text: text.split(":")[1], max_size=3))
    return DesiredLoadBalancer(
        listeners=tuple(draw(listener_specs(key)) for key in keys),
        security_groups=draw(groups),
        pass_to_target=draw(switches),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[ObservedLoadBalancer, Claim]:
    """An observed load balancer, some listeners of which are ours."""
    ownership = draw(st.sampled_from([Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED]))
    ours = draw(desires()).listeners
    taken = {spec.key.port for spec in ours}
    others = [ListenerSpec(key, name="theirs") for key in FOREIGN if key.port not in taken and draw(st.booleans())]
    tags = LENT_TAGS if ownership is Ownership.ADOPTED else OUR_TAGS
    listeners = [there(_sni(spec)) for spec in (*ours, *others)]
    removable = tuple(tags) if ownership is not Ownership.CREATED else ()
    of = claim(ownership, *(str(spec.key) for spec in ours), native=draw(st.booleans()))
    return observed(*listeners, on=head(tags=tags)), replace(of, removable_tags=removable)


def _sni(spec: ListenerSpec) -> ListenerSpec:
    differ = len({host.certificate for host in spec.hosts}) > 1
    return replace(spec, sni=differ, certificate=spec.hosts[0].certificate if spec.hosts and not differ else UNSET)


listener_keys = st.sampled_from(LISTENERS).map(ListenerKey.parse)
rule_refs = st.builds(RuleRef, listener_keys, st.builds(RuleKey, st.sampled_from(HOSTS), st.sampled_from(PATHS)))
helds = st.builds(
    Held,
    everything=st.sampled_from([False, False, False, True]),
    listeners=st.frozensets(listener_keys, max_size=1),
    hosts=st.frozensets(st.tuples(listener_keys, st.sampled_from(HOSTS)), max_size=2),
    rules=st.frozensets(rule_refs, max_size=3),
)
