"""The error taxonomy, sorted by what the worker does about it.

A new class here needs a new reaction in `runtime/controller.py` or in the reconciler; a message is written for the
person who reads the Event. Foreign exceptions (SDK, urllib3, OSError) stop at the adapters and come out as one of
these. A user's mistake in an object is not an exception but a `model.problems.Problem`.
"""

from typing import Self


class L7lbError(Exception):
    """Root of everything that l7lb raises on purpose."""


class ConfigurationError(L7lbError):
    """Start-up only: print one line that names the flag, exit 2."""


class RetryableError(L7lbError):
    """A later try may succeed; `retry_after_s` is the least delay when the other side named one."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(RetryableError):
    """Time-out, connection, 5xx, internal error. A write that ends so may or may not have happened."""

    declined = False
    """It was answered, with a no that does not say why: the first time a later try may succeed."""
    failed: tuple[str, ...] = ()
    """Ids of the listeners for which a Batch call was not done; for the others it was. Empty: it does not say."""
    silent = False
    """An open watch said nothing for so long that it may be dead; a quiet kind looks the same."""
    advice = ""
    """What a person may look at who reads of this alone; empty: nothing is known that would help."""

    @classmethod
    def silence(cls, message: str) -> Self:
        """Of an open watch."""
        made = cls(message)
        made.silent = True
        return made


class Throttled(RetryableError):
    """Refused for rate, by our own bucket or by the other side: it was not executed."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, code: str = "") -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.code = code
        """TKE's code where the other side's refusal has one, else empty."""


class Busy(RetryableError):
    """Another task runs on this load balancer (`FailedOperation.ResourceInOperating` and kin)."""


class Conflict(RetryableError):
    """The object's resourceVersion moved (HTTP 409): read again, decide again."""


class TerminalError(L7lbError):
    """No retry cures it: wait for a change of the object, or for the slow resync."""

    def __init__(self, message: str, *, reason: str, code: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code
        """TKE's code (E4xxx) where there is one, else empty."""

    def anew(self) -> Self:
        """The same without its traceback, which would keep all that was in anybody's hands when it was raised."""
        return type(self)(str(self), reason=self.reason, code=self.code)


class Rejected(TerminalError):
    """The cloud or the API server says that the request itself is wrong."""


class TokenRefused(Rejected):
    """The order that this ClientToken stands for has ended: looked for by tag, then ordered with another token."""


class QuotaExceeded(TerminalError):
    """A quota, a subnet or the account's money is used up; retried slowly."""


class AccessDenied(TerminalError):
    """Credentials are missing, wrong, or lack a right."""


class Protected(TerminalError):
    """The cloud refuses because of deletion or modification protection, or PrivateLink."""


class DeleteRisk(TerminalError):
    """`DeleteLoadBalancer` was refused because targets are bound or traffic flows; `ForceDelete` answers it."""


class OwnershipConflict(TerminalError):
    """The load balancer is somebody else's, or cannot be proven to be ours."""


class UnsafePlan(TerminalError):
    """The guard refuses a plan that would take away more than the change asks for."""


class UnauthorizedPlan(L7lbError):
    """The ledger refuses a step outside the claim. A bug of ours: counted, and must stay 0."""


class LostLeadership(L7lbError):
    """Not the leader any more: stop writing now.

    `for_now`: still the leader, but too little of the lease is left for one call until it is renewed.
    """

    def __init__(self, message: str, *, for_now: bool = False) -> None:
        super().__init__(message)
        self.for_now = for_now


class GateClosed(L7lbError):
    """TKE's own controller may be running: nothing is written until it is proven off."""


class NotFound(L7lbError):
    """What the call named does not exist. Always handled by the caller that asked; never reaches the worker."""

    def __init__(self, message: str, *, what: str = "") -> None:
        super().__init__(message)
        self.what = what
        """`load balancer`, `listener`, `rule`, `target`, `certificate`, `tag`, or a Kubernetes kind."""


class AlreadyExists(L7lbError):
    """The thing to be created is there already: observe again and plan again."""


class Expired(L7lbError):
    """HTTP 410 or its twin inside a watch stream: the resourceVersion is too old, list again."""


class VersionTooLarge(L7lbError):
    """The API server has not yet seen the resourceVersion that the list asked for: list at the newest."""
