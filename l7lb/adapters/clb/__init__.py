"""The cloud: load balancers, tags and credentials of one account, spoken through the official SDK.

Wire names, error codes and the SDK itself stop in this package; what leaves it are values of `model` and the classes of
`errors`. Nothing in here knows an Ingress, decides what should be, or waits for a task.
"""

from l7lb.adapters.clb.credentials import Credentials
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.sdk import Endpoint

__all__ = ["Credentials", "Endpoint", "TencentLoadBalancers"]
