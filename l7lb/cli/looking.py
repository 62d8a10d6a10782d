"""Commands that look at what runs: status, tree, explain, doctor. They write nothing."""

import os
import re
import shutil
import sys
from typing import Final

import click
from click.shell_completion import CompletionItem

from l7lb.app.config import Value, config
from l7lb.app.diagnosing import Level, diagnose
from l7lb.app.doctor_words import doctor_json, doctor_text
from l7lb.app.examining import examined
from l7lb.app.explain_words import explanation_document, explanation_text
from l7lb.app.explaining import Leases, one_of
from l7lb.app.explaining import explain as explained
from l7lb.app.outside import outlook
from l7lb.app.overview import overviewed
from l7lb.app.overview_words import overview_json, overview_text
from l7lb.app.printing import explanation, explanation_json
from l7lb.app.sketching import chosen, sketch, users_of
from l7lb.app.tree_words import tree_json, tree_text
from l7lb.cli.flags import at_hand, flagged
from l7lb.cli.help import Command
from l7lb.cli.output import printed
from l7lb.cli.progress import progress
from l7lb.model.branches import Mark
from l7lb.model.codes import CODES
from l7lb.telemetry import logs

CODE: Final = re.compile(r"[EW]\d+", re.IGNORECASE)


def complete_codes(context: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes with what they say; names of Ingresses would need the cluster at every key."""
    del context, param
    found = (row for row in CODES.values() if incomplete and row.code.startswith(incomplete.upper()))
    return [CompletionItem(row.code, help=row.says) for row in found]


@click.command(
    cls=Command,
    short_help="Everything on one screen, problems first.",
    examples=(
        "status",
        "status -o json",
    ),
)
@printed
@flagged
def status(output: str, **values: Value) -> None:
    """Show everything on one screen: who leads, the gate, Ingresses, load balancers, quotas, and problems first.

    Exit code 0: nothing to look at; 2: problems, or a wrong flag; 1: something could not be read.
    """
    built = config(at_hand(values))
    logs.configure("error", "text")
    with progress() as told:
        seen = overviewed(built, os.environ, told)
    click.echo(overview_json(seen) if output == "json" else overview_text(seen, _width()), nl=False)
    sys.exit(1 if seen.unread else 2 if seen.problems else 0)


@click.command(
    cls=Command,
    short_help="Load balancers as trees, with weight and health as of now.",
    examples=(
        "tree",
        "tree shop/web",
        "tree shop.example.com --full",
        "tree lb-0a1b2c3d -o json",
    ),
)
@click.argument("word", required=False, default="", metavar="[INGRESS|LB|HOST]")
@click.option("--full", is_flag=True, help="Every target, however many there are.")
@printed
@flagged
def tree(word: str, full: bool, output: str, **values: Value) -> None:
    """Draw load balancers with what is on them: listener, host, rule, target, with weight and health as of now.

    Without a word: all of them, in the lowest lane of the API budget. A word is NAMESPACE/NAME or the name of an
    Ingress, the id of a load balancer, a host, or an address.

    Exit code 0: drawn; 1: something could not be read; 2: nothing is called so, or a wrong flag.
    """
    built = config(at_hand(values))
    logs.configure("error", "text")
    with progress() as told, outlook(built, os.environ, told) as seen:
        drawn = sketch(seen.found, chosen(users_of(seen.found.worlds), word, seen.found.heads), told)
    click.echo(tree_json(drawn) if output == "json" else tree_text(drawn, full=full, width=_width()), nl=False)
    sys.exit(1 if drawn.unread or drawn.unanswered else 0)


@click.command(
    cls=Command,
    short_help="Why an Ingress works or does not, or what a code means.",
    examples=(
        "explain shop/web",
        "explain shop.example.com -o json",
        "explain E4041",
    ),
)
@click.argument("word", metavar="INGRESS|CODE", shell_complete=complete_codes)
@click.option("--full", is_flag=True, help="Every target and every piece of a step.")
@printed
@flagged
def explain(word: str, full: bool, output: str, **values: Value) -> None:
    """Say why an Ingress works or does not: what was read, what was decided, what waits for what.

    INGRESS is NAMESPACE/NAME, a name, a host or an address. With a CODE of an Event or a condition, such as E4041, it
    says what the code means and what to do, and asks no cluster.

    Exit code 0: it works, or is on its way; 2: something is broken, or a wrong flag; 1: something could not be read.
    """
    if CODE.fullmatch(word):
        _explain_code(word, output)
        return
    built = config(at_hand(values))
    logs.configure("error", "text")
    with progress() as told, outlook(built, os.environ, told) as seen:
        one = explained(seen.found, one_of(seen.found, word), Leases(seen.lease, seen.shards), told)
    click.echo(explanation_document(one) if output == "json" else explanation_text(one, full=full), nl=False)
    sys.exit(1 if one.unread else 2 if one.worst is Mark.BAD else 0)


def _explain_code(code: str, output: str) -> None:
    row = CODES.get(code.upper())
    if row is None:
        raise click.BadParameter(f"{code!r} is no code of TKE's Ingress; docs/errors.md has all of them")
    click.echo(explanation_json(row) if output == "json" else explanation(row), nl=False)


def _width() -> int | None:
    """Of the terminal; None where the output is none, or closed."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None


@click.command(
    cls=Command,
    short_help="Whether all is there that l7lb needs.",
    examples=(
        "doctor",
        "doctor --as system:serviceaccount:l7lb:l7lb",
        "doctor -o json",
    ),
)
@click.option("--as", "account", default="", metavar="USER", help="Whose rights in the cluster are asked for.")
@printed
@flagged
def doctor(account: str, output: str, **values: Value) -> None:
    """Look whether everything that l7lb needs is there: rights, quotas, clocks, the gate, the leader.

    Writes nothing. Rights in the cluster are those of whoever asks, unless --as names somebody, such as the service
    account of l7lb. Rights in the account are tried by harmless reads; rights to write cannot be proven so.

    Exit code 0: all is well; 2: warnings, or a wrong flag; 1: something fails.
    """
    built = config(at_hand(values))
    logs.configure("error", "text")
    with progress() as told:
        facts = examined(built, os.environ, account=account, told=told)
    found = diagnose(facts)
    click.echo(doctor_json(found, facts) if output == "json" else doctor_text(found, facts), nl=False)
    levels = {one.level for one in found}
    sys.exit(1 if Level.FAIL in levels else 2 if Level.WARN in levels else 0)
