"""Every action of the cloud's API that the product may call, and why: what its account has to be allowed.

The policy of docs/cloud-rights.md is made from this table, and a test compares the table with the calls in the code.
How an action is called does not belong here.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """One row. `named`: each call names the load balancer, so that a policy can be narrowed to some of them."""

    service: str
    name: str
    why: str
    write: bool = False
    named: bool = True


def _read(name: str, why: str, *, service: str = "clb", named: bool = True) -> Action:
    return Action(service, name, why, named=named)


def _write(name: str, why: str, *, service: str = "clb", named: bool = True) -> Action:
    return Action(service, name, why, write=True, named=named)


TABLE: Final = (
    _read("DescribeLoadBalancers", "find load balancers by tag and id: addresses, tags, protection", named=False),
    _read("DescribeListeners", "listeners, rules and certificates of one load balancer"),
    _read("DescribeTargets", "what is bound to its rules"),
    _read("DescribeTargetHealth", "health of targets: the readiness gate, lost nodes, the comparison after a start"),
    _read("DescribeTaskStatus", "whether an asynchronous write has ended", named=False),
    _read("DescribeQuota", "limits of the account, before a plan is made", named=False),
    _read("DescribeLBOperateProtect", "protection against modification"),
    _write("CreateLoadBalancer", "one for an Ingress, with its tags and a token", named=False),
    _write("DeleteLoadBalancer", "one that was made for an Ingress that has gone, by its id"),
    _write("ModifyLoadBalancerAttributes", "deletion protection and pass-to-target, where declared"),
    _write("SetLoadBalancerSecurityGroups", "security groups, where declared"),
    _write("CreateListener", "a port of an Ingress"),
    _write("ModifyListener", "certificate, name and connection settings of a listener"),
    _write("DeleteLoadBalancerListeners", "listeners of ours, each by its id"),
    _write("CreateRule", "hosts and paths of an Ingress"),
    _write("ModifyRule", "health check, scheduler and session of a rule"),
    _write("ModifyDomainAttributes", "certificate, default domain and HTTP/2 of a host"),
    _write("DeleteRule", "rules of ours, each by its id"),
    _write("AutoRewrite", "redirects from HTTP to HTTPS, by host"),
    _write("ManualRewrite", "redirects that an annotation lists"),
    _write("DeleteRewrite", "redirects that are asked for no more"),
    _write("BatchRegisterTargets", "bind nodes or pods"),
    _write("BatchDeregisterTargets", "unbind nodes or pods"),
    _write("BatchModifyTargetWeight", "weights, also 0 while a target drains"),
    _write("ModifyResourceTags", "our tags on a load balancer that is adopted, shared or let go", service="tag"),
    _read("DescribeCertificates", "names, kind and end of certificates", service="ssl", named=False),
)
