"""Names of the annotations that decide something, as TKE publishes them, and our own. No meaning in here."""

from enum import StrEnum

from l7lb.model import marks


class Name(StrEnum):
    """Annotations of an Ingress."""

    CLASS = marks.CLASS_ANNOTATION
    EXIST_LB_ID = "kubernetes.io/ingress.existLbId"
    SUBNET_ID = "kubernetes.io/ingress.subnetId"
    CHARGE_TYPE = "kubernetes.io/ingress.internetChargeType"
    BANDWIDTH = "kubernetes.io/ingress.internetMaxBandwidthOut"
    EXTENSIVE = "kubernetes.io/ingress.extensiveParameters"
    CROSS_REGION = "ingress.cloud.tencent.com/cross-region-id"
    CROSS_VPC = "ingress.cloud.tencent.com/cross-vpc-id"
    HYBRID_TYPE = "ingress.cloud.tencent.com/hybrid-type"
    SNAT_PRO = "ingress.cloud.tencent.com/snat-pro-info"
    MODIFICATION_PROTECTION = "ingress.cloud.tencent.com/modification-protection"
    DELETION_PROTECTION = "ingress.cloud.tencent.com/deletion-protection"
    RETAIN = "ingress.cloud.tencent.com/loadbalance-retain"
    MODE = "ingress.cloud.tencent.com/mode"
    LISTEN_PORTS = "ingress.cloud.tencent.com/listen-ports"
    RULE_MIX = "kubernetes.io/ingress.rule-mix"
    HTTP_RULES = "kubernetes.io/ingress.http-rules"
    HTTPS_RULES = "kubernetes.io/ingress.https-rules"
    RULE_MIX_BOTH = "kubernetes.io/ingress.rule-mix-both"
    REWRITE_SUPPORT = "ingress.cloud.tencent.com/rewrite-support"
    AUTO_REWRITE = "ingress.cloud.tencent.com/auto-rewrite"
    AUTO_REWRITE_CODE = "ingress.cloud.tencent.com/auto-rewrite-code"
    CONFIG = "ingress.cloud.tencent.com/tke-service-config"
    CONFIG_AUTO = "ingress.cloud.tencent.com/tke-service-config-auto"
    DIRECT_ACCESS = marks.DIRECT_ACCESS
    MIX_TARGET_PREFER = "ingress.cloud.tencent.com/mix-target-prefer"
    GRACE_SHUTDOWN = "ingress.cloud.tencent.com/enable-grace-shutdown"
    GRACE_SHUTDOWN_TKEX = "ingress.cloud.tencent.com/enable-grace-shutdown-tkex"
    GRACE_DELETION = "ingress.cloud.tencent.com/enable-grace-deletion"
    WEIGHTS = "ingress.cloud.tencent.com/lb-rs-weight"
    PASS_TO_TARGET = "ingress.cloud.tencent.com/pass-to-target"  # noqa: S105 -- a name
    SECURITY_GROUPS = "ingress.cloud.tencent.com/security-groups"
    CERTIFICATE = "ingress.cloud.tencent.com/certificate"
    GROUP = "ingress.cloud.tencent.com/enable-group"
    LEGACY_CERTIFICATE = "qcloud_cert_id"
    MATCHING = "l7lb.dev/matching"
    APPROVE = marks.APPROVE
    RECORD = marks.RECORD
    LOAD_BALANCER_ID = marks.LOAD_BALANCER_ID
    CONDITIONS = marks.CONDITIONS
    NAT_IPV6 = marks.NAT_IPV6
    IPV6 = marks.IPV6
    CLIENT_TOKEN = "ingress.cloud.tencent.com/client-token"  # noqa: S105 -- a name
