"""Steps for redirects between rules of one load balancer. A redirect is a property of its source rule.

A redirect that is taken off carries the ids to which it led as they were read: what stands behind them need not be
known, and may be somebody else's.
"""

from dataclasses import dataclass
from typing import Final

from l7lb.model.identity import ListenerId, ListenerKey, LocationId, RuleKey, RuleRef

DEFAULT_CODE: Final = 302
"""What a redirect answers when nobody says anything (ManualRewrite and AutoRewrite pages)."""
MIRROR_SOURCE: Final = ListenerKey("HTTP", 80)
MIRROR_TARGET: Final = ListenerKey("HTTPS", 443)
"""AutoRewrite page: it redirects from the one to the other, and nothing else."""


@dataclass(frozen=True, slots=True)
class RedirectPair:
    """One redirect to be made; always with its code, since without one the cloud chooses."""

    source: RuleKey
    target: RuleKey
    code: int

    @property
    def keeps_url(self) -> bool:
        """Whether the client's own URL is right at the target: else it would be sent back to where it came from."""
        return self.source.path.removeprefix("=") == self.target.path or self.source.path == self.target.path


@dataclass(frozen=True, slots=True)
class FormerRedirect:
    """One redirect to be taken off: its source rule, and the rule to which it led (`target` None: not one we know)."""

    source: RuleKey
    location: LocationId
    target: RuleRef | None = None


@dataclass(frozen=True, slots=True)
class MirrorHosts:
    """Each rule that these hosts have on HTTPS:443 gets a redirect from the same host and path on HTTP:80.

    The rules on HTTP:80 are made by the call where they are missing.
    """

    hosts: tuple[tuple[str, int], ...]
    """(host, code), never empty: an empty list would mean all hosts."""


@dataclass(frozen=True, slots=True)
class CreateRedirects:
    """Redirects from rules of one listener to rules of one listener; both ends exist."""

    source: ListenerKey
    target: ListenerKey
    redirects: tuple[RedirectPair, ...]
    again: bool = False
    """Made anew after another redirect of the same rules was taken off."""


@dataclass(frozen=True, slots=True)
class DeleteRedirects:
    """Redirects from rules of one listener to rules of one listener are taken off; the rules stay."""

    source: ListenerKey
    target: ListenerId
    redirects: tuple[FormerRedirect, ...]
    again: bool = False
    """To be made anew right afterwards: a redirect cannot be changed (ManualRewrite page)."""
