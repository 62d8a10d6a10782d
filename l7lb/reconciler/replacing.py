"""A port that changes its protocol: the old listener goes before the new one comes, so that one must be sure to come.

Between the two nobody answers on that port. What can be known beforehand about the new listener is asked beforehand.
"""

from collections.abc import Iterator

from l7lb.model.identity import CloudRef
from l7lb.model.plan import CreateListeners, CreateRules, DeleteListeners, Plan
from l7lb.reconciler.ports import LoadBalancers
from l7lb.reconciler.refusals import Refusals


def refused_beforehand(plan: Plan, ref: CloudRef, cloud: LoadBalancers, refusals: Refusals) -> str:
    """Why something would be refused for which something else had gone already; noted, so that it is planned around.

    Empty: nothing would, as far as can be told. Costs reads only where a listener takes the place of another one.
    """
    for step in _in_the_place_of_others(plan):
        refusal = cloud.foreseen(ref.region, step)
        if refusal is not None and refusals.note(ref, step, refusal):
            return str(refusal)
    return ""


def _in_the_place_of_others(plan: Plan) -> Iterator[CreateListeners | CreateRules]:
    going = {key.port for step in plan.steps if isinstance(step, DeleteListeners) for key in step.keys}
    made = {key for step in plan.steps if isinstance(step, CreateListeners) for key in step.keys}
    for step in plan.steps:
        keys = set(step.keys) if isinstance(step, CreateListeners) else set()
        keys = {step.listener} & made if isinstance(step, CreateRules) else keys
        if isinstance(step, CreateListeners | CreateRules) and any(key.port in going for key in keys):
            yield step
