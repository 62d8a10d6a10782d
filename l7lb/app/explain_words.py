"""The words of `l7lb explain INGRESS`, for people and for programs. Decides nothing."""

from collections.abc import Iterator
from typing import Final

from l7lb import planner
from l7lb.app.explaining import Explanation
from l7lb.app.printing import plan_lines
from l7lb.app.showing import aligned, as_document, bold, faint, plain, tinted
from l7lb.app.tree_words import MARKS, tree_lines, tree_value
from l7lb.model.branches import Mark

WORDS: Final = {
    Mark.OK: "ok",
    Mark.WARNING: "look",
    Mark.WAITING: "waits",
    Mark.UNKNOWN: "unknown",
    Mark.BAD: "broken",
}


def explanation_text(one: Explanation, *, full: bool = False) -> str:
    """The chain, what was read, what is there, what is to be done."""
    lines = [*_head(one), *_chain(one), "", bold("What was read"), *aligned(one.read, "  "), *_tree(one, full=full)]
    lines += ["", bold("What is to be done"), *_work(one, full=full)]
    return "\n".join(lines) + "\n"


def explanation_document(one: Explanation) -> str:
    """One object."""
    finding = one.finding
    return as_document(
        {
            "ingress": str(one.member.key),
            "mark": one.worst.value,
            "says": one.says,
            "loadBalancer": str(one.member.ref) if one.member.ref is not None else "",
            "checks": [
                {"name": each.name, "mark": each.mark.value, "says": each.says, "hint": each.hint}
                for each in one.checks
            ],
            "read": [{"object": what, "says": says} for what, says in one.read],
            "problems": [{"code": each.code, "message": each.message, "advice": each.advice} for each in one.troubles],
            "tree": tree_value(one.tree) if one.tree is not None else None,
            "notReadBecause": one.unread,
            "plan": finding.as_json() if finding is not None else None,
        }
    )


def _head(one: Explanation) -> Iterator[str]:
    yield f"{bold(f'Ingress {one.member.key}')}  {tinted(WORDS[one.worst], MARKS[one.worst])}: {plain(one.says)}"
    yield ""


def _chain(one: Explanation) -> Iterator[str]:
    yield bold("Why it works, or does not")
    width = max(len(each.name) for each in one.checks)
    for each in one.checks:
        yield f"  {tinted(f'{WORDS[each.mark]:<7}', MARKS[each.mark])}  {plain(each.name):<{width}}  {plain(each.says)}"
        if each.hint and each.mark is not Mark.OK:
            yield f"  {'':<7}  {'':<{width}}  {faint('-> ' + each.hint)}"


def _tree(one: Explanation, *, full: bool) -> Iterator[str]:
    if one.unread:
        yield ""
        yield tinted(f"not read from the cloud: {one.unread}", "red")
    if one.tree is not None:
        yield ""
        yield bold("What is there")
        yield from (f"  {line}" for line in tree_lines(one.tree, full=full))


def _work(one: Explanation, *, full: bool) -> Iterator[str]:
    finding = one.finding
    if finding is None:
        yield "  nobody can tell: the cloud did not answer" if one.unread else "  nothing: it is not ours"
        return
    yield from plan_lines(finding.plan.steps, full=full)
    if finding.plan:
        yield faint(f"  digest {planner.digest(finding.plan)}")
    yield from (tinted(f"  ! {message}", "yellow") for message in finding.problems)
    if finding.error:
        yield tinted(f"  ! {finding.error}", "red")
    if finding.waits:
        yield plain(f"  waits: {finding.waits}")
    if not (finding.plan or finding.error or finding.problems or finding.waits):
        yield "  nothing"
