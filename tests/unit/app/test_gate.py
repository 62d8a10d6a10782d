"""The gate over every state of the three objects that tell whether TKE's own controller is running."""

from itertools import product

import pytest

from l7lb.app.gate import Evidence, Gate, decide
from l7lb.errors import GateClosed
from l7lb.model.cluster import ConfigMap, Deployment, DeploymentSpec, DeploymentStatus, LabelledMeta, ObjectMeta

SWITCH = "EnableIngressController"


def deployment(spec: int | None, status: int | None = None, *, ours: bool = False) -> Deployment:
    labels = {"app.kubernetes.io/name": "l7lb"} if ours else {"k8s-app": "l7-lb-controller"}
    return Deployment(
        metadata=LabelledMeta(name="l7-lb-controller", namespace="kube-system", labels=labels),
        spec=DeploymentSpec(replicas=spec),
        status=DeploymentStatus(replicas=status),
    )


def config(**data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="config", namespace="kube-system"), data=data or None)


CONTROLLERS = {
    "absent": None,
    "running": deployment(1, 1),
    "scaled to 0": deployment(0, 0),
    "scaled to 0, status unset": deployment(0, None),
    "scaled to 0, one left": deployment(0, 1),
    "replicas unset": deployment(None, None),
    "ours": deployment(2, 2, ours=True),
    "ours at 0": deployment(0, 0, ours=True),
}
SERVICE_CONFIGS = {
    "absent": None,
    "without data": config(),
    "true": config(**{SWITCH: "true"}),
    "false": config(**{SWITCH: "false"}),
    "False": config(**{SWITCH: "False"}),
    "empty": config(**{SWITCH: ""}),
}
INGRESS_CONFIGS = {"absent": None, "there": config()}


def is_off(controller: str, service: str, ingress: str) -> bool:
    """The three rows of the design, in its own words."""
    theirs = controller not in ("absent", "ours", "ours at 0")
    by_deployment = controller in ("scaled to 0", "scaled to 0, status unset") and service != "true"
    by_switch = service == "false"
    no_tke = not theirs and service == "absent" and ingress == "absent"
    return by_deployment or by_switch or no_tke


STATES = list(product(CONTROLLERS, SERVICE_CONFIGS, INGRESS_CONFIGS))


@pytest.mark.parametrize("state", STATES, ids=", ".join)
def test_the_gate_is_open_only_when_the_other_controller_is_proven_off(state: tuple[str, str, str]) -> None:
    controller, service, ingress = state
    evidence = Evidence(CONTROLLERS[controller], SERVICE_CONFIGS[service], INGRESS_CONFIGS[ingress], readable=True)
    standing = decide(evidence)
    assert standing.open is is_off(*state)
    assert standing.reason


@pytest.mark.parametrize("state", STATES, ids=", ".join)
def test_what_cannot_be_read_is_on(state: tuple[str, str, str]) -> None:
    controller, service, ingress = state
    evidence = Evidence(CONTROLLERS[controller], SERVICE_CONFIGS[service], INGRESS_CONFIGS[ingress], readable=False)
    assert not decide(evidence).open


def test_the_gate_is_asked_anew_each_time() -> None:
    evidence = [Evidence(None, None, None, readable=True)]
    gate = Gate(lambda: evidence[0], ignored=False)
    gate.check()
    evidence[0] = Evidence(deployment(1, 1), None, None, readable=True)
    with pytest.raises(GateClosed, match="l7-lb-controller is running; scale it to 0"):
        gate.check()


def test_ignored_it_is_open_whatever_is_read() -> None:
    gate = Gate(lambda: Evidence(deployment(1, 1), None, None, readable=False), ignored=True)
    gate.check()
    assert gate.standing().reason == "--ignore-tke-controller"
