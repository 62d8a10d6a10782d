"""Whose a load balancer is, and what follows from it. Values only; the deciding is in `ledger`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from l7lb.model.identity import Cluster, ListenerKey, LoadBalancerId, RuleRef
from l7lb.model.site import Site


class Ownership(Enum):
    """The claim of the ledger's table (DESIGN, section 4)."""

    CREATED = "created"
    KEPT = "kept"
    """Created by us, but to survive the Ingress."""
    ADOPTED = "adopted"
    TO_ADOPT = "to adopt"
    SHARED = "shared"
    FOREIGN = "foreign"
    UNCLAIMED = "unclaimed"


class Disposal(Enum):
    """What becomes of a load balancer when its Ingress goes away or leaves our class."""

    DELETE_LOAD_BALANCER = "delete the load balancer"
    RELEASE_LISTENERS = "delete our listeners, then our tags"
    RELEASE_RULES = "delete the rules of those who leave, and our tag with the last of them"
    LEAVE = "leave everything"


@dataclass(frozen=True, slots=True)
class Record:
    """The annotation `l7lb.dev/record`: says where to look, never what is allowed."""

    uid: str
    cluster: str
    ingress_class: tuple[str | None, str | None] = (None, None)
    """Class annotation and class field under which the Ingress was taken."""
    region: str = ""
    lb: str = ""
    """Empty: none yet, or let go."""
    claim: str = ""
    """`created`, `adopting`, `adopted`, `creating`, `shared`, or empty."""
    attempt: int = 0
    listeners: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """`HTTPS:443` -> (listener id, name)."""
    desired: str = ""
    """Digest of the desired shape that was last reached."""
    asked: str = ""
    """Digest of what its author had written then; empty: an older version has not noted it."""
    site: Site | None = None
    """What the load balancer is like; None: not seen yet."""
    marks: Mapping[str, str] | None = None
    """Annotation that counts only at creation -> digest of the value under which the load balancer was made or taken;
    None: not known."""
    rules: frozenset[RuleRef] = frozenset()
    """Rules on a shared load balancer that this Ingress has made, or is about to make."""
    strangers: frozenset[RuleRef] = frozenset()
    """Rules that were on our listeners when the load balancer was taken over, and that the Ingress never asked for."""
    parts: frozenset[str] = frozenset()
    """Other parts of a shared load balancer that follow this Ingress and no other: `HTTPS:443 a.example.com
    certificate`. Only ever compared."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the ledger's table looks at for one load balancer and one Ingress."""

    cluster: Cluster
    ingress_uid: str
    tags: Mapping[str, str]
    record: Record | None
    """None when absent, unreadable or of another uid or cluster."""
    load_balancer: LoadBalancerId
    named: bool = False
    """Named by `existLbId`."""
    group: bool = False
    """`enable-group`, with a load balancer that is named."""
    group_uids: frozenset[str] = frozenset()
    """UIDs of all members of that group, also of those that are leaving it."""
    skip: bool = False
    """`mode: skip`."""
    retain: bool = False
    """`loadbalance-retain: "true"`."""
    delete_protection: bool = False
    private_link: bool = False
    delete_refused: bool = False
    """A delete was refused for protection or PrivateLink in this term."""


@dataclass(frozen=True, slots=True)
class Member:
    """One Ingress of a group, as the ledger sees it."""

    uid: str
    record: Record | None
    leaving: bool = False
    """It is to have nothing any more; what its record lists is surplus unless another member wants it."""
    idle: bool = False
    """It has nothing, and gets nothing now."""
    listeners: frozenset[ListenerKey] = frozenset()
    """Listeners that it asks for."""
    rules: frozenset[RuleRef] = frozenset()
    """Rules that it asks for."""


@dataclass(frozen=True, slots=True)
class GroupEvidence:
    """All that the ledger looks at for one load balancer and the group of Ingresses that share it."""

    cluster: Cluster
    load_balancer: LoadBalancerId
    tags: Mapping[str, str]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What we may do to one load balancer on behalf of one Ingress, or of one group."""

    load_balancer: LoadBalancerId
    ownership: Ownership
    reason: str
    """The table row in words, for Events and logs."""
    disposal: Disposal
    listeners: frozenset[ListenerKey] = frozenset()
    """Listeners that are ours."""
    missing_tags: tuple[tuple[str, str], ...] = ()
    """Tags of ours to be set (adopting)."""
    removable_tags: tuple[str, ...] = ()
    """Keys of tags that are taken off when we release it; their values are ours."""
    code: str = ""
    """TKE's code when the claim is a refusal."""
    untouched: bool = False
    """`mode: skip`: not one write."""
    native: bool = False
    """It bears the identity tag of this cluster: l7lb made it, so no rule on it was written by TKE."""
    rules: frozenset[RuleRef] | None = None
    """Rules that are ours where ownership is per rule (shared). None: all rules on our listeners."""
    strangers: frozenset[RuleRef] = frozenset()
    """Rules on our listeners that were there before us and that nobody asks for: left where they are."""
    redirects: frozenset[RuleRef] | None = None
    """Those of them whose redirects a member has declared. None: all redirects that begin on our listeners."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What only the create call needs: the ledger's tags and the idempotency token."""

    tags: tuple[tuple[str, str], ...]
    client_token: str
