"""The members of a group in one pass: who stays, who leaves, who cannot be read, and what each brings to the merge."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from l7lb import planner
from l7lb.errors import GateClosed, L7lbError, LostLeadership, NotFound
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, CloudRef, Cluster, LoadBalancerId, Owner, RuleRef
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.marks import FINALIZER
from l7lb.model.maybe import Unset
from l7lb.model.ownership import GroupEvidence, Member
from l7lb.model.plan import Step
from l7lb.model.problems import Held
from l7lb.model.sharing import Bid, Share
from l7lb.model.site import Site
from l7lb.model.snapshot import Translation
from l7lb.reconciler.passes import SHARED, Matter
from l7lb.reconciler.ports import LoadBalancers
from l7lb.reconciler.witnesses import Parting


@dataclass(slots=True)
class Seat:
    """One member."""

    matter: Matter
    parting: Parting | None = None
    """Why it leaves; None: it stays."""
    translation: Translation | None = None
    """None: it leaves, or nobody can tell whether it is ours."""
    translate: Callable[[Site], Translation] | None = None
    """How it reads where the load balancer is what it has turned out to be like."""
    unclear: bool = False
    """Whether it is ours cannot be told."""
    unsafe: bool = False
    """Its part of the plan was stopped: it keeps what it has."""

    @property
    def uid(self) -> str:
        """Of the Ingress."""
        return self.matter.owner.ingress_uid

    @property
    def member(self) -> bool:
        """Whether it has a share by its record."""
        record = self.matter.record
        return record is not None and record.claim == SHARED and bool(record.lb)

    @property
    def refused(self) -> bool:
        """It asks for something that cannot be read or served, and keeps what it has."""
        return self.translation is None or self.translation.desired is None

    @property
    def keeps(self) -> bool:
        """It keeps what it has, as it is."""
        return self.unsafe or self.refused

    def stand_at(self, site: Site | None) -> None:
        """Read it anew if it was read for another kind of load balancer. None: which it is is not known yet."""
        if self.translate is None or self.translation is None or site in (None, self.translation.site):
            return
        self.translation = self.translate(site)

    def bid(self) -> Bid:
        """What it brings."""
        leaving, translation = self.parting is not None, self.translation
        desired = translation.desired if translation is not None and not (leaving or self.unsafe) else None
        newcomer = translation is not None and translation.create_refusal is not None and not self.member
        lost = FINALIZER in self.matter.ingress.finalizers and not self.member
        return Bid(
            uid=self.uid,
            about=self.matter.ingress.key,
            age=age(self.matter.ingress),
            record=self.matter.record if self.member else None,
            desired=None if newcomer else desired,
            held=translation.held if translation is not None else Held(),
            leaving=leaving,
            unreadable=not leaving and self.refused and (self.member or lost),
        )


@dataclass(slots=True)
class Meeting:
    """All members of one group, around one load balancer."""

    key: BindingKey
    ref: CloudRef
    cloud: LoadBalancers
    cluster: Cluster
    seats: tuple[Seat, ...]
    """Oldest first."""
    strangers: tuple[Ingress, ...] = ()
    """Ingresses that name the same load balancer and are in no group."""
    failures: list[Exception] = field(default_factory=list)
    """What went wrong with one member and did not stop the others."""
    absent: set[str] = field(default_factory=set)
    """UIDs of members that turned out to be gone."""
    print: str = ""
    """Its fingerprint, as of before anything was decided."""
    step: Step | None = None
    """What was being done when something went wrong with the whole."""

    @property
    def owner(self) -> Owner:
        """The group, where else an Ingress is named."""
        return Owner(self.cluster, str(self.key))

    @property
    def staying(self) -> tuple[Seat, ...]:
        """Members that go on."""
        return tuple(seat for seat in self.seats if seat.parting is None)

    @property
    def leaving(self) -> tuple[Seat, ...]:
        """Members that are to have nothing any more."""
        return tuple(seat for seat in self.seats if seat.parting is not None)

    @contextmanager
    def apart(self, seat: Seat) -> Iterator[None]:
        """What goes wrong in here is this member's alone. Leadership and gate are everybody's."""
        try:
            yield
        except (LostLeadership, GateClosed):
            raise
        except NotFound as absence:
            if absence.what != "Ingress":
                self.failures.append(absence)
            self.absent.add(seat.uid)
            seat.unsafe = True
        except L7lbError as error:
            self.failures.append(error)
            seat.unsafe = True

    def fingerprint(self) -> str:
        """Equal when a plan on its way still serves what all members ask."""
        return repr([_print(seat) for seat in self.seats])


def extent(seat: Seat) -> Share:
    """What is this member's, or is to be."""
    bid = seat.bid()
    asked = _asked(bid)
    return Share(bid.rules | asked.rules, bid.parts, planner.recorded_listeners(bid) | asked.listeners)


def evidence(
    meeting: Meeting, observed: ObservedLoadBalancer, shares: Mapping[str, Share] | None = None
) -> GroupEvidence:
    """What the ledger judges. Before the merge a member counts with all that it asks for, then with what it gets."""
    members = tuple(_member(seat.bid(), shares.get(seat.uid) if shares is not None else None) for seat in meeting.seats)
    return GroupEvidence(meeting.cluster, meeting.ref.id, observed.head.tags, members)


def _member(bid: Bid, share: Share | None) -> Member:
    if share is None:
        share = _asked(bid)
    idle = not bid.leaving and bid.record is None and share == Share(problems=share.problems)
    return Member(bid.uid, bid.record, bid.leaving, idle, share.listeners, share.rules)


def _asked(bid: Bid) -> Share:
    listeners = bid.desired.listeners if bid.desired is not None else ()
    redirects = bid.desired.redirects if bid.desired is not None else ()
    rules = {RuleRef(spec.key, rule.key) for spec in listeners for rule in spec.rules}
    rules |= set() if isinstance(redirects, Unset) else {redirect.source for redirect in redirects}
    return Share(frozenset(rules), listeners=frozenset(spec.key for spec in listeners))


def age(ingress: Ingress) -> tuple[str, str, str]:
    """Older is smaller."""
    meta = ingress.metadata
    return (meta.creation_timestamp or "", meta.namespace, meta.name)


def place(key: BindingKey) -> CloudRef:
    """Where the load balancer of `lb/<region>/<id>` is."""
    _, region, number = key.split("/", 2)
    return CloudRef(region, LoadBalancerId(number))


def _print(seat: Seat) -> tuple[object, ...]:
    translation = seat.translation
    if translation is None:
        return (seat.uid, seat.parting)
    held = translation.held
    return (
        seat.uid,
        seat.parting,
        translation.desired,
        seat.matter.options.approve,
        held.everything,
        sorted(map(str, held.listeners)),
        sorted(map(str, held.hosts)),
        sorted(map(str, held.rules)),
    )
