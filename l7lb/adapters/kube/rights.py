"""Every right in the cluster that `l7lb run` uses, as the manifests in examples/deploy give them; a test compares.

What a right is for, and whether somebody has it, does not belong here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

GATED: Final = ("tke-service-controller-config", "tke-ingress-controller-config")
SYSTEM: Final = "kube-system"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource."""

    verb: str
    group: str
    resource: str
    """With its part after a slash: `ingresses/status`."""
    namespace: str = ""
    """Empty: in all, or the resource is in none."""
    name: str = ""
    """Empty: any."""

    def __str__(self) -> str:
        whole = f"{self.resource}.{self.group}" if self.group else self.resource
        named = f" {self.name}" if self.name else ""
        return f"{self.verb} {whole}{named}{f' in {self.namespace}' if self.namespace else ''}"


@dataclass(frozen=True, slots=True)
class Uses:
    """What of the configuration asks for rights."""

    lease: str
    """Name of the Lease."""
    all_secrets: bool = True
    """False: each Secret that is referenced has a right of its own, which is nobody's to list here."""
    webhook: str = ""
    """NAMESPACE/NAME of the webhook's Secret; empty: none."""
    collecting: bool = False
    shards: int = 1
    """Each of several has a Lease of its own."""


def rights(uses: Uses) -> tuple[Right, ...]:
    """All of them, each once."""
    return (*_everywhere(uses), *_in_the_system(uses), *_of_the_webhook(uses))


def _everywhere(uses: Uses) -> Iterator[Right]:
    rows = [
        ("get list watch patch", "networking.k8s.io", "ingresses"),
        ("patch", "networking.k8s.io", "ingresses/status"),
        ("get list watch", "networking.k8s.io", "ingressclasses"),
        ("get list watch", "", "services"),
        ("list watch", "discovery.k8s.io", "endpointslices"),
        ("list watch", "", "nodes"),
        ("list watch", "", "pods"),
        ("patch", "", "pods/status"),
        ("list watch create patch delete", "cloud.tencent.com", "tkeserviceconfigs"),
        ("create patch", "", "events"),
    ]
    if uses.all_secrets:
        rows.append(("list watch", "", "secrets"))
    yield from (Right(verb, group, resource) for verbs, group, resource in rows for verb in verbs.split())
    yield Right("get", "", "namespaces", name=SYSTEM)


def _in_the_system(uses: Uses) -> Iterator[Right]:
    for verb in ("get", "watch"):
        yield Right(verb, "apps", "deployments", SYSTEM, "l7-lb-controller")
        yield from (Right(verb, "", "configmaps", SYSTEM, name) for name in GATED)
    yield Right("create", "coordination.k8s.io", "leases", SYSTEM)
    shards = [f"{uses.lease}-{shard}" for shard in range(uses.shards)] if uses.shards > 1 else []
    for lease in (uses.lease, *shards):
        yield from (Right(verb, "coordination.k8s.io", "leases", SYSTEM, lease) for verb in ("get", "patch"))
    if uses.collecting:
        yield from (Right(verb, "", "configmaps", SYSTEM, uses.lease) for verb in ("get", "patch"))


def _of_the_webhook(uses: Uses) -> Iterator[Right]:
    if not uses.webhook:
        return
    namespace, _, name = uses.webhook.partition("/")
    yield Right("create", "", "secrets", namespace)
    yield from (Right(verb, "", "secrets", namespace, name) for verb in ("get", "patch"))
    hook = "mutatingwebhookconfigurations"
    yield from (Right(verb, "admissionregistration.k8s.io", hook, name=WEBHOOK) for verb in ("get", "patch"))


WEBHOOK: Final = "l7lb-readiness-gate"
"""Name of the MutatingWebhookConfiguration."""
