"""Whether the account may read what the product reads: each read is made once, of something harmless.

A right to write is not tried: the only proof would be a write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial

import requests

from l7lb.adapters.clb import transport
from l7lb.adapters.clb.actions import TABLE, Action
from l7lb.adapters.clb.certificates import TencentCertificates
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.sdk import Endpoint
from l7lb.errors import AccessDenied, L7lbError, NotFound
from l7lb.model.identity import CloudRef, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead

NO_TASK = TaskId("00000000-0000-0000-0000-000000000000")
NO_CERTIFICATE = "l7lbnone"
WRITES = "the proof would be a write"
NOTHING_TO_READ = "there is no load balancer of this cluster to ask about"


class Finding(StrEnum):
    """What a probe has shown."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNPROVEN = "unproven"
    """A write, or there is nothing yet that could be read."""
    UNKNOWN = "unknown"
    """It failed for another reason."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One action of the API."""

    action: str
    """`clb:Action`, as in a policy."""
    finding: Finding
    why: str = ""


def probe(
    cloud: TencentLoadBalancers,
    certificates: TencentCertificates,
    region: str,
    tags: Mapping[str, str],
    head: LoadBalancerHead | None,
) -> tuple[Probe, ...]:
    """Of every action in the table. `tags`: those of the cluster; `head`: a load balancer that may be read."""
    reads = _reads(cloud, certificates, region, head)
    reads["DescribeLoadBalancers"] = partial(cloud.find, region, tags)
    return tuple(_one(action, reads.get(action.name)) for action in TABLE)


def _reads(
    cloud: TencentLoadBalancers, certificates: TencentCertificates, region: str, head: LoadBalancerHead | None
) -> dict[str, Callable[[], object]]:
    reads: dict[str, Callable[[], object]] = {
        "DescribeTaskStatus": partial(cloud.task, region, NO_TASK),
        "DescribeQuota": partial(cloud.limits, region),
        "DescribeCertificates": partial(certificates.read, frozenset({NO_CERTIFICATE}), Lane.CHANGE),
    }
    if head is None:
        return reads
    refs: tuple[CloudRef, ...] = (head.ref,)
    return reads | {
        "DescribeListeners": partial(cloud.listeners, head),
        "DescribeTargets": partial(cloud.targets, head.ref),
        "DescribeTargetHealth": partial(cloud.health, refs),
        "DescribeLBOperateProtect": partial(cloud.protected, refs),
    }


def _one(action: Action, read: Callable[[], object] | None) -> Probe:
    name = f"{action.service}:{action.name}"
    if action.write:
        return Probe(name, Finding.UNPROVEN, WRITES)
    if read is None:
        return Probe(name, Finding.UNPROVEN, NOTHING_TO_READ)
    try:
        read()
    except AccessDenied as error:
        return Probe(name, Finding.DENIED, str(error))
    except NotFound:
        return Probe(name, Finding.ALLOWED)
    except L7lbError as error:
        return Probe(name, Finding.UNKNOWN, str(error))
    return Probe(name, Finding.ALLOWED)


def date_of(endpoint: Endpoint) -> float | None:
    """What the API's clock says, seconds since 1970, by one request without credentials; None: it does not tell."""
    session = transport.session()
    verify: bool | str = endpoint.ca_file or True
    try:
        with transport.deadline():
            url = f"{endpoint.scheme()}://{endpoint.host('clb')}/"
            answer = session.get(url, timeout=transport.READ_S, allow_redirects=False, verify=verify)
            return parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (requests.RequestException, OSError, TypeError, ValueError):
        return None
    finally:
        session.close()
