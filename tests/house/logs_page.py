"""docs/logs.md: fields from their table, phases from their words, and an example that the code itself has written."""

import ast
import io
import itertools
import json
import logging
from typing import Final

from l7lb.model.lane import Lane
from l7lb.model.outcome import Again
from l7lb.model.phases import Call, Stage
from l7lb.runtime.workqueue import Taken
from l7lb.telemetry.logs import JsonFormatter, PassFilter
from l7lb.telemetry.passes import Passes
from l7lb.telemetry.passfields import FIELDS
from l7lb.telemetry.passlog import PassLog
from tests.house.source import PRODUCT, ROOT

HEAD: Final = """# Logs and traces

`l7lb run` writes one JSON object a line to standard error; `--log-format=text` writes lines for people, with the same
fields. `--log-level` is `info` unless something else is said.

A **pass** is what a worker does with one key: it reads, translates, observes, plans, sends what can be sent, and
reports. While the cloud works on a task no worker is held; the next pass goes on. Every line that is written during a
pass has its `reconcile_id`.

| level | what is said |
| --- | --- |
| `error` | a bug, or a part that has died |
| `warning` | something that somebody should look at: what no retry cures, drift, what the guard refuses |
| `info` | each plan, each pass that changes something in the cloud, each failed try, who leads |
| `debug` | every pass, every phase, every call to the cloud |

One pass; in the log it is one line:
"""
LOGS: Final = "kubectl logs -n l7lb -l app.kubernetes.io/name=l7lb --tail=-1"
ASKING: Final = {
    "What was changed, and the RequestIds for the cloud's support":
        "select(.logger == \"l7lb.pass\" and .result) | {ingress, sent, performed, request_ids}",
    "Everything about one pass": "select(.reconcile_id == \"4bf92f3577b34da6\")",
    "Everything about one Ingress, also as a member of a group":
        "select((.ingress // \"\") | split(\",\") | index(\"shop/web\"))",
    "Slow passes, and where their time went": "select(.phases and .seconds > 5) | {key, seconds, phases}",
    "Calls that the cloud refused, with `--log-level=debug`":
        "select(.phase == \"call\" and .region and .code != \"OK\") | {action, code, request_id}",
    "How long the cloud took for each kind of step, with `--log-level=debug`":
        "select(.phase == \"task\") | [.step, .status, .seconds]",
}  # fmt: skip
"""What somebody may ask -> the program for jq that answers it."""
TRACES: Final = """## Traces

`--otlp-endpoint=http://HOST:4318` sends each pass as an OpenTelemetry trace, by OTLP over HTTP. So does
`OTEL_EXPORTER_OTLP_ENDPOINT`, unless `OTEL_SDK_DISABLED` or `OTEL_TRACES_EXPORTER=none` say otherwise. Headers,
certificates, compression and sampling are those of OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_HEADERS`,
`OTEL_TRACES_SAMPLER`, ...). A value that OpenTelemetry does not take ends `l7lb run` with 2 where the flag asks for
traces, and costs the traces alone where only the environment does. The image has what is needed; `pip` gets it with
`pip install 'l7lb[otel]'`. Without the endpoint nothing of it is even loaded.

- The id of the trace is the `reconcile_id`, with zeros before it: from a line of the log to its trace and back.
- The span `reconcile` begins when the key was ready. In it lie `queue`, the phases, and a span for each call, named
  after service and action (`clb CreateListener`), with region, RequestId and code.
- A task of the cloud is a span `task <step>` in the pass that found it ended. It begins when the step was sent, and is
  **linked** to the span of the call that sent it, in the trace of that earlier pass.
- Attributes are the fields above, with `l7lb.` before their names. What is no attribute is marked with *log only*.
- A call that was not answered with success, a task that failed and a pass that ended in an error have the status
  *error*.

Traces never hold anything up: a worker puts a finished pass into a queue of 1000 and goes on, a thread of its own sends
them, and what is too much, or not taken, is dropped. `l7lb_trace_spans_total` counts all three. At the end of
the process 3 seconds are spent on what is left.

Neither lines nor spans hold keys, certificates, tokens, or what Secrets hold.
"""


def logs_page(made: str) -> str:
    """The whole page; `made` is the mark of pages that nobody edits."""
    title, _, text = HEAD.partition("\n")
    fields = ["| field | in | what it says |", "| --- | --- | --- |"]
    for field in FIELDS:
        only = "" if field.span else " *Log only.*"
        fields.append(f"| `{field.name}` | {field.where} | {field.help}{only} |")
    phases = ["| phase | what its time was spent on |", "| --- | --- |"]
    phases += [f"| `{name}` | {words} |" for name, words in stages().items()]
    parts = (
        title, "", made, text.rstrip("\n"), "", "```json", example(), "```", "",
        "## Fields", "", "A field that has nothing to say is left out.", "", *fields, "",
        "## Phases", "", "Those from `translate` to `report` follow one another; `call` lies within them.", "",
        *phases, "", "## Asking the log", "", "```sh", *asking(), "```", "", TRACES,
    )  # fmt: skip
    return "\n".join(parts)


def asking() -> list[str]:
    """A comment and a command for each question."""
    pairs = (("# " + question.replace("`", ""), f"{LOGS} | jq -c '{program}'") for question, program in ASKING.items())
    return [line for pair in pairs for line in pair]


def stages() -> dict[str, str]:
    """Name of a phase -> what stands under it in the code."""
    tree = ast.parse((ROOT / PRODUCT / "model/phases.py").read_text(encoding="utf-8"))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == Stage.__name__)
    found: dict[str, str] = {}
    for node, words in itertools.pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant):
            name = ast.literal_eval(node.value)
            found[str(name)] = " ".join(str(words.value.value).split())
    return found


def example() -> str:
    """The line of a pass, as the code writes it, with line breaks."""
    clock = [100.0]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(PassFilter())
    logger = logging.getLogger("l7lb.pass")
    before, propagates = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        _play(Passes((PassLog(),), monotonic=lambda: clock[0], ids=lambda: "4bf92f3577b34da6"), clock)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        logger.propagate = propagates
    line = json.loads(written.getvalue()) | {"time": "2026-11-22T23:51:08.204Z"}
    return json.dumps(line, indent=1)


def _play(passes: Passes, clock: list[float]) -> None:
    key = "new/0c1f6d3e-5a0b-4a65-9c7e-2f3f3f1f7a10"
    passes.began(Taken(key, Lane.CHANGE, 0.0021))
    passes.about(("shop/web",))
    for stage, seconds in ((Stage.TRANSLATE, 0.0004), (Stage.OBSERVE, 0.0001), (Stage.PLAN, 0.0013)):
        passes.enter(stage, "lb-6lfq2k1t")
        clock[0] += seconds
    passes.enter(Stage.APPLY)
    clock[0] += 0.2312
    request = "1b0a8f5e-3f0e-4b52-a0a4-8c8b5a6c6f7a"
    passes.called(Call("clb", "CreateRule", "OK", "ap-guangzhou", request, write=True), 0.2147)
    passes.sent("create 1 rule on HTTP:80: shop.example.com/api", request, "lb-6lfq2k1t")
    passes.ended("waiting", Again(0.3, "the cloud works on: create 1 rule on HTTP:80: shop.example.com/api"))
