"""The words of `l7lb status`, for people and for programs. Decides nothing."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from l7lb.app.diagnosing import Level, holder_of, usage
from l7lb.app.doctor_words import COLOURS
from l7lb.app.facts import Known
from l7lb.app.overview import Overview, Problem
from l7lb.app.showing import as_document, bold, counted, faint, plain, tinted
from l7lb.app.tree_words import MARKS
from l7lb.model.branches import Mark

WORDS: Final = {
    Mark.OK: "work",
    Mark.WARNING: "work, with a warning",
    Mark.WAITING: "under way",
    Mark.UNKNOWN: "unknown",
    Mark.BAD: "broken",
}
PROBLEMS_MAX: Final = 20
BAR: Final = 20
UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def overview_text(seen: Overview, width: int | None = None) -> str:
    """Problems first, then one line for each thing that counts. `width`: of the terminal; None: as wide as it is."""
    facts = seen.facts
    title = f"{bold(f'cluster {facts.cluster_id}')} in {plain(facts.region)}, {_moment(facts.now)}"
    lines = [title, "", *_problems(seen, width), *_control(seen), *_ingresses(seen), *_balancers(seen), *_targets(seen)]
    lines += [*_quotas(seen), *_versions(seen)]
    lines += [tinted(f"not read: {what}", "red") for what in seen.unread]
    return "\n".join(lines) + "\n"


def overview_json(seen: Overview) -> str:
    """One object."""
    facts = seen.facts
    lease, replicas, version = facts.cluster.lease, facts.cluster.replicas, facts.cluster.version
    limits = facts.cloud.limits
    return as_document(
        {
            "cluster": facts.cluster_id,
            "region": facts.region,
            "at": _moment(facts.now),
            "gate": {"open": facts.cluster.gate.open, "reason": facts.cluster.gate.reason},
            "leader": holder_of(lease),
            "shards": [holder_of(one) for one in facts.cluster.shards],
            "replicas": [
                {"namespace": one.namespace, "name": one.name, "ready": one.ready, "images": list(one.images)}
                for one in (replicas.value if isinstance(replicas, Known) else ())
            ],
            "control": [{"name": one.name, "level": one.level.value, "says": one.says} for one in seen.control],
            "ingresses": {"total": len(seen.members), **{mark.value: seen.by_mark.get(mark, 0) for mark in Mark}},
            "conditions": dict(seen.conditions),
            "deleting": sum(one.deleting for one in seen.members),
            "loadBalancers": dict(seen.by_use),
            "targets": {
                "healthy": sum(one.healthy for one in seen.pulses.known.values()),
                "total": sum(one.total for one in seen.pulses.known.values()),
                "notKnown": {str(ref): why for ref, why in sorted(seen.pulses.silent.items())},
            },
            "quotas": [
                {"name": name, "used": used, "limit": limit}
                for name, used, limit in (usage(limits.value) if isinstance(limits, Known) else ())
            ],
            "versions": {
                "command": facts.version,
                "kubernetes": version.value.text if isinstance(version, Known) else "",
            },
            "problems": [_problem_value(one) for one in seen.problems],
            "notRead": list(seen.unread),
        }
    )


def ago(then: float, now: float) -> str:
    """`3 min`, `2 h`: how long ago, in the largest unit that fits."""
    passed = max(0.0, now - then)
    size, unit = next(((size, unit) for size, unit in UNITS if passed >= size), (1, "s"))
    return f"{int(passed // size)} {unit}"


def _problems(seen: Overview, width: int | None) -> Iterator[str]:
    if not seen.problems:
        yield tinted("no problems", "green")
        yield ""
        return
    yield bold(counted(len(seen.problems), "problem"))
    for one in seen.problems[:PROBLEMS_MAX]:
        yield from _problem(one, seen.facts.now, width)
    if len(seen.problems) > PROBLEMS_MAX:
        yield faint(f"  and {len(seen.problems) - PROBLEMS_MAX} more; -o json lists them, l7lb audit says more")
    yield ""


def _problem(one: Problem, now: float, width: int | None) -> Iterator[str]:
    sign = "x" if one.mark is Mark.BAD else "!"
    since = f" ({ago(one.since, now)})" if one.since is not None else ""
    about, says = plain(one.about), plain(one.says) + since
    room = None if width is None else max(width - len(about) - 6, 20)
    short = says if room is None or len(says) <= room else says[: room - 1] + "…"
    yield f"  {tinted(sign, MARKS[one.mark])} {bold(about)}: {short}"


def _control(seen: Overview) -> Iterator[str]:
    for one in seen.control:
        told = plain(one.says) if one.level is Level.OK else tinted(one.says, COLOURS[one.level])
        yield _row(one.name, told)


def _ingresses(seen: Overview) -> Iterator[str]:
    told = _counts({WORDS[mark]: seen.by_mark.get(mark, 0) for mark in reversed(Mark)})
    deleting = sum(one.deleting for one in seen.members)
    extra = f"; {deleting} being deleted" if deleting else ""
    yield _row("Ingresses", f"{len(seen.members)}{f': {told}' if told else ''}{extra}")
    found = sorted(seen.conditions.items(), key=lambda pair: (-pair[1], pair[0]))
    if found:
        yield _row("conditions", plain(_counts({reason or "none yet": number for reason, number in found})))


def _balancers(seen: Overview) -> Iterator[str]:
    if isinstance(seen.audit, Known):
        total = sum(seen.by_use.values())
        told = _counts(dict(sorted(seen.by_use.items())))
        yield _row("load balancers", plain(f"{total}{f': {told}' if told else ''}"))


def _targets(seen: Overview) -> Iterator[str]:
    known, silent = seen.pulses.known.values(), seen.pulses.silent
    if known:
        healthy, total = sum(one.healthy for one in known), sum(one.total for one in known)
        yield _row("targets", f"{healthy} of {total} healthy")
    if silent:
        why = "; ".join(dict.fromkeys(silent.values()))
        of = counted(len(silent), "load balancer")
        yield _row("targets", tinted(f"health not known on {of}: {plain(why)}", "yellow"))


def _quotas(seen: Overview) -> Iterator[str]:
    limits = seen.facts.cloud.limits
    if isinstance(limits, Known):
        for name, used, limit in usage(limits.value):
            full = min(BAR, BAR * used // limit) if limit > 0 else BAR
            colour = "red" if used >= limit else "yellow" if used >= 0.9 * limit else "green"
            bar = tinted("#" * full, colour) + faint("-" * (BAR - full))
            yield _row(f"quota, {name}", f"{bar} {used} of {limit}")


def _versions(seen: Overview) -> Iterator[str]:
    version = seen.facts.cluster.version
    kubernetes = version.value.text if isinstance(version, Known) else f"not known ({version.why})"
    yield _row("versions", plain(f"this command {seen.facts.version}, Kubernetes {kubernetes}"))


def _row(name: str, told: str) -> str:
    return f"{plain(name):<16}  {told}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number)


def _problem_value(one: Problem) -> dict[str, object]:
    return {
        "mark": one.mark.value,
        "about": one.about,
        "says": one.says,
        "since": _moment(one.since) if one.since is not None else "",
        "advice": one.advice,
    }


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
