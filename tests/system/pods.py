"""Pods and slices as a kubelet and the endpoint controller would keep them: there is neither in these clusters."""

from dataclasses import dataclass
from typing import Any

from tests.system.kube import Json, Kube


@dataclass
class Pods:
    """The pods of one Service, all in one slice for each address family. A pod's port is the same for all."""

    kube: Kube
    namespace: str
    service: str
    port: int = 8080
    port_name: str = ""

    def run(self, name: str, *addresses: str, annotations: dict[str, str] | None = None, **spec: Any) -> Json:
        """A pod that runs and has its addresses; it is no endpoint yet. It may be there already."""
        if self.kube.find("Pod", name, self.namespace) is None:
            container = {"name": "app", "image": "demo:1"}
            meta = {"name": name, "namespace": self.namespace, "labels": {"app": self.service}}
            self.kube.create({
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": meta | {"annotations": annotations or {}},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 30, "nodeName": "node-a", **spec},
            })  # fmt: skip
        status = {"phase": "Running", "podIP": addresses[0], "podIPs": [{"ip": address} for address in addresses]}
        return self.kube.patch("Pod", name, self.namespace, {"status": status}, part="status")

    def terminate(self, name: str) -> None:
        """`kubectl delete --wait=false`: it stays until it is `gone`."""
        self.kube.delete("Pod", name, self.namespace)

    def gone(self, name: str) -> None:
        """Its kubelet has ended it."""
        self.kube.delete_now("Pod", name, self.namespace)

    def endpoints(self, **addresses: tuple[str, str]) -> None:
        """The slice: pod -> (address, `ready`, `unready` or `terminating`)."""
        self.slice("IPv4", *(self.endpoint(name, *said) for name, said in addresses.items()))

    def endpoint(self, name: str, address: str, state: str = "ready") -> Json:
        """One endpoint; what stands in it is what the endpoint controller would write."""
        pod = self.kube.find("Pod", name, self.namespace)
        reference = {"kind": "Pod", "name": name, "namespace": self.namespace}
        if pod is not None:
            reference["uid"] = pod["metadata"]["uid"]
        conditions = {"ready": state == "ready", "serving": state != "unready", "terminating": state == "terminating"}
        return {"addresses": [address], "conditions": conditions, "nodeName": "node-a", "targetRef": reference}

    def slice(self, family: str, *endpoints: Json) -> None:
        """Made, or brought up to date."""
        name = f"{self.service}-{family.lower()}"
        if self.kube.find("EndpointSlice", name, self.namespace) is not None:
            self.kube.patch("EndpointSlice", name, self.namespace, {"endpoints": list(endpoints)})
            return
        labels = {"kubernetes.io/service-name": self.service}
        self.kube.create({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": self.namespace, "labels": labels},
            "addressType": family,
            "ports": [{"name": self.port_name, "port": self.port, "protocol": "TCP"}],
            "endpoints": list(endpoints),
        })  # fmt: skip
