"""The way in: all commands together, and every expected failure as one line.

A wrong flag is one line on standard error and exit code 2; any other failure is one line and 1.
"""

import errno
import os
import sys
from typing import Final

import click

from l7lb.app.showing import plain
from l7lb.cli.help import NAME, Group
from l7lb.cli.output import in_one_line
from l7lb.errors import ConfigurationError, L7lbError

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a file or a terminal says that takes no more. A closed pipe is click's: it ends quietly, with 1."""


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Kubernetes Ingress objects into Tencent Cloud load balancers."""


LOOKING: Final = "l7lb.cli.looking"
ACTING: Final = "l7lb.cli.acting"
cli.add_section(
    "Look, and change nothing",
    {
        "status": LOOKING,
        "tree": LOOKING,
        "explain": LOOKING,
        "plan": "l7lb.cli.reading",
        "audit": "l7lb.cli.reading",
        "doctor": LOOKING,
    },
)
cli.add_section(
    "Take over, and let go",
    {"adopt": ACTING, "release": ACTING, "leave": "l7lb.cli.uninstalling", "teardown": ACTING},
)
cli.add_section("Run", {"run": "l7lb.cli.running"})
cli.add_section("About this command", {"completion": "l7lb.cli.about", "version": "l7lb.cli.about"})


def main(arguments: list[str] | None = None) -> None:
    """Entry point; every expected failure is one line."""
    try:
        code = cli.main(arguments, prog_name=NAME, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.format_message())
        sys.exit(2)
    except click.UsageError as error:
        sys.exit(_fail(2, _usage(error)))
    except click.Abort:
        sys.exit(130)
    except ConfigurationError as error:
        sys.exit(_fail(2, str(error)))
    except L7lbError as error:
        sys.exit(_fail(1, in_one_line(error)))
    except OSError as error:
        if error.errno not in FULL:
            raise
        _turn_off_output()
        sys.exit(_fail(1, f"the output cannot be written: {error.strerror or error}"))
    sys.exit(code if isinstance(code, int) else 0)


def _turn_off_output() -> None:
    """What is left in the buffer goes nowhere: at its end the interpreter would try once more, and say so."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _usage(error: click.UsageError) -> str:
    option = getattr(error, "param", None)
    return f"{option.opts[0]}: {error.message}" if isinstance(option, click.Option) else error.format_message()


def _fail(code: int, message: str) -> int:
    click.echo(f"l7lb: {plain(' '.join(message.split()))}", err=True)
    return code
