"""What is said about the targets of a Service: too many, not reachable, not known now."""

from l7lb.model.identity import ObjectKey
from l7lb.model.problems import Severity
from l7lb.model.quotas import Quota, shortage
from l7lb.translator.nodes import Fleet
from l7lb.translator.notebook import Notebook
from l7lb.translator.pods import Crowd


def view_broken(fleet: Fleet, notebook: Notebook) -> None:
    """More nodes are lost than can be true."""
    if fleet.view_broken:
        notebook.warn(
            "",
            "NodesUnknown",
            f"{fleet.lost} nodes are NotReady, too many at once to believe it: their targets are left as they"
            " are; delete the Node objects of those that are gone",
        )


def too_many(service: ObjectKey, dropped: int, limit: int, notebook: Notebook, field: str) -> None:
    """What the quota of a rule leaves out; where it is all of them, nothing is served."""
    if dropped:
        notebook.problem(
            "E4054",
            "TooManyTargets",
            f"Service {service} has {limit + dropped} targets, a rule takes {limit}: {dropped} are not bound"
            f" ({shortage(Quota.TARGETS, used=limit, limit=limit, wanted=dropped)})",
            field=field,
            severity=Severity.WARNING if limit > 0 else Severity.ERROR,
        )


def unread(service: ObjectKey, kinds: tuple[str, ...], notebook: Notebook, field: str) -> None:
    """Kinds that cannot be read now."""
    what = "Endpoints" if "EndpointSlice" in kinds else "Pods"
    notebook.warn("", "NotRead", f"{what} of Service {service} cannot be read now; its targets are left", field=field)


def left_out(service: ObjectKey, crowd: Crowd, notebook: Notebook, field: str) -> None:
    """Pods that cannot be targets."""
    if crowd.routed:
        message = (
            f"Service {service}: pods of the GlobalRouter network are not bound ({_some(crowd.routed)}); that needs the"
            " switch GlobalRouteDirectAccess in ConfigMap kube-system/tke-service-controller-config"
        )
        notebook.warn("", "PodNotRoutable", message, field=field)
    if crowd.on_host:
        message = f"Service {service}: pods on the network of their node are not bound: {_some(crowd.on_host)}"
        notebook.warn("", "PodOnHostNetwork", message, field=field)
    if crowd.nameless:
        message = f"Service {service} has {crowd.nameless} endpoints that name no Pod: these are not bound"
        notebook.warn("", "EndpointWithoutPod", message, field=field)


def _some(pods: tuple[ObjectKey, ...]) -> str:
    return f"Pod {pods[0]}" + (f" and {len(pods) - 1} more" if len(pods) > 1 else "")
