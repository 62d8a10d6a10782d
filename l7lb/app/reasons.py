"""The chain from an Ingress to traffic that flows, link by link, and how each link stands. Pure.

The links are in the order in which they break: what comes after a broken one is shown as well, since an older state may
still be serving.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from l7lb.app.drawing import Asked
from l7lb.app.history import Pause, Stumble
from l7lb.app.judging import advice, troubles_of
from l7lb.app.pulses import CURE
from l7lb.model.branches import ListenerView, Mark, Part, RuleView, TargetView
from l7lb.model.cloud import Health
from l7lb.model.cluster import Ingress
from l7lb.model.marks import CLASS_ANNOTATION
from l7lb.model.options import Options
from l7lb.model.options import Standing as ByClass
from l7lb.model.portrait import WORK, Check, Fate, PlanView, Standing, Tree
from l7lb.model.problems import Severity
from l7lb.reconciler.blaming import NOT_BOUND
from l7lb.reconciler.conditions import told

NAMED: Final = 3
"""So many rules or targets are named in a sentence; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that the chain is made of."""

    standing: Standing
    by_class: ByClass
    asked: Asked
    options: Options
    tree: Tree | None
    """None: it has no load balancer yet."""
    plans: tuple[PlanView, ...] = ()
    stumble: Stumble | None = None
    pause: Pause | None = None

    @property
    def ingress(self) -> Ingress:
        """The object."""
        return self.asked.ingress

    @property
    def stands_still(self) -> bool:
        """What its author has written keeps everything from happening."""
        translation = self.asked.translation
        return translation.refusal is not None or (self.tree is None and translation.create_refusal is not None)

    def rules(self) -> Iterator[tuple[ListenerView, str, RuleView]]:
        """Those of this Ingress, with listener and host."""
        for listener in self.tree.listeners if self.tree is not None else ():
            for host in listener.hosts:
                for rule in host.rules:
                    if rule.owner == self.ingress.key:
                        yield listener, host.host, rule


def checks(case: Case) -> tuple[Check, ...]:
    """At least: class, controller, gate, what it says, load balancer, plan; then what hangs on the load balancer."""
    found = [_by_class(case), _controller(case), _gate(case), *_special(case)]
    if case.ingress.deleting:
        return (*found, _balancer(case), _work(case))
    found += [*_reading(case), _balancer(case), _work(case)]
    if case.tree is not None and case.tree.listeners:
        found += [_rules(case), _targets(case), _health(case)]
    return (*found, _address(case))


def _by_class(case: Case) -> Check:
    meta, name = case.ingress.annotations, case.ingress.spec.ingress_class_name
    said = meta.get(CLASS_ANNOTATION) or name
    word = f"class {said}" if said else "no class"
    match case.by_class:
        case ByClass.OURS:
            return Check("Class", Mark.OK, f"It has {word}, which is l7lb's.")
        case ByClass.NOT_OURS:
            hint = "Set spec.ingressClassName to qcloud if l7lb is to serve it."
            return Check("Class", Mark.BAD, f"It has {word}: it is left to another controller.", hint)
        case ByClass.LEFT:
            return Check("Class", Mark.WAITING, f"It was edited to {word}: its load balancer is let go.")
        case ByClass.UNCLEAR:
            hint = "Is there an IngressClass of that name? Restore it, or edit the Ingress."
            return Check("Class", Mark.BAD, f"It has {word}: nobody can tell whose that is. Nothing is changed.", hint)


def _controller(case: Case) -> Check:
    standing = case.standing
    if standing.lacking:
        return Check("Controller", Mark.WAITING, f"It waits: {standing.lacking}.")
    if standing.leading:
        return Check("Controller", Mark.OK, "This replica leads and does the work.")
    if standing.leader:
        return Check("Controller", Mark.OK, f"{standing.leader} leads and does the work; this replica stands by.")
    hint = "Look at the log of the replicas: one of them should take the lease within a minute."
    return Check("Controller", Mark.WAITING, "No replica is known to lead.", hint)


def _gate(case: Case) -> Check:
    standing = case.standing
    if standing.gate_open:
        return Check("Gate", Mark.OK, f"Open: {standing.gate}.")
    hint = "l7lb writes again once it is proven that TKE's own controller is off."
    return Check("Gate", Mark.BAD, f"Nothing is written: {standing.gate}.", hint)


def _special(case: Case) -> Iterator[Check]:
    if case.ingress.deleting:
        held = ", ".join(case.ingress.finalizers) or "nothing"
        yield Check("Deletion", Mark.WAITING, f"It is being deleted; held by {held}.")
    if case.options.skip:
        yield Check("Mode", Mark.WARNING, "Annotation mode: skip: its load balancer is neither compared nor changed.")


def _reading(case: Case) -> Iterator[Check]:
    """What its author may have to mend."""
    translation = case.asked.translation
    refusal = translation.refusal
    if refusal is not None:
        yield Check(
            "Ingress", Mark.BAD, f"It is refused as a whole. {told(refusal)}", advice(refusal.code, refusal.message)
        )
        return
    if not translation.problems:
        yield Check("Ingress", Mark.OK, "Every rule, annotation and certificate of it can be read.")
    for problem in translation.problems:
        mark = Mark.BAD if problem.severity is Severity.ERROR else Mark.WARNING
        yield Check("Ingress", mark, told(problem), advice(problem.code, problem.message))


def _balancer(case: Case) -> Check:
    tree = case.tree
    if tree is None and case.ingress.deleting:
        return Check("Load balancer", Mark.OK, "It has none any more.")
    if tree is None:
        waits = case.by_class is ByClass.OURS and not case.stands_still
        return Check("Load balancer", Mark.WAITING if waits else Mark.UNKNOWN, "It has none yet.")
    ref = tree.balancer.ref
    if tree.balancer.seen is None:
        where = "" if case.standing.leading else ": this replica stands by and asks the cloud nothing"
        return Check("Load balancer", Mark.UNKNOWN, f"{ref.id} in {ref.region}; it has not been read yet{where}.")
    said = f"; {tree.ownership}" if tree.ownership else ""
    return Check("Load balancer", Mark.OK, f"{ref.id} in {ref.region}{said}.")


def _work(case: Case) -> Check:
    newest = next((one for one in case.plans if one.about in (None, case.ingress.key)), None)
    if newest is not None and newest.fate is Fate.RUNNING:
        waiting = newest.waiting or (case.pause.message if case.pause is not None else "the next step is due")
        return Check(WORK, Mark.WAITING, f"{newest.done} of {_steps(newest)} steps are done; {waiting}.")
    if newest is not None and newest.fate is Fate.REFUSED and case.stumble is None and _is_fresh(case, newest):
        hint = "l7lb plan shows what it would take away. Only then let it pass."
        return Check(WORK, Mark.BAD, newest.reason, hint)
    if case.stumble is not None:
        times = f"{case.stumble.times} times in a row" if case.stumble.times > 1 else "once"
        hint = "It is tried again by itself, after longer and longer waits."
        mark = Mark.BAD if case.stumble.lasting else Mark.WAITING
        return Check(WORK, mark, f"The last pass failed ({times}): {case.stumble.message}.", hint)
    if case.pause is not None:
        return Check(WORK, Mark.WAITING, f"It waits: {case.pause.message}.")
    if not case.standing.leading:
        return Check(WORK, Mark.UNKNOWN, "Only the leader knows what is planned and done.")
    if case.stands_still:
        return Check(WORK, Mark.UNKNOWN, "Nothing is done until what is wrong with the Ingress is mended.")
    if case.by_class in (ByClass.NOT_OURS, ByClass.UNCLEAR):
        return Check(WORK, Mark.UNKNOWN, "Nothing is done for it.")
    unread = case.tree is None or case.tree.balancer.seen is None
    if unread and case.by_class is ByClass.OURS and not case.ingress.deleting and not case.options.skip:
        says = "No plan is on its way. What is left to be done shows once its load balancer has been read."
        return Check(WORK, Mark.UNKNOWN, says)
    return Check(WORK, Mark.OK, "Nothing is left to be done.")


def _is_fresh(case: Case, plan: PlanView) -> bool:
    """The refusal is the last that was heard of it."""
    return all(other.ended is None or other.ended <= (plan.ended or plan.begun) for other in case.plans)


def _steps(plan: PlanView) -> int:
    return len(plan.steps) + plan.more


def _rules(case: Case) -> Check:
    found = list(case.rules())
    missing = [_name(*one) for one in found if one[2].part is Part.MISSING]
    held = [_name(*one) for one in found if one[2].held]
    if any(one[2].part is Part.UNSEEN for one in found):
        return Check(
            "Forwarding rules", Mark.UNKNOWN, f"{_count(found, 'rule')} asked for; what is there is not known here."
        )
    if missing:
        return Check("Forwarding rules", Mark.WAITING, f"{_count(missing, 'rule')} not there yet: {_some(missing)}.")
    if held:
        hint = "Mend what is said about the Ingress above; they go on by themselves then."
        return Check("Forwarding rules", Mark.WARNING, f"{_count(held, 'rule')} held as they are: {_some(held)}.", hint)
    if not found:
        return Check("Forwarding rules", Mark.BAD, "It has no rule on its load balancer.")
    return Check("Forwarding rules", Mark.OK, f"{_count(found, 'rule')} in place.")


def _targets(case: Case) -> Check:
    serving = [one for one in case.rules() if not one[2].redirect and one[2].part is Part.THERE]
    empty = [_name(*one) for one in serving if not _bound(one[2])]
    if empty:
        hint = _refused(case) or "Look at the endpoints of the Service behind them: kubectl get endpointslices."
        return Check("Bound targets", Mark.BAD, f"{_count(empty, 'rule')} without any target: {_some(empty)}.", hint)
    if any(one[2].part is Part.UNSEEN for one in case.rules()):
        return Check("Bound targets", Mark.UNKNOWN, "Which targets its rules have is not known here.")
    if _redirects_only(case):
        return Check("Bound targets", Mark.OK, "All of its rules redirect: they need no targets.")
    if not serving:
        return Check("Bound targets", Mark.UNKNOWN, "There is no rule yet that could have targets.")
    drained = [_name(*one) for one in serving if all(target.weight == 0 for target in _bound(one[2]))]
    if drained:
        hint = "Pods that terminate or are not ready, and weights of 0, take no traffic."
        return Check(
            "Bound targets", Mark.BAD, f"{_count(drained, 'rule')} with weight 0 only: {_some(drained)}.", hint
        )
    return Check(
        "Bound targets", Mark.OK, f"Every rule has targets, {sum(len(_bound(one[2])) for one in serving)} in all."
    )


def _refused(case: Case) -> str:
    """Which targets the cloud would not take, as the author has heard, and what to do; empty: it took all."""
    for one in troubles_of(case.ingress):
        if one.message.startswith("target ") and f" {NOT_BOUND}, " in one.message:
            code = f"{one.code}: " if one.code else ""
            return f"The cloud refused: {code}{one.message.rstrip('.')}. {one.advice}".rstrip()
    return ""


def _health(case: Case) -> Check:
    tree = case.tree
    if _redirects_only(case):
        return Check("Target health", Mark.OK, "All of its rules redirect: there is nothing to check.")
    if tree is None or tree.checked is None:
        why = tree.unchecked if tree is not None else ""
        return Check("Target health", Mark.UNKNOWN, f"Not known: {why or 'nobody has asked the cloud'}.")
    bound = [target for _, _, rule in case.rules() for target in _bound(rule) if target.weight != 0]
    if not bound:
        return Check("Target health", Mark.UNKNOWN, "Nothing that is bound takes traffic.")
    dead = [str(target.key) for target in bound if target.health is Health.DEAD]
    probing = [target for target in bound if target.health is Health.UNKNOWN]
    if dead:
        mark = Mark.BAD if len(dead) == len(bound) else Mark.WARNING
        return Check(
            "Target health", mark, f"{len(dead)} of {len(bound)} bindings fail their check: {_some(dead)}.", CURE
        )
    if probing:
        return Check("Target health", Mark.WAITING, f"{len(probing)} of {len(bound)} bindings are still being probed.")
    unchecked = sum(target.health is Health.UNCHECKED for target in bound)
    extra = f"; the check is off for {unchecked}" if unchecked else ""
    return Check("Target health", Mark.OK, f"No binding fails its check{extra}.")


def _address(case: Case) -> Check:
    shown = [one.ip or one.hostname or "" for one in case.ingress.addresses]
    if shown:
        hint = "Names of its hosts must lead there in the DNS: l7lb does not look after that."
        return Check("Published address", Mark.OK, f"Published in its status: {', '.join(shown)}.", hint)
    return Check("Published address", Mark.WAITING, "None is in its status yet.")


def _bound(rule: RuleView) -> list[TargetView]:
    return [target for target in rule.targets if target.part in (Part.THERE, Part.SURPLUS)]


def _redirects_only(case: Case) -> bool:
    """It has rules, and each of them sends its clients elsewhere."""
    found = [rule for _, _, rule in case.rules()]
    return bool(found) and all(rule.redirect for rule in found)


def _name(listener: ListenerView, host: str, rule: RuleView) -> str:
    return f"{listener.key} {host}{rule.path}"


def _count(items: list[str] | list[tuple[ListenerView, str, RuleView]], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
