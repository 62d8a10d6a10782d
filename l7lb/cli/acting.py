"""Commands that write once: adopt, release, teardown."""

import contextlib
import os
import sys

import click

from l7lb.app.adopting import Verdict
from l7lb.app.config import Config, Value, config
from l7lb.app.ending import Case, of_a_cluster, of_an_account
from l7lb.app.ending_words import list_text, report_line, result_json
from l7lb.app.handing import adopt as hand_over
from l7lb.app.handing import let_go, look
from l7lb.app.handing import ours as marked_ingresses
from l7lb.app.releasing import End
from l7lb.app.takeover_words import release_json, release_line, takeover_json, takeover_text
from l7lb.app.tearing import End as TornDown
from l7lb.app.tearing import Report
from l7lb.cli.flags import flagged
from l7lb.cli.help import Command
from l7lb.cli.output import printed
from l7lb.cli.progress import aside, progress
from l7lb.errors import ConfigurationError
from l7lb.telemetry import logs


@click.command(
    cls=Command,
    short_help="What a take-over from TKE's controller means, or do it.",
    examples=(
        "adopt",
        "adopt --apply",
    ),
)
@click.option("--dry-run/--apply", default=True, show_default=True, help="Only look, or enter what can be entered.")
@printed
@flagged
def adopt(dry_run: bool, output: str, **values: Value) -> None:
    """Say how each Ingress stands before l7lb takes over from TKE's controller; with --apply, hand over.

    --apply enters l7lb's finalizer and record on every Ingress for which nothing would be written, and writes nothing
    to the cloud. It refuses while TKE's controller may run, and while `run` holds the Lease.

    Exit code 0: all is right, or taken over; 2: something would change or waits, or a wrong flag; 1: an Ingress cannot
    be taken over, or the command is refused.
    """
    built = config(values)
    logs.configure("error", "text")
    with progress() as told:
        takeover = look(built, os.environ, told) if dry_run else hand_over(built, os.environ, told, aside)
    click.echo(takeover_json(takeover) if output == "json" else takeover_text(takeover), nl=False)
    if takeover.having(Verdict.REFUSED):
        sys.exit(1)
    sys.exit(2 if takeover.having(Verdict.CHANGES) or takeover.having(Verdict.WAITS) else 0)


@click.command(
    cls=Command,
    short_help="Take l7lb's marks off every Ingress.",
    examples=("release --all",),
)
@click.option("--all", "everything", is_flag=True, help="Every Ingress that bears l7lb's marks. Required.")
@click.option("--yes", is_flag=True, help="Do not ask for the cluster id.")
@printed
@flagged
def release(everything: bool, yes: bool, output: str, **values: Value) -> None:
    """Take l7lb's finalizer and record off every Ingress, and write nothing to the cloud.

    Part of going back to TKE's controller. Refuses while `run` holds the Lease.

    Exit code 0: none bears them any more; 1: some still do, or the command is refused; 2: a wrong flag.
    """
    built = config(values)
    logs.configure("error", "text")
    if not everything:
        raise ConfigurationError("--all: say that every Ingress is meant")
    if not yes:
        _confirm(built, len(marked_ingresses(built, os.environ)))
    told = (lambda one: click.echo(release_line(one))) if output == "text" else (lambda _: None)
    ends = let_go(built, os.environ, told, aside)
    click.echo(release_json(ends) if output == "json" else f"{len(ends)} in all\n", nl=False)
    sys.exit(1 if any(one.end is End.LEFT for one in ends) else 0)


@click.command(
    cls=Command,
    short_help="Delete the load balancers of a cluster that goes away.",
    examples=(
        "teardown --cluster cls-9mfq2k1t --dry-run",
        "teardown --cluster cls-9mfq2k1t --without-cluster --cluster-uid 0f1e2d3c-...",
    ),
)
@click.option("--cluster", default="", help="Id of the cluster that goes away. Required.")
@click.option("--without-cluster", is_flag=True, help="Its API server does not answer any more; needs --cluster-uid.")
@click.option("--cluster-uid", default="", help="With --without-cluster: UID of its namespace kube-system.")
@click.option("--dry-run", is_flag=True, help="Print the list, and do nothing.")
@click.option("--yes", default="", metavar="ID", help="The cluster id once more, instead of typing it when asked.")
@printed
@flagged
def teardown(
    cluster: str, without_cluster: bool, cluster_uid: str, dry_run: bool, yes: str, output: str, **values: Value
) -> None:
    """Delete the load balancers that a cluster has made, and let go of those that were lent to it.

    For a cluster that goes away. Prints its list and wants the cluster id typed. Refuses while `run` holds the Lease,
    while TKE's controller may run, and where the cluster may be a copy of another one.

    Exit code 0: all is gone that was to go; 1: something is left, or the command is refused; 2: a wrong flag.
    """
    built = _of_the_cluster(cluster, values)
    if without_cluster is not bool(cluster_uid):
        raise ConfigurationError("--cluster-uid: is given with --without-cluster, and only with it")
    if yes not in ("", cluster):
        raise ConfigurationError("--yes: is not the id of --cluster; nothing is torn down")
    logs.configure("error", "text")
    with contextlib.ExitStack() as stack:
        if without_cluster:
            case = of_an_account(built, os.environ, cluster_uid)
        else:
            case = stack.enter_context(of_a_cluster(built, os.environ, aside))
        _tear_down(case, dry_run=dry_run, yes=yes, output=output)


def _tear_down(case: Case, *, dry_run: bool, yes: str, output: str) -> None:
    order, rows = case.ground.order, case.rows()
    as_text = output == "text"
    click.echo(list_text(rows, order.cluster, alive=order.alive), nl=False, err=not as_text)
    reports: tuple[Report, ...] = ()
    if case.forbidden:
        click.echo(f"l7lb: nothing is torn down: {case.forbidden}", err=True)
    elif not dry_run:
        typed = yes or click.prompt("Type the cluster id to tear it down", default="", show_default=False, err=True)
        if typed != order.cluster.id:
            raise ConfigurationError("--cluster: what was typed is another id; nothing is torn down")
        told = (lambda one: click.echo(report_line(one))) if as_text else (lambda _: None)
        reports = case.tear_down(typed, told, lambda why: click.echo(why, err=True))
    if not as_text:
        click.echo(result_json(rows, reports, order.cluster, case.forbidden), nl=False)
    sys.exit(1 if case.forbidden or any(one.end is TornDown.LEFT for one in reports) else 0)


def _of_the_cluster(cluster: str, values: dict[str, Value]) -> Config:
    """`--cluster` is `--cluster-id` here; raises ConfigurationError where both are given and differ."""
    if not cluster:
        raise ConfigurationError("--cluster: name the cluster that goes away")
    if values["cluster_id"] not in ("", cluster):
        raise ConfigurationError(f"--cluster: {cluster!r} is not --cluster-id, which is {values['cluster_id']!r}")
    return config({**values, "cluster_id": cluster})


def _confirm(built: Config, count: int) -> None:
    """Raises ConfigurationError unless the id of the cluster is typed."""
    click.echo(f"{count} of the Ingresses of cluster {built.cluster_id} bear l7lb's finalizer or record.", err=True)
    if (
        click.prompt("Type the cluster id to take them off", default="", show_default=False, err=True)
        != built.cluster_id
    ):
        raise ConfigurationError("--cluster-id: what was typed is another one; nothing is released")
