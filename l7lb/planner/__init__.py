"""From two worlds to a plan. Pure: equal arguments give an equal plan, an empty plan proves that nothing is to be done.

`converge` and `teardown` make plans, `predict` says what a step leaves behind, `guard` refuses a plan that takes away
more than was asked for; `describe`, `details` and `digest` are its words and its name. A plan names things by key;
nothing in here knows the cloud's wire, tags or records.
"""

from l7lb.planner.contests import recorded_listeners
from l7lb.planner.converge import converge
from l7lb.planner.describe import describe, digest, shape_digest, to_json
from l7lb.planner.details import Detail, Totals, Turn, details, headline, tally
from l7lb.planner.guard import EXITS_MAX, Circumstances, dead_targets, guard, stop_deletions, stop_last_targets
from l7lb.planner.merge import merge
from l7lb.planner.order import RANK
from l7lb.planner.parts import Extent, part, seen_of, wanted_of
from l7lb.planner.predict import bind, predict
from l7lb.planner.rulings import rulings
from l7lb.planner.splitting import divided, halves, minus, narrowed
from l7lb.planner.strangers import still_strangers, strangers
from l7lb.planner.teardown import teardown
from l7lb.planner.ties import aliases

__all__ = [
    "EXITS_MAX",
    "RANK",
    "Circumstances",
    "Detail",
    "Extent",
    "Totals",
    "Turn",
    "aliases",
    "bind",
    "converge",
    "dead_targets",
    "describe",
    "details",
    "digest",
    "divided",
    "guard",
    "halves",
    "headline",
    "merge",
    "minus",
    "narrowed",
    "part",
    "predict",
    "recorded_listeners",
    "rulings",
    "seen_of",
    "shape_digest",
    "still_strangers",
    "stop_deletions",
    "stop_last_targets",
    "strangers",
    "tally",
    "teardown",
    "to_json",
    "wanted_of",
]
