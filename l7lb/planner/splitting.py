"""Parts of a step as steps: what is tried by itself when a call was refused as a whole. Nobody is blamed here.

The answer to a call with many parts says no to all of them. Halves of it, and halves of what is refused again,
find k parts among n in about 2k log2(n) calls.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from l7lb.model.plan import DeregisterTargets, ModifyWeights, Placement, Plan, RegisterTargets, Step

T = TypeVar("T")
TargetStep: TypeAlias = RegisterTargets | DeregisterTargets | ModifyWeights


def halves(parts: Sequence[T]) -> tuple[tuple[T, ...], ...]:
    """Two parts in the same order, the first not the smaller one; what is one is not divided."""
    if len(parts) < 2:
        return (tuple(parts),)
    middle = (len(parts) + 1) // 2
    return tuple(parts[:middle]), tuple(parts[middle:])


def divided(placements: Sequence[Placement], blamed: Collection[str]) -> tuple[tuple[Placement, ...], ...]:
    """What was refused together, in two. `blamed`: addresses that were found at fault elsewhere: these go apart.

    Else all of an address stays together as long as there is another one: as a rule a machine or a pod is at fault, in
    every rule that it stands behind.
    """
    others = tuple(one for one in placements if one.target.key.address not in blamed)
    if 0 < len(others) < len(placements):
        return others, tuple(one for one in placements if one.target.key.address in blamed)
    by_address: dict[str, list[Placement]] = {}
    for one in placements:
        by_address.setdefault(one.target.key.address, []).append(one)
    if len(by_address) < 2:
        return halves(placements)
    return tuple(tuple(one for part in half for one in part) for half in halves(tuple(by_address.values())))


def narrowed(step: TargetStep, placements: Collection[Placement]) -> TargetStep | None:
    """The step for these placements only; None when none of them is in it."""
    left = tuple(one for one in step.placements if one in placements)
    return replace(step, placements=left) if left else None


def minus(plan: Plan, placements: Collection[Placement]) -> Plan:
    """The plan in which these targets are not taken off."""
    steps: list[Step] = []
    for step in plan.steps:
        if isinstance(step, DeregisterTargets):
            left = narrowed(step, [one for one in step.placements if one not in placements])
            steps += [left] if left is not None else []
        else:
            steps.append(step)
    return replace(plan, steps=tuple(steps))
