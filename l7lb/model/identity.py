"""Names: keys that people use and ids that the cloud gives. No parsing of user text in here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, NewType, Self

LoadBalancerId = NewType("LoadBalancerId", str)
ListenerId = NewType("ListenerId", str)
LocationId = NewType("LocationId", str)
TaskId = NewType("TaskId", str)
BindingKey = NewType("BindingKey", str)
"""The key in the queue: `new/<UID>` or `lb/<region>/<id>` (DESIGN: the key in the queue is a binding)."""


class ObjectKey(NamedTuple):
    """A namespaced Kubernetes object; cluster-scoped ones have an empty namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Protocol(StrEnum):
    """Listener protocols that this product manages; anything else on a load balancer is somebody else's."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"


@dataclass(frozen=True, slots=True, order=True)
class ListenerKey:
    """`HTTPS:443`: unique per load balancer. `protocol` is text because a lender may have TCP listeners."""

    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.protocol}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of `str`; raises ValueError on anything else."""
        protocol, _, port = text.rpartition(":")
        return cls(protocol, int(port))


@dataclass(frozen=True, slots=True, order=True)
class RuleKey:
    """(host, path) within a listener. Host `""` stands for the load balancer's own address or name."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}{self.path}"


@dataclass(frozen=True, slots=True, order=True)
class RuleRef:
    """A rule within its load balancer: `HTTPS:443 shop.example.com/api`."""

    listener: ListenerKey
    rule: RuleKey

    def __str__(self) -> str:
        return f"{self.listener} {self.rule}"


@dataclass(frozen=True, slots=True, order=True)
class CloudRef:
    """A load balancer in the world of one account: ids are unique per region."""

    region: str
    id: LoadBalancerId

    def __str__(self) -> str:
        return f"{self.region}/{self.id}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Who we are: the cluster id of the tags, and the UID of the kube-system namespace (empty: not known yet)."""

    id: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """The Ingress on whose behalf a load balancer is read or written."""

    cluster: Cluster
    ingress_uid: str
