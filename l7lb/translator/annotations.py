"""The one table of all annotations: form, meaning, what a bad value does, what is supported, what the docs say.

A new annotation is a row here; supporting one later changes its row. Nothing in this module looks at the rest of an
Ingress.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from l7lb.translator import entries, parsers, weights
from l7lb.translator.certificate_list import certificate_list
from l7lb.translator.names import Name


class When(Enum):
    """When the value counts."""

    LIVE = "followed on update"
    CREATE = "only at creation"
    WRITTEN = "written by the controller"


class Support(Enum):
    """What we do about it now."""

    SUPPORTED = "supported"
    PARTLY = "in part"
    """One of its values is refused: with that one everything of the Ingress is held."""
    IGNORED = "no effect"
    """There is nothing to do, in TKE as here."""
    NOTICE = "no effect, with a notice"
    """TKE does something that is not done here; its author hears that."""


class Fault(Enum):
    """What a value that cannot be read does."""

    REFUSES = "the Ingress is held"
    STOPS_CREATION = "nothing is created"
    LEAVES = "what is there is left"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One row."""

    name: Name
    form: str
    parse: Callable[[str], object]
    doc: str
    when: When = When.LIVE
    support: Support = Support.SUPPORTED
    fault: Fault = Fault.LEAVES
    code: str = ""
    """TKE's code for a value that cannot be read."""
    default: str = ""
    needs: Name | None = None
    """It has an effect only while this boolean is true."""


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """One row as the documentation shows it."""

    name: str
    form: str
    default: str
    when: str
    support: str
    bad_value: str
    code: str
    doc: str


def annotation_rows() -> tuple[AnnotationRow, ...]:
    """The table as text, in the order of the documentation."""
    return tuple(
        AnnotationRow(
            name=row.name.value,
            form=row.form,
            default=row.default,
            when=row.when.value,
            support=row.support.value,
            bad_value="" if row.when is When.WRITTEN else row.fault.value,
            code=row.code,
            doc=row.doc,
        )
        for row in TABLE
    )


BOOL = '"true" or "false"'
CREATE, WRITTEN = When.CREATE, When.WRITTEN
PARTLY, IGNORED = Support.PARTLY, Support.IGNORED
REFUSES, STOPS = Fault.REFUSES, Fault.STOPS_CREATION

TABLE: tuple[Annotation, ...] = (
    Annotation(
        Name.CLASS, "text", parsers.text, "Class of the Ingress; wins over `spec.ingressClassName`.", default="ours",
    ),
    Annotation(
        Name.EXIST_LB_ID, "id", parsers.identifier("lb"), "Use this load balancer, which stays its owner's.",
        CREATE, fault=STOPS, code="E4098", default="a new load balancer",
    ),
    Annotation(
        Name.SUBNET_ID, "id", parsers.identifier("subnet"), "Internal load balancer in this subnet.",
        CREATE, fault=STOPS, code="E4055", default="a public load balancer",
    ),
    Annotation(
        Name.CHARGE_TYPE, "`TRAFFIC_POSTPAID_BY_HOUR` or `BANDWIDTH_POSTPAID_BY_HOUR`",
        parsers.one_of("TRAFFIC_POSTPAID_BY_HOUR", "BANDWIDTH_POSTPAID_BY_HOUR"), "Billing of a public load balancer.",
        CREATE, fault=STOPS, code="E4045", default="the account's",
    ),
    Annotation(
        Name.BANDWIDTH, "1 to 2048", parsers.number(1, 2048), "Mbps of a public load balancer.",
        CREATE, fault=STOPS, code="E4046", default="the cloud's",
    ),
    Annotation(
        Name.EXTENSIVE, "JSON object", parsers.json_object,
        "Merged into the create call, except what identity and ownership rest on.",
        CREATE, fault=STOPS, code="E4026",
    ),
    Annotation(
        Name.CROSS_REGION, "region", parsers.region,
        "The load balancer is in another region; a new one needs `cross-vpc-id` too. Targets are bound by address.",
        CREATE, fault=REFUSES, default="the cluster's region",
    ),
    Annotation(
        Name.CROSS_VPC, "id", parsers.identifier("vpc"),
        "VPC of the load balancer to be created; ignored with `existLbId`.",
        CREATE, fault=STOPS, default="the cluster's VPC",
    ),
    Annotation(
        Name.HYBRID_TYPE, "`CCN`", parsers.one_of("CCN"),
        "Registered nodes (label `node.kubernetes.io/instance-type: external`) are targets too.",
        default="cloud nodes only",
    ),
    Annotation(
        Name.SNAT_PRO, 'JSON like `{"snatIps":[{"subnetId":"subnet-xxxxxxxx"}]}`', parsers.snat_ips,
        "SNAT addresses for registered nodes; goes into the create call.", CREATE, fault=STOPS,
    ),
    Annotation(
        Name.MODIFICATION_PROTECTION, BOOL, parsers.boolean,
        "Modification protection of the load balancer is compared, and told when it is not so: no public API call"
        " switches it.",
    ),
    Annotation(
        Name.DELETION_PROTECTION, BOOL, parsers.boolean,
        "Deletion protection of the load balancer; while on, it survives its Ingress.",
    ),
    Annotation(
        Name.RETAIN, BOOL, parsers.boolean, "A load balancer that we made survives its Ingress.", default="false",
    ),
    Annotation(
        Name.MODE, "`skip`", parsers.one_of("skip"), "Nothing is written to the load balancer, also on deletion.",
        fault=REFUSES,
    ),
    Annotation(
        Name.LISTEN_PORTS, 'JSON array like `[{"HTTP":80},{"HTTPS":443}]`', parsers.listen_ports,
        "Exactly these listeners, each with all rules of its protocol; HTTPS needs a certificate.",
        fault=REFUSES, default="80, with TLS 443",
    ),
    Annotation(
        Name.RULE_MIX, BOOL, parsers.boolean,
        "HTTP:80 and HTTPS:443; the two annotations below say which rule goes where, and a rule that neither names goes"
        " to HTTPS.",
        fault=REFUSES, code="E4044", default="false",
    ),
    Annotation(
        Name.HTTP_RULES, "JSON array or `null`", entries.rule_set,
        "Rules of the Ingress that go to HTTP, and redirects from there (entries with `rewrite`).",
        fault=REFUSES, code="E4022", needs=Name.RULE_MIX,
    ),
    Annotation(
        Name.HTTPS_RULES, "JSON array or `null`", entries.rule_set,
        "Rules of the Ingress that go to HTTPS, and redirects from there (entries with `rewrite`).",
        fault=REFUSES, code="E4023", needs=Name.RULE_MIX,
    ),
    Annotation(
        Name.RULE_MIX_BOTH, BOOL, parsers.boolean,
        "Every rule on HTTP and on HTTPS; not together with `rule-mix`, `rewrite-support` or `auto-rewrite`.",
        fault=REFUSES, default="false",
    ),
    Annotation(
        Name.REWRITE_SUPPORT, BOOL, parsers.boolean,
        "All redirects from the listeners are declared by annotations; entries with `rewrite` count. Only `false`"
        " switches it off.",
        fault=REFUSES, default="false",
    ),
    Annotation(
        Name.AUTO_REWRITE, BOOL, parsers.boolean,
        "Every rule on HTTPS:443 gets a redirect on HTTP:80. Only `false` switches it off.",
        fault=REFUSES, default="false",
    ),
    Annotation(
        Name.AUTO_REWRITE_CODE,
        'JSON object like `{"defaultRewriteCode":301,"rewriteCodeInfos":[{"host":"a.example.com","rewriteCode":307}]}`',
        entries.codes, "Status codes of the automatic redirects: 301, 302 or 307.",
        default="302", needs=Name.AUTO_REWRITE,
    ),
    Annotation(
        Name.CONFIG, "name", parsers.text,
        "TkeServiceConfig in the same namespace that tunes listeners and rules ([its page](service-config.md)); "
        "removing it leaves what is there.",
    ),
    Annotation(
        Name.CONFIG_AUTO, BOOL, parsers.boolean,
        "Make a TkeServiceConfig `<ingress>-auto-ingress-config` of what is there, keep its entries in step with the "
        "rules, and apply it; not together with the one above.",
        code="E4050", default="false",
    ),
    Annotation(
        Name.DIRECT_ACCESS, BOOL, parsers.boolean,
        "Pods are the targets instead of NodePorts; they need addresses of the VPC.",
        fault=REFUSES, code="E4037", default="false",
    ),
    Annotation(
        Name.MIX_TARGET_PREFER, "`ipv4` or `ipv6`", parsers.one_of("ipv4", "ipv6"),
        "Family of pod addresses on an IPv6 load balancer that takes both.", default="ipv6", needs=Name.DIRECT_ACCESS,
    ),
    Annotation(Name.GRACE_SHUTDOWN, BOOL, parsers.boolean, "Deprecated: always done.", support=IGNORED),
    Annotation(
        Name.GRACE_SHUTDOWN_TKEX, BOOL, parsers.boolean, "Deprecated: always done.", support=IGNORED
    ),
    Annotation(
        Name.GRACE_DELETION, BOOL, parsers.boolean,
        "A terminating pod gets the weight 0 at once, with or without it. Holding the pod until then needs the kubelet:"
        " use a `preStop` sleep.",
        support=Support.NOTICE, default="false", needs=Name.DIRECT_ACCESS,
    ),
    Annotation(
        Name.WEIGHTS, "JSON object", weights.parse,
        "Weights of pods by the ordinals of their StatefulSets, and `defaultWeight`; a key names a listener (HTTP,"
        " HTTPS) or a port of a Service (TCP). `custom-weight` of a pod wins, and a pod that drains has 0.",
        default="10", needs=Name.DIRECT_ACCESS,
    ),
    Annotation(
        Name.PASS_TO_TARGET, BOOL, parsers.boolean,
        "Traffic is checked by the security groups of the load balancer only; removing it leaves what is there.",
    ),
    Annotation(
        Name.SECURITY_GROUPS, "ids, by commas, at most 5", parsers.security_groups,
        'All security groups of the load balancer; `""` unbinds all; removing it leaves what is there.',
        fault=STOPS,
    ),
    Annotation(
        Name.CERTIFICATE, 'JSON array like `[{"hosts":["a.example.com"],"qcloud_cert_id":["Kd83hQ2x"]}]`',
        certificate_list, "Certificates by id, instead of `spec.tls`; an entry without hosts is the default, two ids"
        " are of two key algorithms.", default="`spec.tls`",
    ),
    Annotation(
        Name.GROUP, BOOL, parsers.boolean, "Share the load balancer of `existLbId` with other Ingresses.",
        CREATE, fault=REFUSES, default="false",
    ),
    Annotation(
        Name.MATCHING, "`tke` or `kubernetes`", parsers.one_of("tke", "kubernetes"),
        "Which meaning of hosts and `pathType` counts. `kubernetes` is not supported yet: an Ingress that asks for it"
        " is held as it is, because with TKE's meaning its routing would be wrong.",
        support=PARTLY, fault=REFUSES, default="tke",
    ),
    Annotation(
        Name.APPROVE, "digest", parsers.text, "Lets exactly the plan with this digest pass the guard once.",
    ),
    Annotation(
        Name.LEGACY_CERTIFICATE, "id", parsers.text, "From 2019; the Secret is what counts.", support=IGNORED,
    ),
    Annotation(Name.RECORD, "JSON", parsers.text, "Where to look for the load balancer.", WRITTEN),
    Annotation(Name.LOAD_BALANCER_ID, "id", parsers.text, "Id of the load balancer in use.", WRITTEN),
    Annotation(Name.CONDITIONS, "JSON array", parsers.text, "Conditions of the Ingress.", WRITTEN),
    Annotation(Name.NAT_IPV6, "address", parsers.text, "IPv6 address of a NAT64 load balancer.", WRITTEN),
    Annotation(Name.IPV6, "address", parsers.text, "Address of an IPv6 load balancer.", WRITTEN),
    Annotation(Name.CLIENT_TOKEN, "token", parsers.text, "TKE's; neither read nor removed.", WRITTEN, IGNORED),
)  # fmt: skip
