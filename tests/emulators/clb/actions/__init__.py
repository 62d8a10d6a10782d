"""The actions that are served, by service and name. Each takes cloud and call, and gives the answer's members."""

from collections.abc import Callable, Mapping

from tests.emulators.clb.actions import (
    hosts,
    listeners,
    load_balancers,
    load_balancers_read,
    lookups,
    redirects,
    rules,
    tags,
    targets,
    targets_read,
)
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.wire import Json

Action = Callable[[Cloud, Call], Json]

ACTIONS: Mapping[tuple[str, str], Action] = {
    ("clb", "CreateLoadBalancer"): load_balancers.create_load_balancer,
    ("clb", "DeleteLoadBalancer"): load_balancers.delete_load_balancer,
    ("clb", "ModifyLoadBalancerAttributes"): load_balancers.modify_attributes,
    ("clb", "SetLoadBalancerSecurityGroups"): load_balancers.set_security_groups,
    ("clb", "DescribeLoadBalancers"): load_balancers_read.describe_load_balancers,
    ("clb", "DescribeQuota"): load_balancers_read.describe_quota,
    ("clb", "DescribeLBOperateProtect"): load_balancers_read.describe_operate_protect,
    ("clb", "DescribeTaskStatus"): load_balancers_read.describe_task_status,
    ("clb", "CreateListener"): listeners.create_listener,
    ("clb", "DescribeListeners"): listeners.describe_listeners,
    ("clb", "ModifyListener"): listeners.modify_listener,
    ("clb", "DeleteListener"): listeners.delete_listener,
    ("clb", "DeleteLoadBalancerListeners"): listeners.delete_listeners,
    ("clb", "CreateRule"): rules.create_rule,
    ("clb", "ModifyRule"): rules.modify_rule,
    ("clb", "DeleteRule"): rules.delete_rule,
    ("clb", "ModifyDomain"): hosts.modify_domain,
    ("clb", "ModifyDomainAttributes"): hosts.modify_domain_attributes,
    ("clb", "RegisterTargets"): targets.register_targets,
    ("clb", "DeregisterTargets"): targets.deregister_targets,
    ("clb", "BatchRegisterTargets"): targets.batch_register,
    ("clb", "BatchDeregisterTargets"): targets.batch_deregister,
    ("clb", "ModifyTargetWeight"): targets.modify_weight,
    ("clb", "BatchModifyTargetWeight"): targets.batch_modify_weight,
    ("clb", "DescribeTargets"): targets_read.describe_targets,
    ("clb", "DescribeTargetHealth"): targets_read.describe_target_health,
    ("clb", "AutoRewrite"): redirects.auto_rewrite,
    ("clb", "ManualRewrite"): redirects.manual_rewrite,
    ("clb", "DescribeRewrite"): redirects.describe_rewrite,
    ("clb", "DeleteRewrite"): redirects.delete_rewrite,
    ("tag", "TagResources"): tags.tag_resources,
    ("tag", "UnTagResources"): tags.untag_resources,
    ("tag", "ModifyResourceTags"): tags.modify_resource_tags,
    ("tag", "DescribeResourceTagsByResourceIds"): tags.tags_by_resource_ids,
    ("tag", "GetResources"): tags.get_resources,
    ("ssl", "DescribeCertificateDetail"): lookups.describe_certificate,
    ("ssl", "DescribeCertificates"): lookups.describe_certificates,
    ("cvm", "DescribeInstances"): lookups.describe_instances,
    ("vpc", "DescribeSubnets"): lookups.describe_subnets,
}

REGIONLESS = frozenset({"tag", "ssl"})
"""Services that need no ``X-TC-Region``."""
