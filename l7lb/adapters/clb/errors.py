"""What each error code of the cloud means to us: one table, the longest prefix wins.

Codes are hierarchical (`FailedOperation.ResourceInOperating`). Texts are looked at only to choose TKE's number for the
Event, and where a page has no code of its own (a listener that is not found). Deciding what to do is for the callers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from l7lb import errors
from l7lb.adapters.clb.sdk import Refusal

THROTTLED = "RequestLimitExceeded"
"""Prefix of the codes that mean: too fast, and not executed."""
_ALSO_THROTTLED = "FailedOperation.RateLimitExceeded"
OF_ALL_REGIONS = frozenset({f"{THROTTLED}.GlobalRegionUinLimitExceeded"})
"""Throttled where the account's calls of one action are counted in all regions together."""
DELETE_WINDOW_FULL = "FailedOperation.FrequencyCheckRisk"
DELETE_WINDOW_WAIT_S = 60.0
"""After `FailedOperation.FrequencyCheckRisk` (30 deletions in 5 minutes): when to look again."""
CLIENT_TOKEN_REFUSED = "ClientTokenRefused"  # noqa: S105 - a reason, not a secret
"""Reason of the TokenRefused that says: this ClientToken's order has ended; another token is needed."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row: the class, and what its constructor wants."""

    kind: type[errors.L7lbError]
    reason: str = ""
    code: str = ""
    """TKE's number."""
    what: str = ""
    retry_after_s: float | None = None


_BUSY = Meaning(errors.Busy)
_LATER = Meaning(errors.Unavailable)
_WRONG = Meaning(errors.Rejected, "RequestRejected")
_DENIED = Meaning(errors.AccessDenied, "AccessDenied")
_NO_LISTENER = Meaning(errors.NotFound, what="listener")
_NO_RULE = Meaning(errors.NotFound, what="rule")
_NO_TARGET = Meaning(errors.NotFound, what="target")
_NO_TAG = Meaning(errors.NotFound, what="tag")
_EXISTS = Meaning(errors.AlreadyExists)
_CREATION = Meaning(errors.Rejected, "CreateLoadBalancerRejected", "E4024")
_RISK = Meaning(errors.DeleteRisk, "DeleteRefused")

MEANINGS: Mapping[str, Meaning] = {
    "FailedOperation.ResourceInOperating": _BUSY,
    "FailedOperation.ResourceInCloning": _BUSY,
    "FailedOperation.InvalidLBStatus": _BUSY,
    "FailedOperation.ResourceTagProcessing": _BUSY,
    "ResourceInUse": _BUSY,
    "ResourceBusy": _BUSY,
    "ResourceUnavailable": _BUSY,
    THROTTLED: Meaning(errors.Throttled, retry_after_s=1.0),
    _ALSO_THROTTLED: Meaning(errors.Throttled, retry_after_s=1.0),
    DELETE_WINDOW_FULL: Meaning(errors.Throttled, retry_after_s=DELETE_WINDOW_WAIT_S),
    "InternalError": _LATER,
    "ServiceUnavailable": _LATER,
    "FailedOperation": _LATER,
    "InvalidParameter.LBIdNotFound": Meaning(errors.NotFound, what="load balancer"),
    "InvalidParameter.ListenerIdNotFound": _NO_LISTENER,
    "InvalidParameter.LocationNotFound": _NO_RULE,
    "InvalidParameter.SomeRewriteNotFound": _NO_RULE,
    "ResourceNotFound": Meaning(errors.NotFound),
    "ResourceNotFound.AttachedTagKeyNotFound": _NO_TAG,
    "InvalidParameter.PortCheckFailed": _EXISTS,
    "InvalidParameterValue.Duplicate": _EXISTS,
    "InvalidParameter.RewriteAlreadyExist": _EXISTS,
    "ResourceInUse.TagKeyAttached": _EXISTS,
    "LimitExceeded": Meaning(errors.QuotaExceeded, "QuotaExceeded"),
    "ResourceInsufficient": Meaning(errors.QuotaExceeded, "ResourceInsufficient", "E4025"),
    "ResourcesSoldOut": Meaning(errors.QuotaExceeded, "ResourceInsufficient", "E4025"),
    "FailedOperation.InsufficientBalance": Meaning(errors.QuotaExceeded, "InsufficientBalance", "E4027"),
    "UnauthorizedOperation": _DENIED,
    "AuthFailure": _DENIED,
    "OperationDenied": _DENIED,
    "IpInBlacklist": _DENIED,
    "InvalidCredential": _DENIED,
    "InvalidParameter": _WRONG,
    "InvalidParameter.ClientTokenLimitExceeded": Meaning(errors.TokenRefused, CLIENT_TOKEN_REFUSED),
    "InvalidParameterValue": _WRONG,
    "MissingParameter": _WRONG,
    "UnknownParameter": _WRONG,
    "UnsupportedOperation": _WRONG,
    "UnsupportedRegion": _WRONG,
    "InvalidAction": _WRONG,
    "InvalidRequest": _WRONG,
    "ActionOffline": _WRONG,
    "NoSuchProduct": _WRONG,
    "NoSuchVersion": _WRONG,
    "RequestSizeLimitExceeded": _WRONG,
    "FailedOperation.TargetNumCheckRisk": _RISK,
    "FailedOperation.TrafficCheckRisk": _RISK,
    "FailedOperation.EipTrafficCheckRisk": _RISK,
}

BY_ACTION: Mapping[tuple[str, str], Meaning] = {
    ("CreateLoadBalancer", THROTTLED): Meaning(errors.Throttled, code="E4000", retry_after_s=1.0),
    ("CreateLoadBalancer", "LimitExceeded"): Meaning(errors.QuotaExceeded, "LoadBalancerQuotaExceeded", "E4003"),
    ("CreateListener", "LimitExceeded"): Meaning(errors.QuotaExceeded, "ListenerQuotaExceeded", "E4004"),
    ("CreateRule", "LimitExceeded"): Meaning(errors.QuotaExceeded, "RuleQuotaExceeded", "E4005"),
    ("AutoRewrite", "LimitExceeded"): Meaning(errors.QuotaExceeded, "RuleQuotaExceeded", "E4005"),
    ("BatchRegisterTargets", "LimitExceeded"): Meaning(errors.QuotaExceeded, "TargetQuotaExceeded", "E4054"),
    ("CreateLoadBalancer", "InvalidParameter"): _CREATION,
    ("CreateLoadBalancer", "InvalidParameterValue"): _CREATION,
    ("CreateLoadBalancer", "MissingParameter"): _CREATION,
    ("CreateLoadBalancer", "UnknownParameter"): _CREATION,
    ("CreateLoadBalancer", "UnsupportedOperation"): _CREATION,
    # No page names a code for a rule or a target that is gone; callers in public code take these two for it.
    ("DeleteRule", "InvalidParameter"): _NO_RULE,
    ("DeleteRule", "InvalidParameterValue"): _NO_RULE,
    ("ModifyRule", "InvalidParameter.LocationNotFound"): _NO_RULE,
    ("BatchDeregisterTargets", "InvalidParameter"): _NO_TARGET,
    ("BatchDeregisterTargets", "InvalidParameterValue"): _NO_TARGET,
    ("ModifyLoadBalancerAttributes", "ResourceInUse"): _BUSY,
}
"""Rows for one action; a longer prefix in the other table still wins."""

_TEXTS: tuple[tuple[str, tuple[str, ...], Meaning], ...] = (
    ("InvalidParameter", ("ListenerId", "not found"), _NO_LISTENER),
    ("InvalidParameter", ("Query certificate",), Meaning(errors.Rejected, "CertificateNotFound", "E4036")),
    ("InvalidParameter", ("ertificate", "out of date"), Meaning(errors.Rejected, "CertificateExpired", "E4039")),
    ("InvalidParameter", ("ertificate", "ength"), Meaning(errors.Rejected, "CertificateIdInvalid", "E4035")),
    ("InvalidParameter", ("ertificate",), Meaning(errors.Rejected, "CertificateRejected", "E4012")),
    ("InvalidParameter", ("ubnet", "not found"), Meaning(errors.Rejected, "SubnetNotFound", "E4091")),
    ("InvalidParameter", ("ubnet",), Meaning(errors.Rejected, "SubnetInvalid", "E4055")),
    ("ResourceInsufficient", ("ubnet",), Meaning(errors.QuotaExceeded, "SubnetExhausted", "E4053")),
)
"""(prefix of the code, words that must all occur, meaning): the first that fits, where only a general row was found."""

_ORDER_TEXTS: tuple[tuple[tuple[str, ...], Meaning], ...] = (
    (("IPv6", "not support"), Meaning(errors.Rejected, "Ipv6NotInRegion", "E4033")),
    (("CCN",), Meaning(errors.Rejected, "NotInOneCcn", "E4071")),
    (("SnatPro",), Meaning(errors.Rejected, "SnatProNotAllowed", "E4060")),
)
"""The same for calls that depend on region, network and account; no page names codes for these."""
_PLACED = frozenset({"CreateLoadBalancer", "BatchRegisterTargets"})


def is_throttled(code: str) -> bool:
    """Whether this answer says that an action is called too often: by sub-account, account or address."""
    return code in (_ALSO_THROTTLED, THROTTLED) or code.startswith(f"{THROTTLED}.")


def meaning(action: str, code: str, message: str = "") -> Meaning:
    """What this answer means; an unknown code may be anything, so it is Unavailable."""
    rows = (BY_ACTION.get((action, prefix)) or MEANINGS.get(prefix) for prefix in _prefixes(code))
    found = next((row for row in rows if row is not None), _LATER)
    if action in _PLACED and found in (_CREATION, _WRONG, _DENIED):
        for words, row in _ORDER_TEXTS:
            if all(word in message for word in words):
                return row
    if found in (_WRONG, _CREATION) or found.kind is errors.QuotaExceeded:
        for start, words, row in _TEXTS:
            if code.startswith(start) and all(word in message for word in words):
                return row
    return found


def translate(action: str, refusal: Refusal) -> errors.L7lbError:
    """The exception to raise for a refusal; its message names action, code and RequestId for the support desk."""
    row = meaning(action, refusal.code, refusal.message)
    text = f"{action}: {refusal.code}: {refusal.message} (RequestId {refusal.request_id or 'none'})"
    if issubclass(row.kind, errors.TerminalError):
        return row.kind(text, reason=row.reason, code=row.code)
    if issubclass(row.kind, errors.NotFound):
        return row.kind(text, what=row.what)
    if issubclass(row.kind, errors.Throttled):
        return row.kind(text, retry_after_s=row.retry_after_s, code=row.code)
    if issubclass(row.kind, errors.RetryableError):
        return row.kind(text, retry_after_s=row.retry_after_s)
    return row.kind(text)


def code_of(error: BaseException) -> str:
    """The cloud's code behind an exception that `translate` made; empty when there was none."""
    return error.__cause__.code if isinstance(error.__cause__, Refusal) else ""


def _prefixes(code: str) -> list[str]:
    """The code, then without its last part, and so on."""
    parts = code.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
