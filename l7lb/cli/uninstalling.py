"""The command that an uninstall begins with: leave."""

import os
import sys

import click

from l7lb.app.config import Value, config
from l7lb.app.leaving import Policy, Wish
from l7lb.app.showing import as_document
from l7lb.app.uninstalling import uninstall
from l7lb.cli.flags import flagged
from l7lb.cli.help import Command
from l7lb.cli.output import printed
from l7lb.cli.progress import aside
from l7lb.telemetry import logs


@click.command(
    cls=Command,
    short_help="Make ready to be uninstalled.",
    examples=(
        "leave --deployment l7lb/l7lb",
        "leave --deployment l7lb/l7lb --policy drain --confirm cls-9mfq2k1t",
    ),
)
@click.option("--deployment", default="", metavar="NAMESPACE/NAME", help="The Deployment of l7lb. Required.")
@click.option(
    "--policy", type=click.Choice([policy.value for policy in Policy]), default=Policy.REFUSE.value, show_default=True,
    help="What to do where Ingresses bear l7lb's marks.",
)  # fmt: skip
@click.option("--confirm", default="", metavar="ID", help="With drain: the cluster id once more.")
@printed
@flagged
def leave(deployment: str, policy: str, confirm: str, output: str, **values: Value) -> None:
    """Make ready to be uninstalled; Helm calls it before it deletes anything.

    refuse: fails while Ingresses bear l7lb's marks, and says what can be done. keep: stops the controller and takes the
    marks off; load balancers serve on. drain: stops it, deletes the load balancers that it made and gives back what was
    lent, as `teardown` does. The annotation l7lb.dev/uninstall of the Deployment (refuse, keep, drain:CLUSTER_ID) goes
    before the flag.

    Exit code 0: it may be uninstalled; 1: it may not yet, or something could not be read or done; 2: a wrong flag.
    """
    built = config(values)
    logs.configure("error", "text")
    lines: list[str] = []
    told = click.echo if output == "text" else lines.append
    done = uninstall(built, os.environ, deployment, Wish(Policy(policy), confirm), told, aside)
    if output == "json":
        click.echo(as_document({"done": done, "said": lines}), nl=False)
    sys.exit(0 if done else 1)
