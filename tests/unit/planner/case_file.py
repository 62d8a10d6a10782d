"""Reads the golden cases: two worlds written in TOML, and the lines of the plan that must come of them.

A listener is `"HTTP:80" = { rules = { "a.example.com/" = ["10.0.0.1:80"] } }`; a rule may be a table with `targets`,
`known`, `scheduler` and `check`. Without `observed` the load balancer is created. `redirects` of a case are those that
an annotation asks for (`HTTP:80 a.example.com/ -> HTTPS:443 a.example.com/ 301 mirrored`); those of an observed
listener are there (`"a.example.com/" = "HTTPS:443 a.example.com/ 301 auto"`).
"""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from l7lb import ledger
from l7lb.model.identity import ListenerKey
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    HealthCheck,
    ListenerSpec,
    ObservedListener,
    ObservedLoadBalancer,
    RuleSpec,
)
from l7lb.model.maybe import UNSET
from l7lb.model.ownership import Claim, Ownership, Stamp
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests import builders

FOLDER = Path(__file__).parent / "cases"
STAMP = Stamp(ledger.stamp(builders.OWNER), ledger.client_token(builders.OWNER, 0))
ATTRIBUTES = ("pass_to_target", "delete_protection")


@dataclass(frozen=True)
class Case:
    """One golden case."""

    name: str
    desired: DesiredLoadBalancer
    observed: ObservedLoadBalancer | None
    claim: Claim
    held: Held
    limits: Limits
    steps: tuple[str, ...]
    notes: tuple[str, ...]


def load() -> list[Case]:
    """All cases of all files, in a stable order."""
    files = sorted(FOLDER.glob("*.toml"))
    return [_case(table) for file in files for table in tomllib.loads(file.read_text())["case"]]


def _case(table: dict[str, Any]) -> Case:
    observed = _observed(table) if "observed" in table else None
    return Case(
        name=table["name"],
        desired=_desired(table),
        observed=observed,
        claim=_claim(table, observed) if observed is not None else ledger.to_create(builders.OWNER),
        held=_held(table.get("held", {})),
        limits=replace(Limits(), **table.get("limits", {})),
        steps=tuple(table["steps"]),
        notes=tuple(table.get("notes", ())),
    )


def _desired(table: dict[str, Any]) -> DesiredLoadBalancer:
    said = table.get("attributes", {})
    listeners = tuple(_listener(key, value) for key, value in table.get("desired", {}).items())
    attributes = {name: said[name] for name in ATTRIBUTES if name in said}
    if "security_groups" in said:
        attributes["security_groups"] = frozenset(said["security_groups"])
    if "redirects" in table:
        attributes["redirects"] = tuple(
            sorted(map(builders.redirect, table["redirects"]), key=lambda spec: spec.source)
        )
    return builders.desired(*listeners, **attributes)


def _observed(table: dict[str, Any]) -> ObservedLoadBalancer:
    said = table.get("head", {})
    tags = {"created": builders.OUR_TAGS, "kept": builders.OUR_TAGS, "adopted": builders.LENT_TAGS}
    head = builders.head(
        tags=tags.get(table.get("claim", "created"), {}),
        security_groups=said.get("security_groups", ()),
        **{name: said[name] for name in ATTRIBUTES if name in said},
    )
    listeners = [_there(key, value) for key, value in table["observed"].items()]
    return builders.observed(*listeners, on=head)


def _claim(table: dict[str, Any], observed: ObservedLoadBalancer) -> Claim:
    ours = table.get("ours", [str(i.spec.key) for i in observed.listeners if i.spec.name == "TKE-DEDICATED-LISTENER"])
    made = builders.claim(Ownership(table.get("claim", "created")), *ours, native=table.get("native", True))
    missing = tuple(builders.LENT_TAGS.items()) if made.ownership is Ownership.TO_ADOPT else ()
    return replace(made, missing_tags=missing, untouched=table.get("untouched", False))


def _there(key: str, value: dict[str, Any]) -> ObservedListener:
    return builders.there(_listener(key, value), value.get("redirects"))


def _listener(key: str, value: dict[str, Any]) -> ListenerSpec:
    hosts = [
        builders.host(name, said.get("shown"), default=said.get("default", UNSET), http2=said.get("http2", UNSET))
        for name, said in value.get("hosts", {}).items()
    ]
    return builders.listener(
        key,
        *(_rule(name, said) for name, said in value.get("rules", {}).items()),
        hosts=hosts,
        shown=value.get("shown"),
        name=value.get("name", UNSET),
        sni=value.get("sni", UNSET),
        keepalive=value.get("keepalive", UNSET),
    )


def _rule(name: str, said: Any) -> RuleSpec:
    if isinstance(said, list):
        return builders.rule(name, *said)
    return builders.rule(
        name,
        *said.get("targets", ()),
        known=said.get("known", True),
        scheduler=said.get("scheduler", UNSET),
        check=HealthCheck(**said.get("check", {})),
    )


def _held(said: dict[str, Any]) -> Held:
    hosts = (text.partition(" ") for text in said.get("hosts", ()))
    return Held(
        everything=said.get("everything", False),
        listeners=frozenset(map(ListenerKey.parse, said.get("listeners", ()))),
        hosts=frozenset((ListenerKey.parse(key), host) for key, _, host in hosts),
        rules=frozenset(builders.ref(*text.split(" ", 1)) for text in said.get("rules", ())),
    )
