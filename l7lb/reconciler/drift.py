"""What somebody else has changed on what is ours: said when it is found, before it is put right.

What we do not manage is never in a plan, and so never drift.
"""

from typing import Final

from l7lb import planner
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, CloudRef
from l7lb.model.plan import Plan
from l7lb.model.writing import EventType
from l7lb.reconciler.passes import Workshop, say

STEPS_SAID: Final = 3


def tell(shop: Workshop, key: BindingKey, ingress: Ingress, ref: CloudRef, plan: Plan) -> None:
    """Count it, and say it on the Ingress, when the running pass looks at what others have changed."""
    if not plan or not shop.comparing(key):
        return
    shop.telemetry.drifted(key, plan)
    words = [planner.describe(step) for step in plan.steps]
    more = f"; and {len(words) - STEPS_SAID} more" if len(words) > STEPS_SAID else ""
    text = f"{ref.id} is not as it was left; put right: {'; '.join(words[:STEPS_SAID])}{more}"
    shop.events.emit(say(ingress, "DriftRepaired", text, EventType.WARNING))
