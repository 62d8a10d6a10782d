"""Where the key comes from: environment, file, the role of the machine, or TKE's OIDC identity.

The SDK's own providers are not used as they are: they wait without a time-out, hide failures and read the environment.
Keys are never in a repr, a message or a log line of this module.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import urllib3

from l7lb.adapters.clb.errors import translate
from l7lb.adapters.clb.sdk import Clients, Endpoint, NoAnswer, Refusal
from l7lb.errors import AccessDenied, ConfigurationError, L7lbError, Unavailable

METADATA_URL = "http://metadata.tencentyun.com/latest/meta-data/cam/security-credentials/"
"""CAM page on roles of instances."""
REFRESH_BEFORE_S = 300.0
"""A signature may be five minutes old, so a key is replaced that long before it ends."""
_RETRY_AFTER_S = 10.0
_SESSION_S = 7200

Info = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Keys:
    """One set of keys. `expires` is in seconds of the wall clock; None: never."""

    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires: float | None = None

    def info(self) -> Info:
        """As the SDK wants them."""
        return self.secret_id, self.secret_key, self.token


class Credentials(Protocol):
    """What `sdk.Clients` signs with. Both methods may be called by any thread."""

    def get_credential_info(self) -> Info:
        """Secret id, secret key, token; raises AccessDenied or Unavailable."""
        ...

    def renew(self) -> bool:
        """The cloud refused the keys: True when there are others now."""
        ...


class Environment:
    """`TENCENTCLOUD_SECRET_ID`, `TENCENTCLOUD_SECRET_KEY`, `TENCENTCLOUD_TOKEN`; raises ConfigurationError."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        names = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
        missing = [name for name in names if not environ.get(name, "").strip()]
        if missing:
            raise ConfigurationError(f"--credentials env: {' and '.join(missing)} must be set")
        token = environ.get("TENCENTCLOUD_TOKEN", "").strip() or None
        self._keys = Keys(environ[names[0]].strip(), environ[names[1]].strip(), token)

    def get_credential_info(self) -> Info:
        """The keys that the process was started with."""
        return self._keys.info()

    def renew(self) -> bool:
        """The environment of a process does not change."""
        return False


class KeyFile:
    """An ini profile, or a directory with `secretId`, `secretKey` and maybe `token` (a mounted Secret).

    Read again whenever it changes, so that a rotated key needs no restart. Raises ConfigurationError when it cannot
    be read at the start, Unavailable later.
    """

    def __init__(self, path: Path, profile: str = "default") -> None:
        self._path = path
        self._profile = profile
        self._lock = threading.Lock()
        try:
            self._seen = self._stamp()
            self._keys = self._read()
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"--credentials file: {error}") from None

    def get_credential_info(self) -> Info:
        """The keys as the file has them now."""
        with self._lock:
            self._look()
            return self._keys.info()

    def renew(self) -> bool:
        """Whether the file says something else than what was refused."""
        with self._lock:
            before = self._keys
            self._seen = ()
            self._look()
            return self._keys != before

    def _look(self) -> None:
        try:
            stamp = self._stamp()
            if stamp != self._seen:
                self._keys, self._seen = self._read(), stamp
        except (OSError, ValueError) as error:
            raise Unavailable(f"credentials cannot be read: {error}") from None

    def _files(self) -> tuple[Path, ...]:
        if not self._path.is_dir():
            return (self._path,)
        return tuple(self._path / name for name in ("secretId", "secretKey", "token"))

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Changes with the content, also when a mounted Secret is swapped by its symbolic link."""
        found = [file.stat() for file in self._files() if file.name != "token" or file.exists()]
        return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in found)

    def _read(self) -> Keys:
        if self._path.is_dir():
            return self._from_directory()
        parser = ConfigParser(interpolation=None)
        try:
            parser.read_string(self._path.read_text(encoding="utf-8"))
        except IniError:
            # The parser's own text repeats the line, which may be the key.
            raise ValueError(f"{self._path} is not an ini file") from None
        if not parser.has_section(self._profile):
            raise ValueError(f"{self._path} has no profile [{self._profile}]")
        section = {name: value.strip().strip("\"'") for name, value in parser.items(self._profile)}
        return self._keys_of(section.get("secret_id"), section.get("secret_key"), section.get("token"))

    def _from_directory(self) -> Keys:
        texts = [file.read_text(encoding="utf-8").strip() if file.exists() else "" for file in self._files()]
        return self._keys_of(*texts)

    def _keys_of(self, secret_id: str | None, secret_key: str | None, token: str | None) -> Keys:
        if not secret_id or not secret_key:
            raise ValueError(f"{self._path} lacks the secret id or the secret key")
        return Keys(secret_id, secret_key, token or None)


class Temporary:
    """Keys that end: fetched again `REFRESH_BEFORE_S` before, and kept as long as they are good when that fails."""

    def __init__(self, fetch: Callable[[], Keys], clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Keys | None = None
        self._not_before = 0.0
        self._lock = threading.Lock()

    def get_credential_info(self) -> Info:
        """Good keys; one thread fetches, the others wait for it (a fetch is cut after 13 s)."""
        with self._lock:
            now = self._clock()
            left = (self._keys.expires or now) - now if self._keys else 0.0
            if left <= REFRESH_BEFORE_S and (left <= 0 or now >= self._not_before):
                self._refresh(now, must=left <= 0)
            if self._keys is None:
                raise Unavailable("no credentials yet")
            return self._keys.info()

    def renew(self) -> bool:
        """Forget the refused keys and fetch others, but not again and again."""
        with self._lock:
            now = self._clock()
            if now < self._not_before:
                return False
            before = self._keys
            self._refresh(now, must=True)
            return self._keys != before

    def _refresh(self, now: float, *, must: bool) -> None:
        self._not_before = now + _RETRY_AFTER_S
        try:
            self._keys = self._fetch()
        except L7lbError:
            if must:
                raise


@dataclass(frozen=True, slots=True)
class InstanceRole:
    """Fetches the keys of the role that is bound to this machine."""

    role: str = ""
    """Empty: the first that the metadata service names."""
    url: str = METADATA_URL

    def __call__(self) -> Keys:
        """Raises Unavailable, or AccessDenied when no role is bound."""
        role = self.role or self._get("").strip().partition("\n")[0]
        if not role:
            raise AccessDenied("cvm-role: no role is bound to this machine", reason="NoInstanceRole")
        try:
            found = json.loads(self._get(role))
            if found["Code"] != "Success":
                raise AccessDenied(f"cvm-role: the metadata service has no keys for {role}", reason="NoInstanceRole")
            return Keys(found["TmpSecretId"], found["TmpSecretKey"], found["Token"], float(found["ExpiredTime"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unavailable("cvm-role: the metadata service gave an answer that cannot be read") from None

    def _get(self, path: str) -> str:
        timeout = urllib3.Timeout(connect=2.0, read=3.0)
        try:
            answer = urllib3.request("GET", self.url + path, timeout=timeout, retries=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"cvm-role: the metadata service does not answer ({type(error).__name__})") from None
        if answer.status == 404:
            raise AccessDenied("cvm-role: no role is bound to this machine", reason="NoInstanceRole")
        if answer.status != 200:
            raise Unavailable(f"cvm-role: the metadata service answered {answer.status}")
        return answer.data.decode("utf-8", "replace")


class WebIdentity:
    """Exchanges the projected token of a TKE service account for keys (sts AssumeRoleWithWebIdentity)."""

    def __init__(self, environ: Mapping[str, str], endpoint: Endpoint) -> None:
        names = ("TKE_REGION", "TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE", "TKE_ROLE_ARN")
        missing = [name for name in names if not environ.get(name)]
        if missing:
            raise ConfigurationError(f"--credentials tke-oidc: {', '.join(missing)} must be set (by TKE's webhook)")
        self._region, self._provider, token_file, self._role = (environ[name] for name in names)
        self._token_file = Path(token_file)
        self._clients = Clients(endpoint, None)

    def __call__(self) -> Keys:
        """Raises Unavailable, or AccessDenied when the exchange is refused."""
        try:
            token = self._token_file.read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise Unavailable(f"tke-oidc: {self._token_file} cannot be read") from None
        params = {
            "ProviderId": self._provider,
            "WebIdentityToken": token,
            "RoleArn": self._role,
            "RoleSessionName": "l7lb",
            "DurationSeconds": _SESSION_S,
        }
        action = "AssumeRoleWithWebIdentity"
        try:
            return _from_sts(self._clients.send("sts", action, self._region, params))
        except Refusal as refusal:
            error = translate(action, refusal)
            if isinstance(error, Unavailable | AccessDenied):
                raise error from refusal
            raise AccessDenied(f"tke-oidc: {error}", reason="WebIdentityRefused") from refusal
        except NoAnswer as error:
            raise Unavailable(f"tke-oidc: {error}") from None


def _from_sts(answer: Mapping[str, Any]) -> Keys:
    try:
        given = answer["Credentials"]
        return Keys(given["TmpSecretId"], given["TmpSecretKey"], given["Token"], float(answer["ExpiredTime"]))
    except (ValueError, KeyError, TypeError):
        raise Unavailable("tke-oidc: sts gave an answer that cannot be read") from None


def load(source: str, environ: Mapping[str, str], endpoint: Endpoint) -> Credentials:
    """For `--credentials`: `env`, `file` or `file:PATH`, `cvm-role` or `cvm-role:NAME`, `tke-oidc`.

    Raises ConfigurationError. Temporary keys are fetched at their first use.
    """
    kind, _, argument = source.partition(":")
    match kind:
        case "env":
            return Environment(environ)
        case "file":
            path = argument or environ.get("TENCENTCLOUD_CREDENTIALS_FILE") or "~/.tencentcloud/credentials"
            return KeyFile(Path(path).expanduser())
        case "cvm-role":
            return Temporary(InstanceRole(argument))
        case "tke-oidc":
            return Temporary(WebIdentity(environ, endpoint))
        case _:
            raise ConfigurationError(f"--credentials: {source!r} is none of env, file, cvm-role, tke-oidc")
