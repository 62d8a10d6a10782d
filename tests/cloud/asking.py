"""The list of questions, what asking each of them needs, and what comes of it as rows of a report."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.cloud import probes
from tests.cloud.account import Account, Json, Refused
from tests.cloud.bench import Bench

ALWAYS: Final = "always"
BOUND: Final = "with L7LB_E2E_INSTANCE"
SERVED: Final = "where the load balancer can be reached"


@dataclass(frozen=True, slots=True)
class Probe:
    """One question, and what asking it needs."""

    question: str
    ask: Callable[[Bench], str]
    needs: str = ALWAYS


PROBES: Final = {
    "running-early": Probe("Whether it runs before the task of its creation has ended", probes.running_early),
    "create-rule-max": Probe("How many rules one CreateRule takes", probes.rules_in_one_call),
    "location-ids-order": Probe("Whether LocationIds are in the order of the rules", probes.order_of_location_ids),
    "duplicate-rule": Probe("The code for a rule that is there already", probes.duplicate_rule),
    "missing-rule": Probe("The code for deleting a rule that is not there", probes.missing_rule),
    "exact-path": Probe("How an exact path is written", probes.exact_path),
    "percent": Probe("Whether a path may have %", probes.percent_in_url),
    "regex": Probe("What a regular expression may have", probes.regular_expressions),
    "tag-lag": Probe("How long a changed tag takes to be seen", probes.lag_of_the_tag_filter),
    "deletion-protection": Probe("The code for deleting what is protected", probes.deletion_protection),
    "busy-after-batch": Probe(
        "Whether Batch calls leave the load balancer busy", probes.busy_after_a_batch_call, BOUND
    ),
    "register-again": Probe("Whether registering again changes the weight", probes.registering_again, BOUND),
    "no-target": Probe("The status of an answer without targets", probes.answer_without_targets, SERVED),
    "gzip": Probe("Whether answers are compressed by the gateway", probes.compressed_answers, SERVED),
    "task-retention": Probe("How long a task is known", probes.retention_of_tasks),
}


def ask(bench: Bench) -> list[Json]:
    """Each question with its finding, a row each; what cannot be asked here says why."""
    able = {ALWAYS: True, BOUND: bench.account.told.target is not None}
    able[SERVED] = able[BOUND] and bench.serves
    rows = []
    for name, probe in PROBES.items():
        row: Json = {"id": name, "question": probe.question}
        if not able[probe.needs]:
            rows.append(row | {"finding": "", "not_asked": f"only {probe.needs}"})
            continue
        started = time.monotonic()
        try:
            finding = probe.ask(bench)
        except (Refused, TimeoutError, OSError) as error:
            rows.append(row | {"finding": "", "not_asked": f"{type(error).__name__}: {error}"})
            continue
        rows.append(row | {"finding": finding, "seconds": round(time.monotonic() - started, 1)})
    return rows


def what_protection_stops(account: Account, lb: str) -> list[Json]:
    """What modification protection stops, on a load balancer that a person made for this; what was let is undone."""
    entry = account.call("DescribeLoadBalancers", LoadBalancerIds=[lb])["LoadBalancerSet"][0]
    bench = Bench(account, lb, lambda address, port: (address, port), "", serves=False, ports=18900)
    rows = [_stopped("rename", bench.code("ModifyLoadBalancerAttributes", LoadBalancerName=entry["LoadBalancerName"]))]
    try:
        listener = bench.listener()
    except Refused as refusal:
        return [*rows, _stopped("create a listener", refusal.code)]
    rows.append(_stopped("create a listener", "OK"))
    rules = [{"Domain": "a.example.com", "Url": "/"}]
    rows.append(_stopped("create a rule", bench.code("CreateRule", ListenerId=listener, Rules=rules)))
    rows.append(_stopped("delete a listener", bench.code("DeleteLoadBalancerListeners", ListenerIds=[listener])))
    return rows


def _stopped(deed: str, code: str) -> Json:
    return {"id": f"protection: {deed}", "question": f"Whether modification protection stops: {deed}", "finding": code}
