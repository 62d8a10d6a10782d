"""The gate: nothing is written while TKE's own controller may be running (it bears the same tags, so two would fight).

Pure decision over the three objects that tell; they are watched, and the gate is asked again before each write.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from l7lb.errors import GateClosed
from l7lb.model.cluster import ConfigMap, Deployment
from l7lb.model.identity import ObjectKey

CONTROLLER: Final = ObjectKey("kube-system", "l7-lb-controller")
SERVICE_CONFIG: Final = ObjectKey("kube-system", "tke-service-controller-config")
INGRESS_CONFIG: Final = ObjectKey("kube-system", "tke-ingress-controller-config")
SWITCH: Final = "EnableIngressController"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The three objects as last seen; None: not there. `readable` False: not all of them could be read."""

    controller: Deployment | None
    service_config: ConfigMap | None
    ingress_config: ConfigMap | None
    readable: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether we may write, and why (not)."""

    open: bool
    reason: str


def decide(evidence: Evidence) -> Standing:
    """Off only when it is proven; anything else, and anything unreadable, is on."""
    if not evidence.readable:
        return Standing(False, "it cannot be read whether TKE's own controller is running")
    switch = (evidence.service_config.data or {}).get(SWITCH, "") if evidence.service_config is not None else ""
    if switch == "false":
        return Standing(True, f'ConfigMap {SERVICE_CONFIG} says {SWITCH}: "false"')
    controller = evidence.controller
    if controller is not None and not _ours(controller):
        if switch == "true":
            return Standing(False, f'ConfigMap {SERVICE_CONFIG} says {SWITCH}: "true"; set it to "false"')
        if controller.spec.replicas == 0 and not controller.status.replicas:
            return Standing(True, f"Deployment {CONTROLLER} has 0 replicas")
        return Standing(False, f"Deployment {CONTROLLER} is running; scale it to 0")
    if evidence.service_config is None and evidence.ingress_config is None:
        return Standing(True, "no part of TKE's own controller is in this cluster")
    return Standing(False, f'set {SWITCH}: "false" in ConfigMap {SERVICE_CONFIG} to switch TKE\'s controller off')


def _ours(controller: Deployment) -> bool:
    return (controller.metadata.labels or {}).get("app.kubernetes.io/name") == "l7lb"


class Gate:
    """Asked before each write; `ignored` opens it for those who have separated the two by class."""

    def __init__(self, evidence: Callable[[], Evidence], *, ignored: bool) -> None:
        self._evidence = evidence
        self._ignored = ignored

    def standing(self) -> Standing:
        """As of now."""
        if self._ignored:
            return Standing(True, "--ignore-tke-controller")
        return decide(self._evidence())

    def check(self) -> None:
        """Raise GateClosed unless it is open."""
        standing = self.standing()
        if not standing.open:
            raise GateClosed(f"nothing is written: {standing.reason}")
