"""What only somebody who looks after a cluster asks: rights, served versions, replicas, the server's clock.

Nothing is changed: a SelfSubjectAccessReview is a question, although it is sent with POST.
"""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import zip_longest
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec

from l7lb.adapters.kube.decode import MALFORMED
from l7lb.adapters.kube.rights import Right
from l7lb.adapters.kube.transport import Request, Transport
from l7lb.errors import NotFound, Unavailable
from l7lb.model.cluster import View
from l7lb.model.shapes import json_decoder

T = TypeVar("T")

REVIEWS: Final = "/apis/authorization.k8s.io/v1"
LABEL: Final = "app.kubernetes.io/name=l7lb"
TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Replica:
    """One pod of ours."""

    namespace: str
    name: str
    ready: bool
    images: tuple[str, ...] = ()
    account: str = ""
    """Its service account."""
    node: str = ""
    shards: int = 1
    """Into how many the load balancers are divided, as its flag or variable says."""

    def has_tag(self, version: str) -> bool:
        """Whether one of its images bears this tag; a digest after it does not count."""
        return any(image.partition("@")[0].rpartition(":")[2] == version for image in self.images)


class _Verdict(View, frozen=True):
    allowed: bool = False


class _Review(View, frozen=True):
    status: _Verdict = _Verdict()


class _Version(View, frozen=True):
    version: str = ""


class _Group(View, frozen=True):
    versions: tuple[_Version, ...] = ()


class _Meta(View, frozen=True):
    name: str = ""
    namespace: str = ""


class _Variable(View, frozen=True):
    name: str = ""
    value: str = ""


class _Container(View, frozen=True):
    image: str = ""
    args: tuple[str, ...] | None = None
    env: tuple[_Variable, ...] | None = None


class _Spec(View, frozen=True):
    containers: tuple[_Container, ...] = ()
    service_account_name: str = ""
    node_name: str = ""


class _Condition(View, frozen=True):
    type: str = ""
    status: str = ""


class _Status(View, frozen=True):
    conditions: tuple[_Condition, ...] | None = None


class _Pod(View, frozen=True):
    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()


class _Pods(View, frozen=True):
    items: tuple[_Pod, ...] = ()


@dataclass(frozen=True, slots=True)
class KubeExaminer:
    """Each method raises what `Transport.request` raises."""

    transport: Transport
    wall: Callable[[], float]
    """Seconds since 1970, by our own clock."""

    def may(self, right: Right, user: str = "") -> bool:
        """Whether whoever asks has this right; with `user` whether that one has it, which is a right to ask itself."""
        resource, _, part = right.resource.partition("/")
        attributes = {
            "verb": right.verb, "group": right.group, "resource": resource, "subresource": part,
            "namespace": right.namespace, "name": right.name,
        }  # fmt: skip
        kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
        spec: dict[str, object] = {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
        if user:
            spec |= {"user": user, "groups": list(_groups(user))}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        path = f"{REVIEWS}/{kind.lower()}s"
        body = self._send(Request("POST", path, body=msgspec.json.encode(review), timeout_s=TIMEOUT_S, what=kind))
        return _decoded(body, _Review, kind).status.allowed

    def versions(self, group: str) -> tuple[str, ...]:
        """Versions of an API group that are served; empty: none is."""
        try:
            body = self._send(Request("GET", f"/apis/{quote(group)}", timeout_s=TIMEOUT_S, what="APIGroup"))
        except NotFound:
            return ()
        return tuple(one.version for one in _decoded(body, _Group, "APIGroup").versions)

    def replicas(self) -> tuple[Replica, ...]:
        """Pods of ours in all namespaces, by the label of the manifests."""
        query = {"labelSelector": LABEL}
        body = self._send(Request("GET", "/api/v1/pods", query, timeout_s=TIMEOUT_S, what="Pod"))
        return tuple(_replica(pod) for pod in _decoded(body, _Pods, "Pod").items)

    def skew_s(self) -> float | None:
        """How far the API server's clock is ahead of ours; it tells whole seconds. None: it does not tell."""
        before = self.wall()
        answer = self.transport.request(Request("GET", "/version", timeout_s=TIMEOUT_S, what="version"))
        return skew_s(answer.headers.get("Date"), before, self.wall())

    def _send(self, request: Request) -> bytes:
        return self.transport.request(request).body


def skew_s(date: str | None, before: float, after: float) -> float | None:
    """How far the clock that wrote a `Date` header is ahead; 0 within what rounding and the way there may do."""
    try:
        told = parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):
        return None
    if before - 1 <= told <= after:
        return 0.0
    return told - after if told > after else told + 1 - before


def _replica(pod: _Pod) -> Replica:
    ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())
    images = tuple(one.image for one in pod.spec.containers)
    meta, spec = pod.metadata, pod.spec
    shards = max((_shards(one) for one in spec.containers), default=1)
    return Replica(meta.namespace, meta.name, ready, images, spec.service_account_name, spec.node_name, shards)


def _shards(container: _Container) -> int:
    """As `run` reads it: the last flag, else the variable; what is no number is taken for one leader."""
    told = [one.value for one in container.env or () if one.name == "L7LB_SHARDS"]
    words = container.args or ()
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        flag, is_joined, value = word.partition("=")
        if flag == "--shards":
            told.append(value if is_joined else following)
    return int(told[-1]) if told and told[-1].isascii() and told[-1].isdecimal() else 1


def _groups(user: str) -> tuple[str, ...]:
    """A service account is in three groups; whoever else is asked about has those that everybody has."""
    _, _, account = user.partition("system:serviceaccount:")
    everybody = "system:authenticated"
    if not account:
        return (everybody,)
    return ("system:serviceaccounts", f"system:serviceaccounts:{account.partition(':')[0]}", everybody)


def _decoded(body: bytes, kind: type[T], what: str) -> T:
    try:
        return json_decoder(kind).decode(body)
    except MALFORMED as error:
        raise Unavailable(f"{what}: the answer cannot be decoded: {error}") from error
