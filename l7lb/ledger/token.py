"""The idempotency token of an order. Only arithmetic: when `attempt` may rise is the reconciler's business."""

import hashlib

from l7lb.model.identity import Owner

DIGITS = 40
"""CreateLoadBalancer page: ClientToken has at most 64 ASCII characters."""


def client_token(owner: Owner, attempt: int) -> str:
    """The same for the same Ingress and attempt, also when the record was lost."""
    text = "\n".join((owner.cluster.id, owner.ingress_uid, str(attempt)))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
