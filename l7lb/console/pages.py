"""From a portrait to a page of HTML. What others have written is escaped by the template engine, without exception."""

from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import jinja2

from l7lb.console import finding, words
from l7lb.console.finding import Wanted
from l7lb.model.branches import Mark, TargetView
from l7lb.model.codes import CODES
from l7lb.model.identity import CloudRef, ObjectKey
from l7lb.model.portrait import WORK, Check, Fleet, PlanView, Standing, Tree, Why

HERE: Final = Path(__file__).parent
TROUBLES_MAX: Final = 12
"""Of all that is wrong, so much on the first page; a filter shows the rest."""
TARGETS_MAX: Final = 25
"""Targets of one rule on a page; the JSON twin has all."""
DOTS_MAX: Final = 10
"""Targets of one rule that show as dots."""
ON_THE_LINE: Final = 3
"""So many hosts or Ingresses are named in a row."""


class Pages:
    """Keeps the templates; safe for several threads."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=_finalized,
        )
        self._templates.globals |= {
            "Mark": Mark,
            "MARKS": words.MARKS,
            "PARTS": words.PARTS,
            "HEALTHS": words.HEALTHS,
            "FATES": words.FATES,
            "TARGETS_MAX": TARGETS_MAX,
            "ON_THE_LINE": ON_THE_LINE,
            "DOTS_MAX": DOTS_MAX,
            "ago": words.ago,
            "lasted": words.lasted,
            "moment": words.moment,
            "stamp": words.stamp,
            "counted": words.counted,
            "worst_targets": finding.worst_targets,
            "tally": tally,
            "balancer_at": balancer_at,
            "ingress_at": ingress_at,
            "query_of": query_of,
            "meaning": meaning,
        }

    def overview(self, fleet: Fleet, asked: Wanted) -> bytes:
        """Problems first, then the list that is searched."""
        of_balancers = asked.view == finding.VIEWS[0]
        return self._render(
            "overview.html",
            tab="overview" if of_balancers else "ingresses",
            standing=fleet.standing,
            drawn=fleet.drawn,
            asked=asked,
            fleet=fleet,
            found=finding.find(fleet.balancers, asked) if of_balancers else finding.find(fleet.members, asked),
            troubles=fleet.troubles[:TROUBLES_MAX],
        )

    def balancer(self, tree: Tree, standing: Standing, asked: Wanted) -> bytes:
        """One load balancer as a tree."""
        found = finding.rules(tree.listeners, asked)
        return self._render(
            "balancer.html", tab="", standing=standing, drawn=tree.drawn, asked=asked, tree=tree, found=found
        )

    def ingress(self, why: Why, standing: Standing) -> bytes:
        """One Ingress, and why it works or not."""
        lead = min(why.checks, key=_gravity, default=None)
        own = finding.owned(why.tree.listeners, why.member.key) if why.tree is not None else ()
        return self._render(
            "ingress.html", tab="", standing=standing, drawn=why.drawn, asked=Wanted(), why=why, lead=lead, own=own
        )

    def plans(self, plans: tuple[PlanView, ...], standing: Standing, drawn: float) -> bytes:
        """What was planned lately, of the whole fleet."""
        return self._render("plans.html", tab="plans", standing=standing, drawn=drawn, asked=Wanted(), plans=plans)

    def missing(self, standing: Standing, drawn: float, what: str) -> bytes:
        """There is no such thing."""
        return self._render("missing.html", tab="", standing=standing, drawn=drawn, asked=Wanted(), what=what)

    def _render(self, name: str, **values: object) -> bytes:
        return self._templates.get_template(name).render(**values).encode()


def tally(targets: tuple[TargetView, ...]) -> str:
    """`2 of 3 healthy`, or what else can be said in a few words."""
    bound = [one for one in targets if one.part.value in ("there", "surplus")]
    if not bound:
        return f"{len(targets)} to be bound" if targets else "no targets"
    known = [one for one in bound if one.health is not None]
    if not known:
        return words.counted(len(bound), "target")
    good = sum(one.mark is Mark.OK for one in known)
    return f"{good} of {len(bound)} healthy"


def balancer_at(ref: CloudRef) -> str:
    """Where its page is."""
    return f"/balancers/{quote(ref.region, safe='')}/{quote(ref.id, safe='')}"


def ingress_at(key: ObjectKey) -> str:
    """Where its page is."""
    return f"/ingresses/{quote(key.namespace, safe='')}/{quote(key.name, safe='')}"


def query_of(asked: Wanted, mark: Mark | None = None, view: str = "", page: int = 1) -> str:
    """The same search with another filter or page."""
    said = {
        "q": asked.text,
        "view": view or asked.view,
        "mark": mark.value if mark is not None else "",
        "page": str(page) if page > 1 else "",
    }
    return "?" + urlencode(
        {name: text for name, text in said.items() if text and (name, text) != ("view", "balancers")}
    )


def meaning(code: str) -> str:
    """What a code of TKE's says."""
    row = CODES.get(code)
    return row.says if row is not None else ""


def _gravity(check: Check) -> tuple[int, bool]:
    """The worst first; of what is on its way, what is being done says more than what is not there yet."""
    return list(Mark).index(check.mark), check.mark is Mark.WAITING and check.name != WORK


def _finalized(value: object) -> object:
    """What a template puts into a page: text that can be seen, unless it is a template's own."""
    return value if hasattr(value, "__html__") else words.harmless(str(value))
