"""The official SDK as one function: signed JSON in, the `Response` object out, two exceptions of our own.

Its retryer, its region breaker, its debug log and its exceptions stay in here. What a code means is for `errors`.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.utils import should_bypass_proxies
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from urllib3.exceptions import HTTPError

from l7lb.adapters.clb import transport
from l7lb.adapters.silence import why
from l7lb.errors import ConfigurationError

VERSIONS: Mapping[str, str] = {
    "clb": "2018-03-17",
    "tag": "2018-08-13",
    "ssl": "2019-12-05",
    "cvm": "2017-03-12",
    "vpc": "2017-03-12",
    "sts": "2018-08-13",
}
"""API versions by service; a service that is not named here is not called."""

ROOT_DOMAIN = "tencentcloudapi.com"
UNREACHED = "look at DNS, firewall, proxy, --clb-endpoint and --api-root-domain"
"""What to look at where not a byte has left."""
_STALE = ("AuthFailure.TokenFailure", "AuthFailure.SignatureExpire", "AuthFailure.SignatureFailure",
          "AuthFailure.SecretIdNotFound", "AuthFailure.InvalidSecretId")  # fmt: skip
_CLIENT_SIDE = ("ClientNetworkError", "ServerNetworkError", "ClientError", "ClientParamsError", "ClientSideError")


class Refusal(Exception):
    """The API answered with an error code. The request was not executed, except where the code says otherwise."""

    def __init__(self, code: str, message: str, request_id: str) -> None:
        super().__init__(f"{code}: {message} (RequestId {request_id or 'none'})")
        self.code = code
        self.message = message
        self.request_id = request_id


class NoAnswer(Exception):
    """No usable answer. `sent` False: not a byte of the request has left."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Signer(Protocol):
    """What the SDK asks of credentials, and one wish of ours."""

    def get_credential_info(self) -> tuple[str, str, str | None]:
        """Secret id, secret key, token."""
        ...

    def renew(self) -> bool:
        """Called when the cloud did not accept them; True when others are there now."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API is. `url` serves every service, `clb_host` only clb; else `<service>.<root_domain>`."""

    url: str = ""
    clb_host: str = ""
    root_domain: str = ROOT_DOMAIN
    ca_file: str | None = None

    @classmethod
    def parse(cls, text: str, root_domain: str = "", ca_file: str | None = None) -> "Endpoint":
        """From `--clb-endpoint` (a URL or a host) and `--api-root-domain`; raises ConfigurationError."""
        domain = root_domain or ROOT_DOMAIN
        if "/" in domain or ":" in domain:
            raise ConfigurationError(f"--api-root-domain: {root_domain!r} is not a domain name")
        if not text:
            return cls(root_domain=domain, ca_file=ca_file)
        if "://" not in text:
            if "/" in text:
                raise ConfigurationError(f"--clb-endpoint: {text!r} is neither a host nor a URL")
            return cls(clb_host=text, root_domain=domain, ca_file=ca_file)
        parts = urlsplit(text)
        whole = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in ("http", "https") or not parts.hostname or not whole:
            raise ConfigurationError(f"--clb-endpoint: {text!r} must look like http://HOST:PORT or https://HOST")
        return cls(url=f"{parts.scheme}://{parts.netloc}", root_domain=domain, ca_file=ca_file)

    def scheme(self) -> str:
        """`https` unless a URL says otherwise."""
        return self.url.partition("://")[0] if self.url else "https"

    def host(self, service: str) -> str:
        """`host[:port]`, signed as it is."""
        if self.url:
            return self.url.partition("://")[2]
        if self.clb_host and service == "clb":
            return self.clb_host
        return f"{service}.{self.root_domain}"


class Clients:
    """One SDK client for each (service, region), over one pool of connections. Safe to share by threads."""

    def __init__(self, endpoint: Endpoint, credentials: Signer | None) -> None:
        _silence()
        self._endpoint = endpoint
        self._credentials = credentials
        self._session = transport.session()
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def send(self, service: str, action: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send once, within 13 s; once more with other credentials when the cloud did not accept these.

        Raises Refusal, NoAnswer, or what the credentials raise.
        """
        client = self._client(service, region)
        options = None if self._credentials else {"SkipSign": True}
        with transport.deadline():
            place = _Place(action, self._endpoint.host(service), region)
            try:
                return _send(client, place, params, options)
            except Refusal as refusal:
                if refusal.code not in _STALE or self._credentials is None or not self._credentials.renew():
                    raise
            return _send(client, place, params, options)

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._clients[service, region] = self._make(service, region)
            return client

    def _make(self, service: str, region: str) -> Any:
        host = self._endpoint.host(service)
        http = HttpProfile(protocol=self._endpoint.scheme(), endpoint=host, reqTimeout=transport.READ_S)
        http.certification = self._endpoint.ca_file
        profile = ClientProfile(httpProfile=http, language="en-US")
        client = CommonClient(service, VERSIONS[service], self._credentials, region, profile)
        connection = client.request.conn
        connection._session = self._session  # noqa: SLF001 - the SDK offers no other way to its session
        if _is_near(f"{self._endpoint.scheme()}://{host}"):
            connection.proxy = None
        return client


def _is_near(url: str) -> bool:
    """Whether proxies are to be passed by: loopback, or NO_PROXY by host (the SDK compares it with `host:port`)."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1" or should_bypass_proxies(url, no_proxy=None)


@dataclass(frozen=True, slots=True)
class _Place:
    """What is asked, and whom, for the words about an answer that does not come."""

    action: str
    host: str
    region: str

    def silence(self, why: str) -> NoAnswer:
        """Of the running attempt."""
        sent = transport.was_sent()
        advice = "" if sent else f" ({UNREACHED})"
        return NoAnswer(f"{self.action}: no usable answer from {self.host} for {self.region}: {why}{advice}", sent=sent)


def _send(client: Any, place: _Place, params: Mapping[str, Any], options: Mapping[str, Any] | None) -> dict[str, Any]:
    with transport.attempt():
        try:
            answer = client.call_json(place.action, dict(params), options=options)
        except TencentCloudSDKException as error:
            code, message = str(error.code), str(error.message)
            if code not in _CLIENT_SIDE:
                raise Refusal(code, message, str(error.requestId or "")) from None
            # An answer with another status than 200 may hold anything: its body is not repeated.
            raise place.silence(
                "the status is not 200" if code == "ServerNetworkError" else why(error) or message
            ) from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise place.silence(why(error) or str(error)) from None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise place.silence(f"what came cannot be read ({type(error).__name__})") from None
    return _response(place.action, answer)


def _response(action: str, answer: Any) -> dict[str, Any]:
    """The inner object. The SDK sees no error unless Content-Type is exactly `application/json`; we look ourselves."""
    response = answer.get("Response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise NoAnswer(f"{action}: an answer without Response", sent=True)
    request_id = str(response.get("RequestId") or "")
    error = response.get("Error")
    if isinstance(error, dict):
        raise Refusal(str(error.get("Code") or ""), str(error.get("Message") or ""), request_id)
    if not request_id:
        raise NoAnswer(f"{action}: an answer without RequestId", sent=True)
    return response


def _refuse_record(record: logging.LogRecord) -> bool:  # noqa: ARG001 - the signature of a logging filter
    return False


def _silence() -> None:
    """The SDK formats bodies, keys and signatures into its debug log; nothing of it may come out, ever."""
    log = logging.getLogger("tencentcloud_sdk_common")
    log.setLevel(logging.CRITICAL + 1)
    if _refuse_record not in log.filters:
        log.addFilter(_refuse_record)
