"""TKE's codes (contract, section 5.3) as one table: what each says, what cures it, what the worker does, what is held.

A code that is written anywhere in the product is a row here, and the severity with which it is told is one of the
row's. Rows of codes that l7lb never tells say why, so that whoever knows TKE's list finds each of them. Deciding what
holds is the work of whoever finds the problem; no logic belongs here.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from l7lb.model.problems import Severity


class Retry(Enum):
    """What is done about it afterwards. The verifier looks at every Ingress from time to time anyway."""

    EDIT = "waits for an edit"
    CURE = "at once when the object that is at fault changes"
    SLOWLY = "slowly, after 5 minutes or later"
    SOON = "soon, with growing delay"
    NEVER = "nothing to do"


class Scope(Enum):
    """The most that keeps its shape, or does not come to be, because of it."""

    NOTHING = "nothing"
    RULE = "the rule"
    HOST = "the host"
    LISTENER = "the listener"
    INGRESS = "the Ingress"
    CREATION = "the creation of the load balancer"


@dataclass(frozen=True, slots=True)
class Row:
    """One code."""

    code: str
    reasons: tuple[str, ...]
    """Reasons of the Events that bear it, in order; which one says what was met."""
    severities: frozenset[Severity]
    """With which it may be told."""
    retry: Retry
    held: Scope
    says: str
    cure: str
    unmet: str = ""
    """Why l7lb never tells it; empty for a code that it tells."""


ERROR: Final = frozenset({Severity.ERROR})
WARNING: Final = frozenset({Severity.WARNING})
EITHER: Final = ERROR | WARNING

_EDIT_VALUE: Final = "Correct the value; docs/annotations.md shows its form."
_ASK_QUOTA: Final = "Ask Tencent Cloud for a higher quota, or need less. It is tried again every 5 minutes."
_ASK_LIMIT: Final = "Ask Tencent Cloud for a higher quota, or need less. Quotas are read again every 5 minutes then."

TABLE: Final = (
    Row("E4000", ("CreateThrottled",), ERROR, Retry.SOON, Scope.CREATION,
        "The cloud makes no more load balancers for a moment.",
        "None needed: it is tried again at once."),
    Row("E4003", ("LoadBalancerQuotaExceeded",), ERROR, Retry.SLOWLY, Scope.CREATION,
        "The account may not have another load balancer.",
        _ASK_QUOTA),
    Row("E4004", ("ListenerQuotaExceeded", "ListenersExhausted"), ERROR, Retry.SLOWLY, Scope.LISTENER,
        "The load balancer may not have another listener.",
        _ASK_QUOTA),
    Row("E4005", ("RuleQuota", "RuleQuotaExceeded", "RulesExhausted"), EITHER, Retry.SLOWLY, Scope.RULE,
        "The listener may not have another rule. Rules that fit are made.",
        _ASK_LIMIT),
    Row("E4006", ("RedirectInTheWay",), EITHER, Retry.SOON, Scope.RULE,
        "A rule or listener is not wanted any more, or is to redirect, but a redirect that is not ours to take off"
        " begins or ends there. It is left.",
        "Remove the redirect in the console."),
    Row("E4007", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "The credential service of TKE has no record of the cluster.",
        "Give l7lb its own credentials (docs/operations.md).",
        unmet="l7lb does not use that service; its own credentials fail as `AccessDenied`"),
    Row("E4008", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "The role that TKE's controller takes on has lost its rights.",
        "Give l7lb its own credentials (docs/operations.md).",
        unmet="l7lb takes on another role; its own credentials fail as `AccessDenied`"),
    Row("E4009", ("SecretNameMissing",), ERROR, Retry.EDIT, Scope.HOST,
        "An entry of `spec.tls` names no Secret.",
        "Fill in `secretName`."),
    Row("E4010", ("SecretNotFound",), ERROR, Retry.CURE, Scope.HOST,
        "The Secret does not exist, or is not of type `Opaque`.",
        "Create it with the key `qcloud_cert_id`."),
    Row("E4011", ("EntryWithoutCertificate", "SecretWithoutCertificate"), ERROR, Retry.CURE, Scope.HOST,
        "The Secret, or the entry of the annotation `certificate`, has no `qcloud_cert_id`.",
        "Put the id of a server certificate there."),
    Row("E4012", ("CertificateRejected",), ERROR, Retry.SLOWLY, Scope.HOST,
        "The cloud refuses the certificate.",
        "Read the cloud's text in the Event; name another one."),
    Row("E4013", ("RuleWithoutHttp",), ERROR, Retry.EDIT, Scope.HOST,
        "A rule of the Ingress has no `http` paths.",
        "Give it at least one path."),
    Row("E4017", ("AmbiguousLoadBalancer", "OwnershipConflict"), ERROR, Retry.SLOWLY, Scope.INGRESS,
        "The tags do not say that this load balancer is this Ingress's, or several bear its tags. Nothing is written.",
        "Find out whose it is. Remove the wrong tag, or the wrong load balancer."),
    Row("E4018", ("LoadBalancerNotFound",), ERROR, Retry.SLOWLY, Scope.INGRESS,
        "The load balancer named by `existLbId` does not exist in this region. None is created instead.",
        "Correct the id."),
    Row("E4019", ("LoadBalancerMadeByTke",), ERROR, Retry.SLOWLY, Scope.INGRESS,
        "The load balancer was made by a cluster for something else.",
        "Name another one."),
    Row("E4020", ("LoadBalancerUsedByIngress",), ERROR, Retry.SLOWLY, Scope.INGRESS,
        "The load balancer is in use by another Ingress or another cluster.",
        "Name another one, or release it there first."),
    Row("E4021", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "The load balancer named by `existLbId` has listeners.",
        "None needed.",
        unmet="listeners of others are left alone; only one on a port that is needed is in the way (E4101)"),
    Row("E4022", ("InvalidAnnotation",), EITHER, Retry.EDIT, Scope.INGRESS,
        "The annotation `http-rules` cannot be read.",
        _EDIT_VALUE),
    Row("E4023", ("InvalidAnnotation",), EITHER, Retry.EDIT, Scope.INGRESS,
        "The annotation `https-rules` cannot be read.",
        _EDIT_VALUE),
    Row("E4024",
        ("BadCreateParameter", "CreateLoadBalancerRejected", "CreationFailed"),
        ERROR, Retry.EDIT, Scope.CREATION,
        "The load balancer cannot be created as asked.",
        "Read the cloud's text in the Event; correct the annotations."),
    Row("E4025", ("ResourceInsufficient",), ERROR, Retry.SLOWLY, Scope.CREATION,
        "The cloud has no resources left for this.",
        "Wait, or choose another zone or subnet."),
    Row("E4026", ("InvalidAnnotation",), ERROR, Retry.EDIT, Scope.CREATION,
        "The annotation `extensiveParameters` is no JSON object.",
        _EDIT_VALUE),
    Row("E4027", ("InsufficientBalance",), ERROR, Retry.SLOWLY, Scope.CREATION,
        "The account has no money left.",
        "Charge it. It is tried again every 5 minutes."),
    Row("E4030", ("ClassicLoadBalancer",), ERROR, Retry.SLOWLY, Scope.INGRESS,
        "The load balancer is of the classic kind.",
        "Name an application load balancer."),
    Row("E4031", ("BadPath",), ERROR, Retry.EDIT, Scope.RULE,
        "A path cannot be served by CLB.",
        "Use the characters and the length that the Event names."),
    Row("E4032", ("NoIpv6Targets",), ERROR, Retry.CURE, Scope.CREATION,
        "An IPv6 load balancer with IPv6 targets is asked for, and the cluster has none.",
        "Use `AddressIPVersion: IPV6` (IPv4 targets), or give the nodes or pods IPv6 addresses."),
    Row("E4033", ("Ipv6NotInRegion",), ERROR, Retry.EDIT, Scope.CREATION,
        "The region has no IPv6 load balancers.",
        "Leave `AddressIPVersion` out, or use another region."),
    Row("E4034", ("HostMissing",), EITHER, Retry.EDIT, Scope.HOST,
        "A rule without a host on an IPv6 load balancer.",
        "Give the rule a host."),
    Row("E4035", ("BadCertificateId", "CertificateIdInvalid"), ERROR, Retry.SLOWLY, Scope.HOST,
        "The certificate id has a wrong form.",
        "Put the eight characters of the id into the Secret, or into the annotation `certificate`."),
    Row("E4036", ("CertificateNotFound",), ERROR, Retry.SLOWLY, Scope.HOST,
        "The cloud does not know the certificate.",
        "Check the id, and that it is in this account."),
    Row("E4037", ("InvalidAnnotation",), ERROR, Retry.EDIT, Scope.INGRESS,
        "The annotation `direct-access` cannot be read.",
        _EDIT_VALUE),
    Row("E4038", ("CertificateOfWrongType",), ERROR, Retry.SLOWLY, Scope.HOST,
        "The certificate is of the wrong type: a client CA where a server certificate is needed, or the reverse.",
        "Put the id of a certificate of the right type there."),
    Row("E4039", ("CertificateExpired",), ERROR, Retry.SLOWLY, Scope.HOST,
        "The certificate has expired.",
        "Upload a new one and put its id into the Secret."),
    Row("E4040", ("CertificateMissing",), ERROR, Retry.EDIT, Scope.LISTENER,
        "A host has no certificate. It is left out.",
        "Add an entry to `spec.tls`, or to the annotation `certificate`."),
    Row("E4041", ("ServiceNotFound",), ERROR, Retry.CURE, Scope.RULE,
        "The Service does not exist. Its rules are held.",
        "Create it, or change the backend."),
    Row("E4042", ("BackendNotSupported", "ServicePortNotFound"), ERROR, Retry.CURE, Scope.RULE,
        "The backend is not a Service port that can be served.",
        "Point it at a TCP port of a Service."),
    Row("E4043", ("ServiceConfigNotFound",), WARNING, Retry.CURE, Scope.NOTHING,
        "The TkeServiceConfig that is named does not exist. Nothing waits for it; what is there is left.",
        "Create it in the namespace of the Ingress, or correct the name."),
    Row("E4044", ("InvalidAnnotation",), ERROR, Retry.EDIT, Scope.INGRESS,
        "The annotation `rule-mix` cannot be read.",
        _EDIT_VALUE),
    Row("E4045", ("InvalidAnnotation",), ERROR, Retry.EDIT, Scope.CREATION,
        "The annotation `internetChargeType` cannot be read.",
        _EDIT_VALUE),
    Row("E4046", ("InvalidAnnotation",), ERROR, Retry.EDIT, Scope.CREATION,
        "The annotation `internetMaxBandwidthOut` cannot be read.",
        _EDIT_VALUE),
    Row("E4047", ("NoNodePort",), ERROR, Retry.CURE, Scope.RULE,
        "The Service has no NodePort.",
        "Set its type to NodePort or LoadBalancer."),
    Row("E4048", ("DefaultCertificateAmbiguous",), ERROR, Retry.EDIT, Scope.HOST,
        "More than one entry for certificates has no hosts.",
        "Leave one as the default."),
    Row("E4049", ("HostCertificateAmbiguous",), ERROR, Retry.EDIT, Scope.HOST,
        "A host is in more than one entry for certificates.",
        "Leave it in one."),
    Row("E4050", ("InvalidAnnotation",), ERROR, Retry.EDIT, Scope.NOTHING,
        "The annotation `tke-service-config-auto` cannot be read.",
        _EDIT_VALUE),
    Row("E4051", ("ReservedName",), WARNING, Retry.EDIT, Scope.NOTHING,
        "The name of the TkeServiceConfig is reserved.",
        "Give the object another name."),
    Row("E4052", ("BadHost",), ERROR, Retry.EDIT, Scope.HOST,
        "A host cannot be served by CLB.",
        "Use the form that the Event names."),
    Row("E4053", ("SubnetExhausted",), ERROR, Retry.SLOWLY, Scope.CREATION,
        "The subnet has no free address.",
        "Choose another subnet. It is tried again every 5 minutes."),
    Row("E4054", ("TargetQuotaExceeded", "TargetsExhausted", "TooManyTargets"), EITHER, Retry.SLOWLY, Scope.NOTHING,
        "The rule may not have another target. Those that fit are bound.",
        _ASK_LIMIT),
    Row("E4055", ("InvalidAnnotation", "SubnetInvalid"), ERROR, Retry.EDIT, Scope.CREATION,
        "The subnet id has a wrong form, or the cloud refuses it.",
        "Correct the annotation `subnetId`."),
    Row("E4060", ("SnatProNotAllowed",), ERROR, Retry.EDIT, Scope.CREATION,
        "The account may not use SNAT Pro.",
        "Have it enabled by the cloud's support."),
    Row("E4066", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "The cluster has no TkeServiceConfig kind, and it could not be created.",
        "Install the chart, which brings it.",
        unmet="the kind comes with the chart; without it everything else goes on"),
    Row("E4068", ("RedirectConflict",), EITHER, Retry.EDIT, Scope.INGRESS,
        "An automatic redirect clashes with what is declared otherwise, or has no listener. What is declared stays.",
        "Take the rule out of the HTTP rules, list HTTP:80 and HTTPS:443, or switch `auto-rewrite` off."),
    Row("E4071", ("NotInOneCcn",), ERROR, Retry.EDIT, Scope.CREATION,
        "The VPC of the load balancer and the cluster's are not joined by one CCN.",
        "Attach both VPCs to one CCN."),
    Row("E4074", (), ERROR, Retry.SLOWLY, Scope.NOTHING,
        "A target cannot be bound, because its machine is in arrears or isolated.",
        "Charge the account, or replace the node.",
        unmet="no public page says how the cloud words it: the Event has the cloud's own text"),
    Row("E4081", ("RedirectRefused",), ERROR, Retry.EDIT, Scope.RULE,
        "An entry of `https-rules` redirects from a rule that is declared as a forwarding rule.",
        "Remove one of them."),
    Row("E4082", ("ServiceWithoutSelector",), ERROR, Retry.CURE, Scope.RULE,
        "The Service has no selector, so with direct access it has no pods. Its rules are held.",
        "Give it a selector."),
    Row("E4084", ("SnatAcrossRegions",), ERROR, Retry.EDIT, Scope.CREATION,
        "SNAT Pro and another region are asked for together.",
        "Remove one of the two annotations."),
    Row("E4091", ("SubnetNotFound",), ERROR, Retry.EDIT, Scope.CREATION,
        "The subnet does not exist.",
        "Correct the annotation `subnetId`."),
    Row("E4098", ("InvalidAnnotation",), ERROR, Retry.EDIT, Scope.CREATION,
        "The annotation `existLbId` is no id of a load balancer.",
        _EDIT_VALUE),
    Row("E4101", ("ListenerConflict",), ERROR, Retry.SLOWLY, Scope.INGRESS,
        "A listener that is not ours is on a port that the Ingress needs.",
        "Remove that listener, or name another load balancer."),
    Row("E4406", ("LoadBalancerMixed",), ERROR, Retry.EDIT, Scope.INGRESS,
        "A group (`enable-group`) and an Ingress outside of it name one load balancer. Who came first has it.",
        "Name another load balancer, or put all of them into the group."),
    Row("E5003", (), ERROR, Retry.SOON, Scope.NOTHING,
        "The load-balancer service has an internal error.",
        "None needed.",
        unmet="told as E6006 while it lasts, for the same is to be done"),
    Row("E5004", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "The service of virtual machines has an internal error.",
        "None needed.",
        unmet="it is never called: nodes are read from Kubernetes"),
    Row("E5005", (), ERROR, Retry.SOON, Scope.NOTHING,
        "The tag service has an internal error.",
        "None needed.",
        unmet="told as E6006 while it lasts, for the same is to be done"),
    Row("E5007", (), ERROR, Retry.SOON, Scope.NOTHING,
        "The credential service has an internal error.",
        "None needed.",
        unmet="told as `AccessDenied` or `WebIdentityRefused` with the cloud's text"),
    Row("E5008", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "TKE has an internal error.",
        "None needed.",
        unmet="TKE is never called"),
    Row("E5009", (), ERROR, Retry.SOON, Scope.NOTHING,
        "Of many targets in one call some were not bound.",
        "None needed.",
        unmet="what was not bound is bound by the next pass, which begins at once with a fresh look"),
    Row("E6001", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "`TKE_REGION` is missing.",
        "Set `--region`.",
        unmet="`l7lb run` says so on standard error and ends with code 2"),
    Row("E6002", (), ERROR, Retry.NEVER, Scope.NOTHING,
        "`TKE_VPC_ID` is missing.",
        "Set `--vpc-id`.",
        unmet="`l7lb run` reads the flag instead, and says what it cannot do without"),
    Row("E6006", ("Unavailable",), ERROR, Retry.SOON, Scope.INGRESS,
        "The cloud API does not answer, or answers that it is out of order.",
        "Check the network and `--clb-endpoint`. It is tried again until it answers."),
    Row("E6007", (), ERROR, Retry.SOON, Scope.INGRESS,
        "The controller has an internal error.",
        "Report it.",
        unmet="told as `InternalError`, without a number of TKE's"),
    Row("E6009", (), ERROR, Retry.SOON, Scope.INGRESS,
        "The controller has an internal error, or a webhook of the cluster refuses what it writes.",
        "Read the Event.",
        unmet="a refused write is told in the words of the API server; a bug as `InternalError`"),
    Row("W1000", (), WARNING, Retry.CURE, Scope.NOTHING,
        "A Service is not in the controller's memory yet.",
        "None needed.",
        unmet="nothing is decided before all Services are read; one that is missing then is E4041"),
    Row("W1001", ("LoadBalancerKept", "LoadBalancerLeft"), WARNING, Retry.NEVER, Scope.NOTHING,
        "A load balancer is left behind when its Ingress goes.",
        "Look whether it is still needed."),
    Row("W1002", ("ListenersLeft",), WARNING, Retry.NEVER, Scope.NOTHING,
        "Listeners that are not ours stay when ours are released.",
        "None needed."),
)  # fmt: skip
"""In the order of the codes."""
CODES: Final = {row.code: row for row in TABLE}
