"""Keeps `<ingress>-auto-ingress-config` in step with the rules (contract, section 6.4).

A helper object: what goes wrong with it is said, and holds neither the load balancer nor a finalizer.
"""

from l7lb import translator
from l7lb.errors import AlreadyExists, Conflict, GateClosed, L7lbError, LostLeadership, NotFound
from l7lb.model.cluster import TkeServiceConfig
from l7lb.model.identity import ObjectKey
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.ownership import Claim
from l7lb.model.problems import Problem, Severity
from l7lb.reconciler.passes import Matter, Workshop, note, problem, reference

KIND = "TkeServiceConfig"


class AutoConfig:
    """Makes the object, follows the rules with it, and takes it away with its Ingress."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def keep(self, matter: Matter, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, claim: Claim) -> None:
        """Called when the load balancer is as it is desired. In step, nothing is written."""
        key = translator.auto_key(matter.ingress)
        if key is None:
            return
        snapshot = self._shop.snapshots.snapshot(matter.ingress)
        if KIND in snapshot.unread:
            return
        config = snapshot.configs.get(key)
        ours = tuple(item.spec for item in observed.listeners if item.spec.key in claim.listeners)
        spec = translator.in_step(config, desired.listeners, ours)
        if spec is None:
            return
        try:
            if config is None:
                self._shop.configs.create(key, reference(matter.ingress), spec)
            else:
                self._shop.configs.patch(config, spec)
        except (AlreadyExists, Conflict):
            return  # It is newer than what we have seen of it: the watch brings it, and with it the next pass.
        except (GateClosed, LostLeadership):
            raise
        except L7lbError as error:
            matter.problems.append(_failed(key, error))

    def drop(self, matter: Matter) -> None:
        """The Ingress goes: so does its object. Where it is not known, its owner reference takes it away."""
        key = translator.auto_key(matter.ingress)
        config = self._shop.snapshots.snapshot(matter.ingress).configs.get(key) if key is not None else None
        if config is not None:
            self._delete(matter, config)

    def _delete(self, matter: Matter, config: TkeServiceConfig) -> None:
        try:
            self._shop.configs.delete(config)
        except NotFound:
            return
        except (GateClosed, LostLeadership):
            raise
        except L7lbError as error:
            self._shop.events.emit(note(matter.ingress, _failed(config.key, error)))


def _failed(key: ObjectKey, error: L7lbError) -> Problem:
    return problem(
        "",
        "ServiceConfigNotWritten",
        f"TkeServiceConfig {key} cannot be kept in step with the rules: {error}; all else goes on",
        severity=Severity.WARNING,
    )
