"""The files that are made from the code, as text. Writing them is for `generate`, comparing for the tests."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from l7lb import errors, translator
from l7lb.adapters.clb.errors import BY_ACTION, MEANINGS, Meaning
from l7lb.app.config import FLAGS, Flag
from l7lb.model.codes import TABLE as TABLE_OF_CODES
from l7lb.model.codes import Row
from l7lb.telemetry.metrics import TABLE
from tests.house import charting, cloud_rights, examples, meanings
from tests.house.commands import command_line_page
from tests.house.dashboard import dashboard_page
from tests.house.definition import definition_page
from tests.house.findings import reasons_by_code
from tests.house.lessons import lessons_page
from tests.house.logs_page import logs_page
from tests.house.runbook import runbook_page

MADE: Final = "<!-- Made by `make docs`; an edit by hand is undone. -->"

ANNOTATIONS: Final = """# Annotations

Every annotation of an Ingress that l7lb knows, from the table in `l7lb/translator/annotations.py`.

- **counts**: when the value counts. What counts only at creation is reported as `NotApplied` when it is edited later.
- **now**: what l7lb does about it. *in part*: its meaning says which value is refused. *no effect*: there is nothing to
  do, in TKE as here.
- **bad value**: what a value that cannot be read does, with TKE's code where there is one.

Booleans are taken as Go's `ParseBool` takes them; an empty boolean says nothing.
"""
FLAGS_HEAD: Final = """# Flags

The flags of `l7lb run`, from the table in `l7lb/app/config.py`. The [other commands](command-line.md) take the same
ones, heed those that concern them, and have a few of their own (`l7lb adopt --help`). Each flag has a twin in the
environment; the flag wins. A wrong value is one line on standard error, and exit code 2.
"""
METRICS: Final = """# Metrics

What `/metrics` shows, from the table in `l7lb/telemetry/metrics.py`, beside the usual metrics of the Python process.
Names that begin with `workqueue_`, `controller_runtime_`, `rest_client_` and `leader_election_` are those of other
Kubernetes controllers, with their labels, so that dashboards made for them work. No label holds the name of an object
of the cluster.

`l7lb_loadbalancer_info` and `l7lb_certificate_expiry_timestamp_seconds` bear ids of the cloud: as many series as there
are load balancers in use, or certificates named. What the cloud measures of a load balancer is joined by its id:
`max by (load_balancer, mode) (l7lb_loadbalancer_info) * on (load_balancer) group_left () METRIC`.

What to alert on is in [the runbook](runbook/README.md). Rules and dashboard are `charts/l7lb/files/rules.yaml` and
`charts/l7lb/files/dashboard.json`; both work without an edit.

`priority` is the lane: `0` a user's change, `-10` a change of endpoints, `-100` verification. There is one queue and
one controller, so `name` (of `workqueue_`) and `controller` are always `ingress`.
"""
ERRORS: Final = """# Errors

What l7lb tells the author of an Ingress. Each finding is a Kubernetes Event on the Ingress. Errors are also the text of
the `Ready` condition in its annotation `ingress.cloud.tencent.com/status.conditions`; warnings stand there while there
is no error. The codes are TKE's. A message that has a code starts with it.

```sh
kubectl describe ingress NAME        # Events
kubectl get ingress NAME -o jsonpath='{.metadata.annotations.ingress\\.cloud\\.tencent\\.com/status\\.conditions}'
```

One broken part holds only itself: the rule, the host or the listener that the finding is about keeps its shape, the
rest of the Ingress goes on.

`l7lb explain E4041` says what this page says about one code.

## Codes

From the table in `l7lb/model/codes.py`. *Error*: a part that is asked for is not served. *Warning*: all that is asked
for and can be served is. **Holds at most**: what is neither changed nor removed until it is cured; often less.
**Next try**: what happens without anybody's doing; every Ingress is looked at again from time to time anyway.
"""
REACTIONS: Final = """## What the controller does after an error

The table is the one `match` in `l7lb/runtime/controller.py`.

| error | next try | Event |
| --- | --- | --- |
| RetryableError, AlreadyExists | with growing delay, or when the other side said | from the fifth in a row |
| QuotaExceeded, AccessDenied | after 5 minutes, or at the next change | at once |
| any other TerminalError | at the next change of an object, or at the next verification | at once |
| GateClosed | when it opens, or after 5 minutes | none |
| LostLeadership for now (the lease runs short) | after 1 s: it may yet be renewed | none |
| any other LostLeadership | none: the workers stop | none |
| UnauthorizedPlan | after 5 minutes; counted as `l7lb_unauthorized_plans_total` | none: a bug, in the log |
| anything else | with growing delay | none: a bug, in the log with its traceback |
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def annotations_page() -> str:
    """docs/annotations.md."""
    rows = [
        (f"`{row.name}`", row.form, row.default, row.when, row.support, _bad(row.bad_value, row.code), row.doc)
        for row in translator.annotation_rows()
    ]
    head = ("annotation", "value", "default", "counts", "now", "bad value", "meaning")
    return _page(ANNOTATIONS, table(head, rows), examples.of_annotations())


def _bad(value: str, code: str) -> str:
    return f"{value} ({code})" if value and code else value


def flags_page() -> str:
    """docs/flags.md."""
    rows = [(f"`{_spelling(flag)}`", f"`{flag.variable}`", _default(flag), flag.help) for flag in FLAGS]
    return _page(FLAGS_HEAD, table(("flag", "environment", "default", "meaning"), rows))


def _spelling(flag: Flag) -> str:
    return f"--{flag.name}/--no-{flag.name}" if isinstance(flag.default, bool) else f"--{flag.name}"


def _default(flag: Flag) -> str:
    shown = str(flag.default).lower() if isinstance(flag.default, bool) else str(flag.default)
    choices = f" (one of {', '.join(flag.choices)})" if flag.choices else ""
    return (f"`{shown}`" if shown else "") + choices


def metrics_page() -> str:
    """docs/metrics.md."""
    kinds: Mapping[type, str] = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}
    rows = [
        (f"`{row.name}`", kinds[row.kind], ", ".join(f"`{name}`" for name in row.labels), row.help) for row in TABLE
    ]
    return _page(METRICS, table(("metric", "kind", "labels", "meaning"), rows))


def errors_page() -> str:
    """docs/errors.md."""
    found = reasons_by_code()
    codes = [
        (
            row.code,
            ", ".join(f"`{reason}`" for reason in row.reasons),
            _severity(row),
            row.says,
            row.cure,
            row.held.value,
            row.retry.value,
        )
        for row in TABLE_OF_CODES
        if not row.unmet
    ]
    unmet = [(row.code, row.says, row.unmet) for row in TABLE_OF_CODES if row.unmet]
    reasons = [(f"`{reason}`", meanings.REASONS[reason]) for reason in sorted(found[""]) if reason in meanings.REASONS]
    cloud = [(f"`{code}`", "any", *_answer(row)) for code, row in sorted(MEANINGS.items())]
    cloud += [(f"`{code}`", f"`{action}`", *_answer(row)) for (action, code), row in sorted(BY_ACTION.items())]
    return _page(
        ERRORS,
        table(("code", "reasons", "severity", "what it says", "what to do", "holds at most", "next try"), codes),
        "## Codes that are never told\n\nTKE has them too. Here they have no occasion, or something else is told.\n",
        table(("code", "what it says", "why not"), unmet),
        "## Reasons without a code\n",
        table(("reason", "what it says"), reasons),
        "After five failures in a row that a retry may cure, the reason is the kind of the error: `Unavailable`,\n"
        "`Throttled`, `Busy` or `Conflict`.\n",
        "## What the codes of the cloud mean\n\nThe longest prefix wins; a code that is in no row is `Unavailable`. "
        "From the tables in\n`l7lb/adapters/clb/errors.py`. A row for one action goes before a row for any of the "
        "same length.\n",
        table(("code of the cloud", "action", "error", "reason", "code"), cloud),
        "## The errors\n",
        table(("error", "what it is"), _taxonomy()),
        REACTIONS,
    )


def _severity(row: Row) -> str:
    return " or ".join(sorted(severity.value.lower() for severity in row.severities))


def _answer(row: Meaning) -> tuple[str, str, str]:
    return row.kind.__name__, f"`{row.reason}`" if row.reason else "", row.code


def _taxonomy() -> list[tuple[str, str]]:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.L7lbError)]
    return [(kind.__name__, (kind.__doc__ or "").partition("\n")[0]) for kind in classes]


def _page(head: str, *parts: str) -> str:
    title, _, text = head.partition("\n")
    return "\n".join((title, "", MADE, text.rstrip("\n"), "", *parts))


def cloud_rights_page() -> str:
    """docs/cloud-rights.md."""
    head = ("service", "action", "", "names one", "what for")
    policy = f"```json\n{cloud_rights.as_text(cloud_rights.narrowed())}```\n"
    return _page(
        cloud_rights.HEAD, table(head, cloud_rights.rows()), f"{cloud_rights.NARROWED}\n{policy}", cloud_rights.STAYS
    )


PAGES: Final[Mapping[Path, Callable[[], str]]] = {
    Path("docs/annotations.md"): annotations_page,
    Path("docs/flags.md"): flags_page,
    Path("docs/metrics.md"): metrics_page,
    Path("docs/errors.md"): errors_page,
    Path("docs/command-line.md"): lambda: command_line_page(MADE),
    Path("docs/cloud-rights.md"): cloud_rights_page,
    Path("docs/runbook/README.md"): lambda: runbook_page(MADE),
    Path("docs/logs.md"): lambda: logs_page(MADE),
    Path("docs/lessons.md"): lambda: lessons_page(MADE),
    Path("examples/deploy/cam-policy.json"): lambda: cloud_rights.as_text(cloud_rights.policy()),
    Path("docs/service-config.md"): examples.service_config_page,
    Path("charts/l7lb/crds/tkeserviceconfigs.yaml"): definition_page,
    Path("charts/l7lb/files/dashboard.json"): dashboard_page,
    Path("charts/l7lb/values.yaml"): charting.values_text,
    Path("charts/l7lb/values.schema.json"): charting.schema_text,
    Path("charts/l7lb/files/flags.yaml"): charting.flags_text,
    Path("charts/l7lb/README.md"): charting.readme_text,
}
"""Page -> what makes it."""
