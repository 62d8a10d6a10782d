"""What a switch of the cluster gives an Ingress that nobody has served yet (contract, section 8.9). Pure."""

from collections.abc import Mapping

import msgspec

from l7lb.model.cluster import Ingress
from l7lb.model.marks import DIRECT_ACCESS, FINALIZER, LOAD_BALANCER_ID, RECORD, TKE_FINALIZER
from l7lb.model.snapshot import Switches


def of_a_new_one(ingress: Ingress, switches: Switches, tke_finalizers: tuple[str, ...]) -> Mapping[str, str]:
    """Annotations to be added; none for an Ingress that says it itself, or that has been served, by us or by TKE."""
    said = ingress.annotations.keys() & {DIRECT_ACCESS, RECORD, LOAD_BALANCER_ID}
    taken = {FINALIZER, TKE_FINALIZER, *tke_finalizers}.intersection(ingress.finalizers)
    if not switches.default_direct_access or said or taken or ingress.addresses or ingress.deleting:
        return {}
    return {DIRECT_ACCESS: "true"}


def annotated(ingress: Ingress, added: Mapping[str, str]) -> Ingress:
    """As it will be once they are written."""
    if not added:
        return ingress
    meta = msgspec.structs.replace(ingress.metadata, annotations={**ingress.annotations, **added})
    return msgspec.structs.replace(ingress, metadata=meta)
