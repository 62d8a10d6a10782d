"""Which member of a group is to hear what was found about the whole: the one whose rule or listener is named."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.problems import Problem
from l7lb.model.sharing import Share
from l7lb.reconciler.reporting import DRIFT, reason_of


def hearers(finding: Problem, extents: Mapping[str, Share]) -> tuple[str, ...]:
    """UIDs, of `extents` in their order. What is named by nobody's part is for all; rules of nobody are for one."""
    words = [word.strip(",:;()") for word in finding.message.split()]
    pairs = set(pairwise(words))
    owners = [uid for uid, has in extents.items() if any(_pair(ref) in pairs for ref in has.rules)]
    if owners:
        return tuple(owners)
    named = set(words)
    users = [uid for uid, has in extents.items() if any(str(key) in named for key in _listeners(has))]
    if users:
        return tuple(users[:1] if finding.reason == reason_of(DRIFT, "") else users)
    return tuple(extents)


def _pair(ref: RuleRef) -> tuple[str, str]:
    return str(ref.listener), str(ref.rule)


def _listeners(share: Share) -> Iterable[ListenerKey]:
    return share.listeners | {ref.listener for ref in share.rules}
