"""What is applied, and what must come of it: written from the examples by hand, so that it is a second opinion."""

from dataclasses import dataclass

from tests.demo.children import ROOT
from tests.demo.cluster import Ref, documents
from tests.demo.wire import Json

LENT_ID = "lb-7xk2m9qa"
SUBNET_ID = "subnet-0aq3l8rt"
DEFAULT_CERTIFICATE = "Kd83hQ2x"
ACCOUNTS_CERTIFICATE = "Wq71LmPz"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One Ingress with its objects, and the forwarding rules that its load balancer must have: these and no other."""

    manifests: tuple[Json, ...]
    ingress: Ref
    rules: frozenset[str]
    is_lent: bool = False

    @property
    def services(self) -> list[Ref]:
        """Services that the manifests contain."""
        return [
            Ref("Service", document["metadata"]["namespace"], document["metadata"]["name"])
            for document in self.manifests
            if document["kind"] == "Service"
        ]


def _example(file: str, namespace: str, name: str, *rules: str, is_lent: bool = False) -> Wanted:
    manifests = tuple(documents(ROOT / "examples" / file))
    return Wanted(manifests, Ref("Ingress", namespace, name), frozenset(rules), is_lent)


def examples() -> tuple[Wanted, ...]:
    """Those in `examples/`, in their order."""
    return (
        _example("01-http.yaml", "shop", "storefront", "HTTP:80 shop.example.com/", "HTTP:80 shop.example.com/api"),
        _example("02-https.yaml", "shop", "checkout", "HTTPS:443 pay.example.com/", "HTTPS:443 accounts.example.com/"),
        _example("03-internal.yaml", "office", "backoffice", "HTTP:80 */", "HTTP:80 */reports"),
        _example("04-lent.yaml", "partner", "partner-api", "HTTP:80 partner.example.com/", is_lent=True),
    )


def latecomer() -> Wanted:
    """A fifth one, in whose creation the controller is killed."""
    service: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "latecomer", "namespace": "shop"},
        "spec": {"type": "NodePort", "selector": {"app": "latecomer"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    backend = {"service": {"name": "latecomer", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    ingress: Json = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "latecomer", "namespace": "shop"},
        "spec": {
            "ingressClassName": "qcloud",
            "rules": [{"host": "late.example.com", "http": {"paths": [path]}}],
        },
    }
    ref = Ref("Ingress", "shop", "latecomer")
    return Wanted((service, ingress), ref, frozenset({"HTTP:80 late.example.com/"}))


def lent_load_balancer(region: str, vpc: str) -> Json:
    """What its owner has made of it: a listener of its own, and a tag that is none of ours."""
    return {
        "id": LENT_ID,
        "name": "platform-shared",
        "region": region,
        "vpc_id": vpc,
        "tags": {"owner": "platform-team"},
        "listeners": [
            {
                "name": "bastion",
                "protocol": "TCP",
                "port": 2222,
                "targets": [{"ip": "127.0.0.1", "port": 22, "weight": 10}],
            }
        ],
    }
