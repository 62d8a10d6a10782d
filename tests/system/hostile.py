"""Hostile input as a table: what is asked for, what its author must hear, what is served, and what cures it."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.system.kube import Json
from tests.system.world import CLUSTER, VPC, World, ingress, rule, service

TKE = "kubernetes.io/ingress."
CLOUD = "ingress.cloud.tencent.com/"
EXISTING = TKE + "existLbId"
HOST, OTHER = "shop.example.com", "pay.example.com"
KEY_MATERIAL = "-----BEGIN PRIVATE KEY----- MIIEvQIBADANBg"
LENDER = {"protocol": "TCP", "port": 22, "name": "lender"}

Served = Mapping[str, frozenset[str]] | None
"""Listener -> rules; None: no load balancer of its own."""
Change = Callable[[World, str], None]
"""Told the world and the namespace."""

NOTHING: Served = None
BOUGHT: Served = {}
"""The cloud has refused what comes after the load balancer itself."""


def http(*rules: str) -> Served:
    return {"HTTP:80": frozenset(rules)}


def https(*rules: str) -> Served:
    return {"HTTPS:443": frozenset(rules)}


ONE = http(f"{HOST}/")


@dataclass(frozen=True)
class Hostile:
    """One bad input. Services `web` (NodePort) is there in every namespace; the Ingress is called `web` too."""

    name: str
    code: str
    """What the Event and the condition say: TKE's code, or the reason where TKE has none."""
    ingress: Json
    served: Served = NOTHING
    """While it is bad; a lent load balancer is then left as it is."""
    cure: Change = field(default_factory=lambda: annotate("example.com/try", "again"))
    cured: Served = field(default_factory=lambda: ONE)
    objects: tuple[Json, ...] = ()
    lent: Json | None = None
    ready: bool = False
    """Only a warning: everything that can be asked for is served."""


def asking(*rules: Json, annotations: Mapping[str, str] | None = None, **spec: object) -> Json:
    return ingress("web", "", *(rules or (rule(HOST, "web"),)), annotations=annotations, **spec)


def annotated(name: str, value: str) -> Json:
    return asking(annotations={name: value})


def patch(kind: str, name: str, change: Json) -> Change:
    def done(world: World, namespace: str) -> None:
        world.kube.patch(kind, name, namespace, change)

    return done


def annotate(name: str, value: str | None) -> Change:
    return patch("Ingress", "web", {"metadata": {"annotations": {name: value}}})


def spec(**change: object) -> Change:
    return patch("Ingress", "web", {"spec": change})


def of_service(**change: object) -> Change:
    return patch("Service", "cart", {"spec": change})


def create(made: Json) -> Change:
    def done(world: World, namespace: str) -> None:
        world.kube.create(_in(made, namespace))

    return done


def secret(name: str, **data: str) -> Json:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    meta = {"name": name, "namespace": ""}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": encoded}


def put(name: str, **data: str) -> Change:
    """Write these keys into a Secret."""
    return patch("Secret", name, {"data": secret(name, **data)["data"]})


def with_path(path: str, backend: str, path_type: str = "Prefix") -> Json:
    """`/` of a good backend, and another path."""
    made = rule(HOST, "web")
    made["http"]["paths"].append(rule(HOST, backend, path, path_type)["http"]["paths"][0])
    return made


def lent(name: str, **members: object) -> Json:
    return {"id": name, "vpc_id": VPC, "listeners": [LENDER], **members}


def tls(*entries: tuple[str, tuple[str, ...]]) -> list[Json]:
    return [{"secretName": name, **({"hosts": list(hosts)} if hosts else {})} for name, hosts in entries]


def _in(made: Json, namespace: str) -> Json:
    return {**made, "metadata": {**made["metadata"], "namespace": namespace}}


def prepare(case: Hostile, world: World, namespace: str) -> Json:
    """Everything that the case starts from; the Ingress as created."""
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    for made in case.objects:
        world.kube.create(_in(made, namespace))
    if case.lent is not None:
        world.seed({"load_balancers": [case.lent]})
    return world.kube.create(_in(case.ingress, namespace))


def _without_port_80(world: World, namespace: str) -> None:
    """The lender takes its listener away; nobody tells us but the author, who edits the Ingress."""
    world.console(edit="delete_listener", load_balancer="lb-h0taken0", listener="TCP:80")
    world.kube.annotate("web", namespace, **{"example.com/try": "again"})


BAD_ANNOTATIONS = (
    Hostile("extensive-not-json", "E4026", annotated(TKE + "extensiveParameters", "{ZoneId: 3"),
            cure=annotate(TKE + "extensiveParameters", '{"ZoneId":"ap-guangzhou-3"}')),
    Hostile("extensive-takes-identity", "E4024", annotated(TKE + "extensiveParameters", '{"Number":3}'),
            cure=annotate(TKE + "extensiveParameters", None)),
    Hostile("direct-access-maybe", "E4037", annotated(CLOUD + "direct-access", "maybe"),
            cure=annotate(CLOUD + "direct-access", "false")),
    Hostile("charge-type-unknown", "E4045", annotated(TKE + "internetChargeType", "MONTHLY"),
            cure=annotate(TKE + "internetChargeType", None)),
    Hostile("bandwidth-too-high", "E4046", annotated(TKE + "internetMaxBandwidthOut", "9000"),
            cure=annotate(TKE + "internetMaxBandwidthOut", "100")),
    Hostile("subnet-malformed", "E4055", annotated(TKE + "subnetId", "my subnet"),
            cure=annotate(TKE + "subnetId", "subnet-0000good")),
    Hostile("subnet-unknown", "E4091", annotated(TKE + "subnetId", "subnet-0nowhere"),
            cure=annotate(TKE + "subnetId", "subnet-0000good")),
    Hostile("subnet-full", "E4053", annotated(TKE + "subnetId", "subnet-0000full"),
            cure=annotate(TKE + "subnetId", "subnet-0000good")),
    Hostile("security-groups-malformed", "InvalidAnnotation", annotated(CLOUD + "security-groups", "sg-1;sg-2"),
            cure=annotate(CLOUD + "security-groups", "sg-1aaaaaaa")),
)  # fmt: skip

BAD_BACKENDS = (
    Hostile("service-unknown", "E4041", asking(with_path("/cart", "cart")), ONE,
            create(service("cart", "", 0)), http(f"{HOST}/", f"{HOST}/cart")),
    Hostile("port-unknown", "E4042", asking(with_path("/cart", "cart")), ONE,
            of_service(ports=[{"port": 80}]),
            http(f"{HOST}/", f"{HOST}/cart"), (service("cart", "", 0, ports=[{"port": 8443}]),)),
    Hostile("cluster-ip", "E4047", asking(with_path("/cart", "cart")), ONE,
            of_service(type="NodePort"),
            http(f"{HOST}/", f"{HOST}/cart"), (service("cart", "", 0, type="ClusterIP"),)),
    Hostile("external-name", "E4042", asking(with_path("/cart", "cart")), ONE, spec(rules=[rule(HOST, "web")]),
            objects=({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart", "namespace": ""},
                      "spec": {"type": "ExternalName", "externalName": "cart.example.org"}},)),
    Hostile("rule-without-http", "E4013", asking(rule(HOST, "web"), {"host": "empty.example.com"}), ONE,
            spec(rules=[rule(HOST, "web")])),
    Hostile("host-one-label", "E4052", asking(rule(HOST, "web"), rule("intranet", "web")), ONE,
            spec(rules=[rule(HOST, "web")])),
    Hostile("path-with-percent", "E4031", asking(with_path("/caf%C3%A9", "web")), ONE, spec(rules=[rule(HOST, "web")])),
    Hostile("path-twice", "DuplicateRule", asking(with_path("/", "web", "ImplementationSpecific")), ONE,
            spec(rules=[rule(HOST, "web")]), ready=True),
    Hostile("rules-over-quota", "E4005", asking(*(rule(f"h{number:02}.example.com", "web") for number in range(60))),
            http(*(f"h{number:02}.example.com/" for number in range(50))),
            spec(rules=[rule(f"h{number:02}.example.com", "web") for number in range(50)]),
            http(*(f"h{number:02}.example.com/" for number in range(50)))),
)  # fmt: skip

TWO = (rule(HOST, "web"), rule(OTHER, "web"))
GOOD = secret("good", qcloud_cert_id="certrsa1")

BAD_CERTIFICATES = (
    Hostile("secret-missing", "E4010", asking(*TWO, tls=tls(("good", (HOST,)), ("bad", (OTHER,)))), https(f"{HOST}/"),
            create(secret("bad", qcloud_cert_id="certrsa2")), https(f"{HOST}/", f"{OTHER}/"), (GOOD,)),
    Hostile("secret-empty", "E4011", asking(tls=tls(("bad", ()))), NOTHING, put("bad", qcloud_cert_id="certrsa1"),
            https(f"{HOST}/"), (secret("bad", other="x"),)),
    Hostile("secret-with-a-key-in-it", "E4035", asking(tls=tls(("bad", ()))), NOTHING,
            put("bad", qcloud_cert_id="certrsa1"), https(f"{HOST}/"), (secret("bad", qcloud_cert_id=KEY_MATERIAL),)),
    Hostile("certificate-unknown", "E4036", asking(tls=tls(("bad", ()))), BOUGHT,
            put("bad", qcloud_cert_id="certrsa1"), https(f"{HOST}/"), (secret("bad", qcloud_cert_id="nowhere1"),)),
    Hostile("certificate-expired", "E4039", asking(tls=tls(("bad", ()))), BOUGHT,
            put("bad", qcloud_cert_id="certrsa1"), https(f"{HOST}/"), (secret("bad", qcloud_cert_id="certexp1"),)),
    Hostile("two-defaults", "E4048", asking(tls=tls(("good", ()), ("more", ()))), NOTHING,
            spec(tls=tls(("good", ()))), https(f"{HOST}/"), (GOOD, secret("more", qcloud_cert_id="certrsa2"))),
    Hostile("host-in-two-entries", "E4049", asking(*TWO, tls=tls(("good", (HOST, OTHER)), ("more", (OTHER,)))),
            https(f"{HOST}/"), spec(tls=tls(("good", (HOST, OTHER)))), https(f"{HOST}/", f"{OTHER}/"),
            (GOOD, secret("more", qcloud_cert_id="certrsa2"))),
    Hostile("host-without-certificate", "E4040", asking(*TWO, tls=tls(("good", (HOST,)))), https(f"{HOST}/"),
            spec(tls=tls(("good", (HOST, OTHER)))), https(f"{HOST}/", f"{OTHER}/"), (GOOD,)),
)  # fmt: skip

ANOTHER_UID = "11111111-2222-3333-4444-555555555555"
SPARE = tuple(f"lb-hspare{number}0" for number in range(6))
"""Load balancers that nobody objects to."""


def unusable(name: str, code: str, given: str, spare: str, of_another: Json | None = None) -> Hostile:
    """An `existLbId` that is refused; cured by naming a load balancer that nobody objects to."""
    return Hostile(name, code, annotated(EXISTING, given), NOTHING, annotate(EXISTING, spare), lent=of_another)


OF_TKE = {"tke-createdBy-flag": "yes", "tke-clusterId": CLUSTER}
OF_ANOTHER_INGRESS = {"tke-clusterId": CLUSTER, "tke-lb-ingress-uuid": ANOTHER_UID}
OF_ANOTHER_CLUSTER = {"tke-clusterId": "cls-another1"}
BAD_LENT = (
    unusable("existing-malformed", "E4098", "lb_7xk2 m9", SPARE[0]),
    unusable("existing-missing", "E4018", "lb-h0nowher", SPARE[1]),
    unusable("existing-of-tke", "E4019", "lb-h00tke00", SPARE[2], lent("lb-h00tke00", tags=OF_TKE)),
    unusable("existing-of-an-ingress", "E4020", "lb-h0other0", SPARE[3], lent("lb-h0other0", tags=OF_ANOTHER_INGRESS)),
    unusable("existing-of-a-cluster", "E4020", "lb-h0clust0", SPARE[4], lent("lb-h0clust0", tags=OF_ANOTHER_CLUSTER)),
    unusable("existing-classic", "E4030", "lb-h0class0", SPARE[5], lent("lb-h0class0", forward=0)),
    Hostile(
        "existing-port-taken",
        "E4101",
        annotated(EXISTING, "lb-h0taken0"),
        cure=_without_port_80,
        lent=lent("lb-h0taken0", listeners=[LENDER, {"protocol": "TCP", "port": 80, "name": "lender"}]),
    ),
)

CASES = (*BAD_ANNOTATIONS, *BAD_BACKENDS, *BAD_CERTIFICATES, *BAD_LENT)
ACCOUNT: Json = {
    "subnets": [
        {"id": "subnet-0000good", "vpc_id": VPC},
        {"id": "subnet-0000full", "vpc_id": VPC, "free_addresses": 0},
    ],
    "load_balancers": [lent(name) for name in SPARE],
}
