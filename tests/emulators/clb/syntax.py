"""Which texts and numbers the CLB takes: hosts, URLs, names, health checks (limits and CreateRule pages)."""

import re
from typing import Any

from tests.emulators.clb.errors import ApiError, bad_value
from tests.emulators.clb.switches import Switches

_EXACT = re.compile(r"[a-z0-9.\-][a-z0-9.\-_]*")
_WILDCARD = re.compile(r"\*\.[a-z0-9.\-_]+|[a-z0-9.\-][a-z0-9.\-_]*\.\*")
_REGEX_HOST = re.compile(r"~[a-z0-9.\-?=_+\\^*!$&|()\[\]]+")
_PLAIN_URL = re.compile(r"/[a-zA-Z0-9.\-_/=?:]*")
_PERCENT_URL = re.compile(r"/[a-zA-Z0-9.\-_/=?:%]*")
_REGEX_URL = {
    "new": re.compile(r"[a-zA-Z0-9.\-_/=?^*$:()\[\]+| ]+"),
    "old": re.compile(r"[a-zA-Z0-9.\-_/=?^*$: ]+"),
}
_CHECK_HOST = re.compile(r"[a-zA-Z0-9.\-_]{1,80}")
_CHECK_PATH = re.compile(r"/[a-zA-Z0-9.\-_/=?:]{0,199}")

RESERVED_PORTS = frozenset({843, 1020, 1433, 1434, 3306, 3389, 6006, 20000, 36000, 42222, 48369, 56000, 65010})

_RANGES = {
    "TimeOut": (2, 60),
    "HealthNum": (2, 10),
    "UnHealthNum": (2, 10),
    "HttpCode": (1, 31),
    "HealthSwitch": (0, 1),
}
_CHECK_TYPES = frozenset({"HTTP", "HTTPS", "TCP", "GRPC", "GRPCS", "PING", "CUSTOM"})


def is_pattern(domain: str) -> bool:
    """Whether a host is a wildcard or a regular expression."""
    return "*" in domain or domain.startswith("~")


def check_domain(domain: str, length_max: int = 80) -> None:
    if not 1 <= len(domain) <= length_max:
        raise ApiError("InvalidParameterValue.Length", f"Length of .Domain should be between 1 and {length_max}")
    if domain.startswith("~"):
        fits = _REGEX_HOST.fullmatch(domain)
    elif "*" in domain:
        fits = _WILDCARD.fullmatch(domain) if domain.count("*") == 1 else None
    else:
        fits = _EXACT.fullmatch(domain)
    if fits is None:
        raise bad_value(f"Domain '{domain}' is not valid.")


def check_url(url: str, switches: Switches) -> None:
    if not 1 <= len(url) <= 200:
        raise ApiError("InvalidParameterValue.Length", "Length of .Url should be between 1 and 200")
    plain = _PERCENT_URL if switches.percent_in_url else _PLAIN_URL
    if url.startswith(("~*", "~")):
        pattern = url.removeprefix("~").removeprefix("*")
        fits = _REGEX_URL[switches.regex_charset].fullmatch(pattern)
    else:
        fits = plain.fullmatch(url.removeprefix("^~").removeprefix("=").lstrip(" ") if url[0] in "^=" else url)
    if fits is None:
        raise bad_value(f"Url '{url}' is not valid.")


def check_name(name: str, parameter: str, length_max: int = 80) -> None:
    if not 1 <= len(name) <= length_max:
        raise ApiError("InvalidParameterValue.Length", f"Length of .{parameter} should be between 1 and {length_max}")


def check_port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise ApiError("InvalidParameterValue.Range", f"Port {port} is not between 1 and 65535.")
    if port in RESERVED_PORTS:
        raise ApiError("InvalidParameter.PortCheckFailed", f"Port {port} is reserved.")


def check_session(seconds: int, scheduler: str, switches: Switches) -> None:
    if seconds and not 30 <= seconds <= 86400:
        raise ApiError("InvalidParameterValue.Range", "SessionExpireTime should be 0 or between 30 and 86400.")
    if seconds and scheduler == "LEAST_CONN" and switches.least_conn_session == "refused":
        raise bad_value("SessionExpireTime is not supported with Scheduler LEAST_CONN.")


def check_choice(parameter: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise bad_value(f"{parameter} '{value}' is not one of {', '.join(allowed)}.")


def merged_health(
    given: dict[str, Any], before: dict[str, Any] | None, switches: Switches, host: str
) -> dict[str, Any]:
    """The health check that results: what is given over what was there, over the documented defaults."""
    health = {**(before or default_health()), **given}
    interval_min = switches.health_interval_min
    for name, (low, high) in {**_RANGES, "IntervalTime": (interval_min, 300)}.items():
        if not low <= health[name] <= high:
            raise ApiError("InvalidParameterValue.Range", f"HealthCheck.{name} should be between {low} and {high}.")
    if health["TimeOut"] > health["IntervalTime"]:
        raise bad_value("HealthCheck.TimeOut should be less than HealthCheck.IntervalTime.")
    check_choice("HealthCheck.CheckType", health["CheckType"], tuple(sorted(_CHECK_TYPES)))
    check_choice("HealthCheck.HttpCheckMethod", health["HttpCheckMethod"], ("HEAD", "GET"))
    if not _CHECK_PATH.fullmatch(health["HttpCheckPath"]):
        raise bad_value("HealthCheck.HttpCheckPath is not valid.")
    check_host = health["HttpCheckDomain"]
    if check_host and not _CHECK_HOST.fullmatch(check_host):
        raise bad_value("HealthCheck.HttpCheckDomain is not valid.")
    needs_host = health["HealthSwitch"] == 1 and health["CheckType"] not in ("TCP", "PING", "CUSTOM")
    if needs_host and not check_host and is_pattern(host):
        raise bad_value("HealthCheck.HttpCheckDomain is required when Domain is a wildcard or a regular expression.")
    return health


def default_health() -> dict[str, Any]:
    """Defaults of the HealthCheck structure for a rule."""
    return {
        "HealthSwitch": 1, "TimeOut": 2, "IntervalTime": 5, "HealthNum": 3, "UnHealthNum": 3, "HttpCode": 31,
        "HttpCheckPath": "/", "HttpCheckDomain": "", "HttpCheckMethod": "HEAD", "CheckPort": None, "ContextType": None,
        "SendContext": None, "RecvContext": None, "CheckType": "HTTP", "HttpVersion": None, "SourceIpType": 0,
        "ExtendedCode": None,
    }  # fmt: skip
