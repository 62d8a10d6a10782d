"""Everything that the scenes are played on: two emulators, the cluster's nodes, the controller as a child process."""

import os
import socket
import ssl
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.demo import fleet as nodes
from tests.demo.children import Child, Children
from tests.demo.cloud import Cloud, LoadBalancer
from tests.demo.cluster import Cluster, Ref
from tests.demo.fleet import Fleet
from tests.demo.manifests import ACCOUNTS_CERTIFICATE, DEFAULT_CERTIFICATE, SUBNET_ID, lent_load_balancer
from tests.demo.patience import Patience, Surprise
from tests.demo.screen import Screen
from tests.demo.traffic import Site
from tests.demo.wire import ask

CLUSTER_ID = "cls-9mfq2k1t"
CONTROLLER = "l7lb"
LEASE = Ref("Lease", "kube-system", f"l7lb-{CLUSTER_ID}")
_SECRET_ID, _SECRET_KEY = "AKIDEMULATOR", "emulator-secret-key"
_START_S = 20.0
# A check every second instead of every five, so that a new target is in use after two seconds instead of ten.
_PROBE_SCALE = "0.2"
_ANCHOR = "127.80.255.254"  # no load balancer ever gets this address
_VIPS_LOOKED_AT = range(1, 12)


@dataclass
class Stage:
    """What scenes may use."""

    folder: Path
    screen: Screen
    children: Children
    patience: Patience
    cluster: Cluster
    cloud: Cloud
    fleet: Fleet
    port_offset: int
    anchor: socket.socket
    """Held while we use the offset, so that a second demo takes another."""
    trust: ssl.SSLContext

    @property
    def kubeconfig(self) -> Path:
        """For the controller, and for kubectl."""
        return kubeconfig_in(self.folder)

    @property
    def authority(self) -> Path:
        """For `curl --cacert`."""
        return authority_in(self.folder)

    def close(self) -> None:
        """Let go of what is held in this process; the children are ended by whoever started them."""
        self.fleet.close()
        self.anchor.close()

    def uid(self, ingress: Ref) -> str:
        """The UID that tags bear."""
        return str(self.cluster.get(ingress)["metadata"]["uid"])

    def site(self, lb: LoadBalancer, url: str) -> Site:
        """What a client of a load balancer asks for: `https://pay.example.com/`; the host `*` is the address."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        secure = scheme == "https"
        return Site(
            lb.address,
            (443 if secure else 80) + self.port_offset,
            lb.address if host == "*" else host,
            slash + path,
            self.trust if secure else None,
        )


def kubeconfig_in(folder: Path) -> Path:
    """Where the kubeconfig is."""
    return folder / "kubeconfig"


def authority_in(folder: Path) -> Path:
    """Where the authority of the data plane's certificates is."""
    return folder / "authority.pem"


def raised(folder: Path, screen: Screen, children: Children) -> Stage:
    """Start the emulators and put into the cloud what was there before us."""
    patience = Patience([children.check])
    offset, anchor = _claimed_offset()
    kube = children.start(
        "kube", ["tests.emulators.kube", "--port", "0", "--kubeconfig-out", str(kubeconfig_in(folder))]
    )
    clb = children.start(
        "clb",
        ["tests.emulators.clb", "--port", "0", "--latency", "real", "--port-offset", str(offset),
         "--probe-scale", _PROBE_SCALE],
    )  # fmt: skip
    cluster = Cluster(_url_of(kube, patience))
    cloud = Cloud(_url_of(clb, patience))
    _furnish(cloud)
    authority_in(folder).write_text(cloud.authority(), encoding="ascii")
    fleet = Fleet(cluster, cloud, f"127.10.{os.getpid() % 250}")
    trust = ssl.create_default_context(cafile=str(authority_in(folder)))
    return Stage(folder, screen, children, patience, cluster, cloud, fleet, offset, anchor, trust)


def controller_started(stage: Stage) -> Child:
    """`python -m l7lb run`, once it says that it is ready."""
    health = _free_port()
    arguments = [
        "l7lb", "run",
        "--cluster-id", CLUSTER_ID,
        "--region", nodes.REGION,
        "--vpc-id", nodes.VPC,
        "--kubeconfig", str(stage.kubeconfig),
        "--clb-endpoint", stage.cloud.url,
        "--credentials", "env",
        "--class-exit-grace", "1",
        "--metrics-bind-address", f"127.0.0.1:{_free_port()}",
        "--health-probe-bind-address", f"127.0.0.1:{health}",
        "--log-format", "text",
    ]  # fmt: skip
    stage.screen.say("python -m " + " ".join(arguments))
    keys = {"TENCENTCLOUD_SECRET_ID": _SECRET_ID, "TENCENTCLOUD_SECRET_KEY": _SECRET_KEY}
    child = stage.children.start(CONTROLLER, arguments, keys)
    stage.patience.until("the controller to be ready (/readyz)", lambda: _is_ready(health), _START_S)
    return child


def _is_ready(port: int) -> bool:
    try:
        status, _ = ask(f"http://127.0.0.1:{port}", "GET", "/readyz")
    except Surprise:
        return False  # It does not listen yet.
    return status == 200


def _url_of(emulator: Child, patience: Patience) -> str:
    return patience.until(
        f"the {emulator.name} emulator to listen", lambda: emulator.said(r"^listening on (http://\S+)$"), _START_S
    )


def _furnish(cloud: Cloud) -> None:
    """A subnet, two certificates, and a load balancer that belongs to somebody else."""
    cloud.seed(
        {
            "subnets": [{"id": SUBNET_ID, "vpc_id": nodes.VPC, "region": nodes.REGION, "zone": nodes.ZONE}],
            "certificates": [
                {"id": DEFAULT_CERTIFICATE, "domain": "pay.example.com"},
                {"id": ACCOUNTS_CERTIFICATE, "domain": "accounts.example.com"},
            ],
            "load_balancers": [lent_load_balancer(nodes.REGION, nodes.VPC)],
        }
    )


def _claimed_offset() -> tuple[int, socket.socket]:
    """Listener port P is served on P + offset, so that nobody has to be root; 8080 and 8443 if these are free.

    Load balancers open their ports later; the socket that comes with the offset keeps other demos off until then.
    """
    for offset in chain((8000,), range(10_000 + os.getpid() % 400 * 10, 24_000, 1000)):
        wanted = [(f"127.80.0.{last}", port + offset) for last in _VIPS_LOOKED_AT for port in (80, 443)]
        if all(_is_free(*address) for address in wanted) and (anchor := _anchored(80 + offset)) is not None:
            return offset, anchor
    raise Surprise(
        "no ports can be had on the loopback addresses 127.80.0.1 and up; is another demo running?"
        " (Linux answers on all of 127.0.0.0/8; other systems need an alias for each address)"
    )


def _anchored(port: int) -> socket.socket | None:
    anchor = socket.socket()
    try:
        anchor.bind((_ANCHOR, port))
        anchor.listen()
    except OSError:
        anchor.close()
        return None
    return anchor


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return port
