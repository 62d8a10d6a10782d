"""Who we are to the API server: a kubeconfig file or the pod's service account, and the token as it is now.

The `kubernetes` package reads both; this module adds what it lacks: token files read again (in a kubeconfig it reads
them once for ever), whitespace stripped, the old token kept while the file cannot be read, and a fresh look after 401.
The token never leaves this module except in the header's value.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_kube_config
from kubernetes.config.incluster_config import InClusterConfigLoader
from kubernetes.utils.keepalive import tcp_keepalive_socket_options

from l7lb.errors import ConfigurationError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_MAX_AGE_S = 60.0
RENEWAL_INTERVAL_S = 5.0
"""A server that refuses every token must not make us run a credentials plugin for each request."""

_UNREADABLE = (
    ConfigException,
    OSError,
    yaml.YAMLError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What the package raises for a file that is none: it looks into what it has parsed without asking what that is."""
_POOL_SIZE = 32
_UNACKNOWLEDGED_MS_MAX = 45_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where the configuration comes from."""

    kubeconfig: str = ""
    """Path, or several joined as in KUBECONFIG; empty: the pod's service account."""
    context: str = ""
    """Empty: the current one."""
    service_account: Path = SERVICE_ACCOUNT


class Credentials:
    """Loaded configuration with a token that stays fresh. Safe for threads."""

    def __init__(self, source: Source, *, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic. Raises ConfigurationError when the source cannot be read."""
        self._source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._configuration, self._token_file = _load(source)
        self._read_at = clock()
        self._renewed_at = -RENEWAL_INTERVAL_S + self._read_at
        if self._token_file is not None:
            self._read_token()

    @property
    def configuration(self) -> Any:
        """The `kubernetes` package's Configuration: host, TLS files, proxy."""
        return self._configuration

    @property
    def origin(self) -> str:
        """Who says where the API server is."""
        named = self._source.kubeconfig
        return f"kubeconfig {named}" if named else "from inside a pod"

    @property
    def weakness(self) -> str:
        """What the kubeconfig gives up of the connection's safety, in words; empty: nothing."""
        parts = urlsplit(self._configuration.host)
        if parts.scheme != "https":
            host = parts.hostname or ""
            near = host in ("localhost", "::1") or host.startswith("127.")
            return "" if near else "the connection to the API server has no TLS: anybody on the way reads the token"
        if not self._configuration.verify_ssl:
            return "the certificate of the API server is not verified: the kubeconfig says insecure-skip-tls-verify"
        return ""

    def header(self) -> str:
        """The value of Authorization as of now; empty: none (client certificate)."""
        with self._lock:
            if self._token_file is not None and self._clock() - self._read_at >= TOKEN_MAX_AGE_S:
                self._read_token()
            return self._header()

    def renew(self, refused: str) -> bool:
        """Look for another token after a 401 that answered `refused`; says whether there is one."""
        with self._lock:
            if self._header() == refused and self._clock() - self._renewed_at >= RENEWAL_INTERVAL_S:
                self._renewed_at = self._clock()
                self._reload()
            return self._header() != refused

    def _header(self) -> str:
        # auth_settings runs the package's own hook, which renews what a plugin gave with an expiry.
        bearer: str = self._configuration.auth_settings().get("BearerToken", {}).get("value") or ""
        return bearer

    def _reload(self) -> None:
        if self._token_file is not None:
            self._read_token()
            return
        try:
            self._configuration, self._token_file = _load(self._source)
        except ConfigurationError:
            return  # The file is being replaced; the caller sees that nothing changed.

    def _read_token(self) -> None:
        """Take the token in the file; keep the old one when there is none to be read."""
        self._read_at = self._clock()
        try:
            token = (self._token_file or Path()).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return
        if token:
            self._configuration.api_key["BearerToken"] = f"Bearer {token}"


def _load(source: Source) -> tuple[Any, Path | None]:
    """The configuration, and the file that its token is to be read from again and again."""
    configuration = Configuration()
    configuration.connection_pool_maxsize = _POOL_SIZE
    configuration.socket_options = _socket_options()
    try:
        if source.kubeconfig:
            _check_shape(source)
            load_kube_config(
                config_file=source.kubeconfig,
                context=source.context or None,
                client_configuration=configuration,
                persist_config=False,
            )
            token_file = _token_file_of(source)
        else:
            token_file = source.service_account / "token"
            InClusterConfigLoader(
                token_filename=str(token_file),
                cert_filename=str(source.service_account / "ca.crt"),
                try_refresh_token=False,
            ).load_and_set(configuration)
    except _UNREADABLE as error:
        if not source.kubeconfig:
            hint = "outside of a pod, name a file: --kubeconfig ~/.kube/config"
            raise ConfigurationError(
                f"--kubeconfig: service account {source.service_account}: {error} ({hint})"
            ) from error
        raise ConfigurationError(f"--kubeconfig: {source.kubeconfig}: {error}") from error
    if token_file is not None:
        # Else the package's hook would put the token that it read at start back before each request.
        configuration.refresh_api_key_hook = None
    return configuration, token_file


def _socket_options() -> list[tuple[int, int, int]]:
    """Find a dead peer both when we wait (keepalive) and when we send (unacknowledged data)."""
    options: list[tuple[int, int, int]] = tcp_keepalive_socket_options()
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS_MAX))
    return options


def _check_shape(source: Source) -> None:
    """The package takes what it has parsed for a map of lists of maps; raises ConfigurationError that says what is not.

    Values are never repeated: one of them may be a token.
    """
    for path, document in _documents(source):
        if not isinstance(document, dict):
            what = "is empty" if document is None else f"holds {_kind(document)} where a map belongs"
            raise ConfigurationError(f"--kubeconfig: {path} is no kubeconfig: it {what}")
        for where, value, wanted in _parts(document):
            if value is not None and not isinstance(value, wanted):
                belongs = "a list" if wanted is list else "a map"
                raise ConfigurationError(f"--kubeconfig: {path}: {where} is {_kind(value)} where {belongs} belongs")


def _parts(document: dict[str, Any]) -> Iterator[tuple[str, Any, type]]:
    """(place, what stands there, what has to)."""
    for part, name in (("clusters", "cluster"), ("contexts", "context"), ("users", "user")):
        yield part, document.get(part), list
        for number, entry in enumerate(document.get(part) or ()):
            yield f"{part}[{number}]", entry, dict
            yield f"{part}[{number}].{name}", entry.get(name), dict


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else "a bare value"


def _documents(source: Source) -> Iterator[tuple[Path, Any]]:
    """What the files hold that are there."""
    for part in filter(None, source.kubeconfig.split(os.pathsep)):
        path = Path(part).expanduser()
        if path.is_file():
            with path.open(encoding="utf-8") as stream:  # from a stream: then a parse error quotes no line of the file
                yield path, yaml.safe_load(stream)


def _token_file_of(source: Source) -> Path | None:
    """users[].user.tokenFile of the context in use, as the package resolves it: relative to its kubeconfig."""
    contexts: dict[str, Any] = {}
    users: dict[str, tuple[Path, Any]] = {}
    current = source.context
    for path, document in _documents(source):
        current = current or document.get("current-context") or ""
        for entry in document.get("contexts") or ():
            contexts.setdefault(entry["name"], entry["context"])
        for entry in document.get("users") or ():
            users.setdefault(entry["name"], (path.parent, entry.get("user") or {}))
    folder, user = users.get((contexts.get(current) or {}).get("user", ""), (Path(), {}))
    return folder / user["tokenFile"] if user.get("tokenFile") else None
