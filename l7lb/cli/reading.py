"""Commands that say what would be done, and what there is: plan, audit."""

import os
import sys
from pathlib import Path

import click

from l7lb.app.audit_words import audit_json, audit_text
from l7lb.app.config import Config, Value, config
from l7lb.app.inspecting import inspect
from l7lb.app.printing import as_json, as_text, would_not_write
from l7lb.app.showing import plain
from l7lb.app.survey import survey_files, survey_live
from l7lb.cli.flags import at_hand, flagged
from l7lb.cli.help import Command
from l7lb.cli.output import printed
from l7lb.cli.progress import progress
from l7lb.errors import ConfigurationError
from l7lb.telemetry import logs


@click.command(
    cls=Command,
    short_help="What run would do, step by step.",
    examples=(
        "plan",
        "plan --full",
        "plan --offline -f examples/01-http.yaml",
        "plan -o json",
    ),
)
@click.option(
    "-f", "--filename", "files", multiple=True, type=click.Path(path_type=Path),
    help="With --offline: a file, a directory, or - for standard input.",
)  # fmt: skip
@click.argument("more", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="Plan from the files alone, with neither cluster nor cloud.")
@click.option("--full", is_flag=True, help="Every piece of every step, and Ingresses with nothing to do.")
@printed
@flagged
def plan(
    files: tuple[Path, ...], more: tuple[Path, ...], offline: bool, full: bool, output: str, **values: Value
) -> None:
    """Print what `run` would do, step by step, and change nothing.

    FILE: as with -f, so that -f examples/*.yaml names them all.

    Exit code 0: nothing to do; 2: changes, or a wrong flag; 1: a file, the cluster or the cloud cannot be read, or an
    Ingress cannot be planned, or not be served.
    """
    files += more
    built = _offline_config(values) if offline else config(at_hand(values))
    logs.configure("error", "text")
    if offline and not files:
        raise ConfigurationError("--filename: --offline plans from files, and none is given")
    if files and not offline:
        raise ConfigurationError("--filename: only with --offline; without it the cluster is read")
    with progress() as told:
        survey = survey_files(files, built) if offline else survey_live(built, os.environ, told)
    if output == "json":
        click.echo(as_json(survey.findings), nl=False)
        if survey.blocked:
            click.echo(plain(would_not_write(survey.blocked)), err=True)
    else:
        click.echo(as_text(survey.findings, offline=offline, blocked=survey.blocked, full=full), nl=False)
    if any(finding.failed for finding in survey.findings):
        sys.exit(1)
    sys.exit(2 if any(finding.plan for finding in survey.findings) else 0)


@click.command(
    cls=Command,
    short_help="Load balancers by what uses them, and orphans.",
    examples=(
        "audit",
        "audit --more-regions ap-beijing -o json",
    ),
)
@printed
@flagged
def audit(output: str, **values: Value) -> None:
    """List the load balancers of the cluster by what uses them, and Ingresses that something is wrong with.

    Writes nothing, and needs neither the Lease nor an open gate. Looks in --region, in regions that Ingresses name, and
    in --more-regions.

    Findings are about load balancers, and about Ingresses that have lost theirs. Whether Ingresses are served is the
    matter of `status`: how many are not ready stands in the first line, and does not change the exit code.

    Exit code 0: no findings; 2: findings, or a wrong flag; 1: something could not be read.
    """
    built = config(at_hand(values))
    logs.configure("error", "text")
    with progress() as told:
        found = inspect(built, os.environ, told)
    click.echo(audit_json(found) if output == "json" else audit_text(found), nl=False)
    if found.look.refused:
        sys.exit(1)
    sys.exit(2 if found.findings else 0)


def _offline_config(values: dict[str, Value]) -> Config:
    """Nothing is asked, so the names of cluster and region may stay open."""
    return config(values | {name: values[name] or default for name, default in _UNKNOWN.items()})


_UNKNOWN = {"cluster_id": "cls-offline", "region": "ap-offline"}
