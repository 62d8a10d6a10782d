"""Configuration: the table of flags, their `L7LB_*` twins, and the frozen value that comes of them.

The command line parses by this table, the docs page is made from it. Every mistake is a ConfigurationError whose one
line names the flag.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from l7lb.errors import ConfigurationError
from l7lb.ledger import CLUSTER_TAG

Value = str | int | float | bool

WORKERS_MAX: Final = 256
SHARDS_MAX: Final = 16
"""Of the 25 deletions that a region allows in 5 minutes each shard needs one."""
SHARE_LEAST: Final = 0.05
SHARE_MOST: Final = 0.95
"""With all of it, whatever else calls would be refused."""
OFF: Final = "0"
"""An address at which nothing is served."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of `l7lb run`; the type of its default is its type."""

    name: str
    default: Value
    help: str
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """Its twin in the environment."""
        return "L7LB_" + self.name.upper().replace("-", "_")

    @property
    def field(self) -> str:
        """Its name in `Config`."""
        return self.name.replace("-", "_")


FLAGS: Final = (
    Flag("cluster-id", "", f"Id of this cluster (cls-xxxxxxxx): goes into the tag {CLUSTER_TAG}. Required."),
    Flag("confirm-cluster", "", "The cluster id once more: this cluster is no copy, deletes are not held."),
    Flag("region", "", "Region of the cluster and of its load balancers (ap-guangzhou). Required."),
    Flag(
        "more-regions",
        "",
        "Other regions, separated by commas, in which load balancers of the cluster are looked for, although no "
        "Ingress names them.",
    ),
    Flag("vpc-id", "", "VPC of the cluster, in which load balancers are created."),
    Flag("kubeconfig", "", "Kubeconfig file; empty: the pod's service account."),
    Flag("clb-endpoint", "", "Where the cloud API is: http://127.0.0.1:PORT or a host, for every service."),
    Flag("api-root-domain", "tencentcloudapi.com", "Domain under which each service of the cloud API has its host."),
    Flag("credentials", "env", "Where the cloud keys come from: env, file[:PATH], cvm-role[:NAME] or tke-oidc."),
    Flag("watch-namespace", "", "Only Ingresses of this namespace; empty: all."),
    Flag("manage-classless", True, "Whether Ingresses without any class are ours, as with TKE."),
    Flag("ignore-tke-controller", False, "Write even though TKE's own controller may be running."),
    Flag("tke-finalizers", "ingress.k8s.tencent/resources", "Finalizers of TKE that go together with ours."),
    Flag("class-exit-grace", 30.0, "Seconds between the edit that takes an Ingress out of its class and its release."),
    Flag("secrets-from", "list", "How Secrets are read.", ("list", "referenced")),
    Flag("max-concurrent-reconciles", 8, "Workers."),
    Flag(
        "api-share",
        0.75,
        "Part of the account's API quota that is used, from 0.05 to 0.95: others in the account call as well.",
    ),
    Flag("verify-interval", 600.0, "Seconds between two comparisons of all load balancers with the cloud; 0: never."),
    Flag(
        "collect-orphans",
        False,
        "Delete load balancers of ours whose Ingress has been gone for a day, without anybody asking; else they are "
        "only reported.",
    ),
    Flag("leader-elect", True, "Wait for the Lease. Without: take it at once, or exit 2 when its holder renews it."),
    Flag(
        "shards",
        1,
        "Parts into which load balancers are divided among replicas, each with a Lease of its own; the same number for "
        "all replicas. 1: one leader for all.",
    ),
    Flag("metrics-bind-address", ":8080", "Where /metrics is served; 0: nowhere."),
    Flag("health-probe-bind-address", ":8081", "Where /healthz and /readyz are served; 0: nowhere."),
    Flag(
        "console-bind-address",
        "0",
        "Where the console is served, read-only and to whoever reaches it (127.0.0.1:8082); 0: nowhere.",
    ),
    Flag(
        "readiness-webhook",
        "",
        "NAMESPACE/NAME of the Service (and Secret) of the webhook that gives pods the readiness gate; empty: none.",
    ),
    Flag("readiness-webhook-bind-address", ":9443", "Where the webhook is served, with TLS."),
    Flag("log-level", "info", "Least level of what is logged.", ("debug", "info", "warning", "error")),
    Flag("log-format", "json", "How a log line looks.", ("json", "text")),
    Flag(
        "otlp-endpoint",
        "",
        "Where traces are sent, by OTLP over HTTP: http://HOST:4318. Empty: where OTEL_EXPORTER_OTLP_ENDPOINT says, or "
        "nowhere.",
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """One field a flag; times in seconds."""

    cluster_id: str
    region: str
    more_regions: str = ""
    confirm_cluster: str = ""
    vpc_id: str = ""
    kubeconfig: str = ""
    clb_endpoint: str = ""
    api_root_domain: str = "tencentcloudapi.com"
    credentials: str = "env"
    watch_namespace: str = ""
    manage_classless: bool = True
    ignore_tke_controller: bool = False
    tke_finalizers: str = "ingress.k8s.tencent/resources"
    class_exit_grace: float = 30.0
    secrets_from: str = "list"
    max_concurrent_reconciles: int = 8
    api_share: float = 0.75
    verify_interval: float = 600.0
    collect_orphans: bool = False
    leader_elect: bool = True
    shards: int = 1
    metrics_bind_address: str = ":8080"
    health_probe_bind_address: str = ":8081"
    console_bind_address: str = "0"
    readiness_webhook: str = ""
    readiness_webhook_bind_address: str = ":9443"
    log_level: str = "info"
    log_format: str = "json"
    otlp_endpoint: str = ""

    @property
    def other_regions(self) -> tuple[str, ...]:
        """`more_regions` as names."""
        return tuple(name.strip() for name in self.more_regions.split(",") if name.strip())

    @property
    def finalizers_of_tke(self) -> tuple[str, ...]:
        """`tke_finalizers` as names."""
        return tuple(name.strip() for name in self.tke_finalizers.split(",") if name.strip())


_SECONDS_MAX: Final = 86_400.0
_CLUSTER = re.compile(r"(?=.{1,63}$)[A-Za-z0-9]+([.-][A-Za-z0-9]+)*")
"""It becomes part of the name of the Lease."""
_REGION = re.compile(r"[a-z]+-[a-z0-9]+(-[a-z0-9]+)*")
_REGIONS = re.compile(rf"{_REGION.pattern}(, *{_REGION.pattern})*")
_VPC = re.compile(r"vpc-[a-z0-9]+")
_LABEL = r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PORT = r"(?:[1-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_HOST = re.compile(rf"{_DOMAIN.pattern}(:{_PORT})?")
_ADDRESS = re.compile(rf"0|(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]*):{_PORT}")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_FINALIZERS = re.compile(r"[a-z0-9.-]+/[A-Za-z0-9._-]+(, *[a-z0-9.-]+/[A-Za-z0-9._-]+)*")
_SERVICE = re.compile(rf"{_NAMESPACE.pattern}/{_NAMESPACE.pattern}")
_RECEIVER = re.compile(rf"https?://(?:{_DOMAIN.pattern}|\[[0-9a-fA-F:]+\])(:{_PORT})?(/[A-Za-z0-9._~/-]*)?")
_CREDENTIALS = re.compile(r"env|file(:.+)?|cvm-role(:.+)?|tke-oidc")
_FORMS: Final = (
    ("cluster-id", _CLUSTER, "cls-9mfq2k1t"),
    ("region", _REGION, "ap-guangzhou"),
    ("more-regions", _REGIONS, "ap-beijing,ap-shanghai"),
    ("vpc-id", _VPC, "vpc-4hd8w0pn"),
    ("api-root-domain", _DOMAIN, "tencentcloudapi.com"),
    ("watch-namespace", _NAMESPACE, "shop"),
    ("readiness-webhook", _SERVICE, "l7lb/l7lb-webhook"),
    ("otlp-endpoint", _RECEIVER, "http://collector.tracing:4318"),
    ("tke-finalizers", _FINALIZERS, "ingress.k8s.tencent/resources, separated by commas"),
)


def config(values: Mapping[str, Value]) -> Config:
    """Check values by field name; raises ConfigurationError."""
    built = Config(**values)  # type: ignore[arg-type]  # the command line gives each field the type of its default
    _required(built)
    for flag, pattern, example in _FORMS:
        text = str(values.get(flag.replace("-", "_"), ""))
        if text and not pattern.fullmatch(text):
            raise ConfigurationError(f"--{flag}: {text!r} is not of the form {example}")
    for flag, address in (
        ("metrics-bind-address", built.metrics_bind_address),
        ("health-probe-bind-address", built.health_probe_bind_address),
        ("console-bind-address", built.console_bind_address),
        ("readiness-webhook-bind-address", built.readiness_webhook_bind_address),
    ):
        if not _ADDRESS.fullmatch(address):
            raise ConfigurationError(
                f"--{flag}: {address!r} is not of the form :8080 or 127.0.0.1:8080, nor 0 for none"
            )
    if built.confirm_cluster not in ("", built.cluster_id):
        raise ConfigurationError(
            f"--confirm-cluster: {built.confirm_cluster!r} is not --cluster-id: nothing is confirmed"
        )
    _numbers(built)
    if not _CREDENTIALS.fullmatch(built.credentials):
        # What was given is not repeated: somebody may have put a key there.
        raise ConfigurationError("--credentials: must be env, file[:PATH], cvm-role[:NAME] or tke-oidc")
    _collecting(built)
    _sharded(built)
    if built.clb_endpoint:
        endpoint(built.clb_endpoint)
    return built


def _required(built: Config) -> None:
    for flag, text in (("cluster-id", built.cluster_id), ("region", built.region)):
        if not text:
            raise ConfigurationError(f"--{flag} (or L7LB_{flag.upper().replace('-', '_')}) is required")


def _numbers(built: Config) -> None:
    """Each comparison is written so that what is no number fails it."""
    if not 1 <= built.max_concurrent_reconciles <= WORKERS_MAX:
        raise ConfigurationError(f"--max-concurrent-reconciles: must be from 1 to {WORKERS_MAX}")
    if not SHARE_LEAST <= built.api_share <= SHARE_MOST:
        raise ConfigurationError(f"--api-share: must be from {SHARE_LEAST:g} to {SHARE_MOST:g}")
    if not 0 <= built.class_exit_grace <= _SECONDS_MAX:
        raise ConfigurationError(f"--class-exit-grace: must be from 0 to {_SECONDS_MAX:g} seconds")
    if not (built.verify_interval == 0 or 1 <= built.verify_interval <= _SECONDS_MAX):
        raise ConfigurationError(f"--verify-interval: must be 0, or from 1 to {_SECONDS_MAX:g} seconds")


def _sharded(built: Config) -> None:
    """What is made for one leader is refused where there are several."""
    if not 1 <= built.shards <= SHARDS_MAX:
        raise ConfigurationError(f"--shards: must be from 1 to {SHARDS_MAX}")
    if built.shards > 1 and not built.leader_elect:
        raise ConfigurationError("--shards: not together with --no-leader-elect: each shard has a Lease to wait for")
    if built.shards > 1 and built.console_bind_address != OFF:
        raise ConfigurationError("--shards: not together with --console-bind-address: a replica knows a part only")


def _collecting(built: Config) -> None:
    """Who sees a part only cannot know that nobody is there."""
    if not built.collect_orphans:
        return
    if built.watch_namespace:
        raise ConfigurationError("--collect-orphans: not together with --watch-namespace, which shows a part only")
    if built.verify_interval == 0:
        raise ConfigurationError("--collect-orphans: not together with --verify-interval=0: nobody would look for them")


def endpoint(text: str) -> tuple[str, str]:
    """(scheme, host[:port]) of `--clb-endpoint`; raises ConfigurationError."""
    form = "must be of the form http://127.0.0.1:9000, https://HOST or HOST, without a path"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        raise ConfigurationError(f"--clb-endpoint: {form}") from None
    whole = parts.path in ("", "/") and not (parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not whole or not _HOST.fullmatch(parts.netloc):
        raise ConfigurationError(f"--clb-endpoint: {form}")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ConfigurationError(
            "--clb-endpoint: plain http is only for 127.0.0.1 and localhost: signed calls need TLS"
        )
    return parts.scheme, parts.netloc
