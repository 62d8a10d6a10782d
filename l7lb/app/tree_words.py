"""The words of `l7lb tree`: load balancers as trees, for people and for programs. Decides nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from l7lb.app.showing import as_document, bold, counted, faint, plain, tinted
from l7lb.app.sketching import Sketch
from l7lb.model.branches import HostView, ListenerView, Mark, Part, RuleView, TargetView
from l7lb.model.cloud import Health
from l7lb.model.portrait import Member, Tree

MARKS: Final = {
    Mark.OK: "green",
    Mark.WARNING: "yellow",
    Mark.WAITING: "cyan",
    Mark.UNKNOWN: "magenta",
    Mark.BAD: "red",
}
PARTS: Final = {
    Part.THERE: "",
    Part.MISSING: "not there yet",
    Part.SURPLUS: "will go",
    Part.OTHERS: "not ours",
    Part.UNSEEN: "not seen",
}
HEALTHS: Final = {
    Health.ALIVE: ("healthy", "green"),
    Health.DEAD: ("unhealthy", "red"),
    Health.UNKNOWN: ("probing", "cyan"),
    Health.UNCHECKED: ("not checked", "white"),
}
TARGETS_MAX: Final = 8
"""So many targets of a rule are listed unless all are asked for; sick ones first."""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of a tree and what hangs below it."""

    text: str
    """Plain, or coloured already."""
    below: tuple["Node", ...] = ()


def tree_text(sketch: Sketch, *, full: bool = False, width: int | None = None) -> str:
    """`width`: lines are cut there; None: never."""
    lines = list(unanswered_lines(sketch.unanswered))
    for tree in sketch.trees:
        lines += [*tree_lines(tree, full=full), ""]
    for ref, why in sketch.unread.items():
        lines.append(f"{bold(ref)}  {tinted(f'could not be read: {why}', 'red')}")
        lines += [f"  {plain(f'Ingress {one.key}')}  {_stands(one)}" for one in sketch.known.get(ref, ())]
    for member in sketch.without:
        lines.append(f"{bold(f'Ingress {member.key}')}  {_stands(member)}  {faint('no load balancer yet')}")
    counts = [counted(len(sketch.trees), "load balancer"), counted(len(sketch.without), "Ingress", "es") + " without"]
    lines.append(", ".join(counts[: 2 if sketch.without else 1]))
    return "\n".join(_cut(line, width) for line in lines) + "\n"


def tree_json(sketch: Sketch) -> str:
    """One object: load balancers with all that hangs below, Ingresses without one, and what could not be read."""
    return as_document(
        {
            "loadBalancers": [tree_value(tree) for tree in sketch.trees],
            "ingressesWithout": [_member_value(one) for one in sketch.without],
            "notRead": {str(ref): why for ref, why in sketch.unread.items()},
            "ingressesOfNotRead": {
                str(ref): [_member_value(one) for one in many] for ref, many in sketch.known.items()
            },
            "regionsWithoutAnswer": dict(sketch.unanswered),
        }
    )


def unanswered_lines(regions: Mapping[str, str]) -> Iterator[str]:
    """Which regions of the cloud did not answer, and what that means for what follows."""
    for region, why in regions.items():
        yield tinted(f"the cloud did not answer for {region}: {why}", "red")
    if regions:
        yield faint("What follows of them is what the cluster knows: records and conditions.")
        yield ""


def _member_value(one: Member) -> dict[str, object]:
    return {"ingress": str(one.key), "mark": one.mark.value, "says": one.says}


def tree_value(tree: Tree) -> dict[str, object]:
    """For JSON."""
    one = tree.balancer
    return {
        "region": one.ref.region,
        "id": one.ref.id,
        "name": one.name,
        "addresses": list(one.addresses),
        "claim": one.claim,
        "ownership": tree.ownership,
        "mark": one.mark.value,
        "ingresses": [str(key) for key in one.owners],
        "healthUnknownBecause": tree.unchecked,
        "listeners": [_listener_value(listener) for listener in tree.listeners],
    }


def listener_nodes(listeners: Iterable[ListenerView], *, full: bool) -> tuple[Node, ...]:
    """The branches below a load balancer."""
    return tuple(_listener(one, full=full) for one in listeners)


def lines_of(nodes: Sequence[Node], lead: str = "") -> Iterator[str]:
    """With guides that show what hangs where."""
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        yield f"{lead}{faint('└─ ' if last else '├─ ')}{node.text}"
        yield from lines_of(node.below, lead + ("   " if last else faint("│  ")))


def tree_lines(tree: Tree, *, full: bool) -> Iterator[str]:
    """One load balancer: its head, what is wrong, and its branches."""
    one = tree.balancer
    address = ", ".join(one.addresses) or "no address"
    yield f"{bold(one.ref)}  {plain(one.name)}  {plain(address)}  {tinted(one.claim or 'no claim', MARKS[one.mark])}"
    if tree.ownership:
        yield faint(f"  {tree.ownership}")
    if one.owners:
        yield f"  {plain('Ingress ' + ', '.join(map(str, one.owners)))}"
    yield from (
        tinted(f"  ! {trouble.about}: {_coded(trouble.code, trouble.message)}", "yellow") for trouble in one.troubles
    )
    if tree.unchecked:
        yield tinted(f"  health is not known: {tree.unchecked}", "yellow")
    yield from lines_of(listener_nodes(tree.listeners, full=full))


def _coded(code: str, message: str) -> str:
    return f"{code}: {message}" if code else message


def _stands(member: Member) -> str:
    return tinted(member.says, MARKS[member.mark])


def _listener(one: ListenerView, *, full: bool) -> Node:
    name = f"  {faint(one.name)}" if one.name else ""
    return Node(f"{bold(one.key)}{name}{_part(one.part)}", tuple(_host(host, full=full) for host in one.hosts))


def _host(one: HostView, *, full: bool) -> Node:
    shown = f"  {faint('certificate ' + one.certificate)}" if one.certificate else ""
    return Node(f"{plain(one.host or '(no host)')}{shown}", tuple(_rule(rule, full=full) for rule in one.rules))


def _rule(one: RuleView, *, full: bool) -> Node:
    words = [plain(one.path)]
    words += [faint(f"-> {one.redirect}")] if one.redirect else [plain(one.backend)] if one.backend else []
    if not one.redirect and one.part is not Part.MISSING:
        words.append(_summary(one.targets))
    if one.held:
        words.append(tinted("held", "yellow"))
    return Node("  ".join(words) + _part(one.part), tuple(_targets(one.targets, full=full)))


def _summary(targets: Sequence[TargetView]) -> str:
    if not targets:
        return tinted("no targets", "red")
    bound = [one for one in targets if one.part in (Part.THERE, Part.SURPLUS)]
    known = [one for one in bound if one.health is not None]
    if not known:
        return counted(len(bound), "target")
    well = sum(one.health in (Health.ALIVE, Health.UNCHECKED) for one in known)
    colour = "green" if well == len(known) else "red" if well == 0 else "yellow"
    return tinted(f"{well}/{len(bound)} healthy", colour)


def _targets(targets: Sequence[TargetView], *, full: bool) -> Iterator[Node]:
    order = sorted(targets, key=lambda one: (one.mark in (Mark.OK, Mark.UNKNOWN), one.key))
    shown = order if full else order[:TARGETS_MAX]
    yield from (Node(_target(one)) for one in shown)
    if len(shown) < len(order):
        yield Node(faint(f"and {len(order) - len(shown)} more; --full lists them"))


def _target(one: TargetView) -> str:
    words = [plain(one.key)]
    if one.health is not None:
        word, colour = HEALTHS[one.health]
        words.append(tinted(word, colour))
    words += [f"weight {one.weight}"] if one.weight is not None else []
    words += [plain(name) for name in (one.name, one.instance) if name]
    return "  ".join(words) + _part(one.part)


def _part(part: Part) -> str:
    return f"  {tinted(PARTS[part], 'cyan')}" if PARTS[part] else ""


def _cut(line: str, width: int | None) -> str:
    """Never wider than a terminal, so that guides stay in their columns; colour ends where the text does."""
    bare = click.unstyle(line)
    if width is None or len(bare) <= width:
        return line
    kept, seen, position = [], 0, 0
    while position < len(line) and seen < width - 1:
        if line[position] == "\x1b":
            end = line.index("m", position) + 1
            kept.append(line[position:end])
            position = end
            continue
        kept.append(line[position])
        seen, position = seen + 1, position + 1
    return "".join(kept) + ("\x1b[0m" if bare != line else "") + "…"


def _listener_value(one: ListenerView) -> dict[str, object]:
    return {
        "listener": str(one.key),
        "part": one.part.value,
        "id": one.id,
        "name": one.name,
        "hosts": [
            {"host": host.host, "certificate": host.certificate, "rules": [_rule_value(rule) for rule in host.rules]}
            for host in one.hosts
        ],
    }


def _rule_value(one: RuleView) -> dict[str, object]:
    return {
        "path": one.path,
        "part": one.part.value,
        "id": one.id,
        "ingress": str(one.owner) if one.owner is not None else "",
        "backend": one.backend,
        "redirect": one.redirect,
        "held": one.held,
        "targets": [
            {
                "address": target.key.address,
                "port": target.key.port,
                "part": target.part.value,
                "weight": target.weight,
                "health": target.health.value if target.health is not None else "",
                "name": target.name,
                "instance": target.instance,
            }
            for target in one.targets
        ],
    }
