"""The options of whatever prints: the form of the output, also of a failure, and colour."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar, cast

import click

from l7lb.app.showing import as_document
from l7lb.errors import L7lbError, Unavailable

Decorated = TypeVar("Decorated", bound=Callable[..., object])

COLOUR: Final = {"always": True, "never": False}


def printed(command: Decorated) -> Decorated:
    """Give a command `--output` and `--color`; the first reaches it as `output`, the second is seen to here.

    With `-o json` a failure is a document too, beside the line on standard error.
    """
    command = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        is_eager=True,
        expose_value=False,
        callback=_set_colour,
        help="Colours; auto: on a terminal, unless NO_COLOR is set.",
    )(_told_as_asked(command))
    return click.option(
        "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="For people, or for programs.",
    )(command)  # fmt: skip


def in_one_line(error: L7lbError) -> str:
    """What went wrong, and what to look at where that is known."""
    advice = error.advice if isinstance(error, Unavailable) else ""
    return " ".join(f"{error}{'; ' if advice else ''}{advice}".split())


def _told_as_asked(command: Decorated) -> Decorated:
    @wraps(command)
    def told(*arguments: object, **values: object) -> object:
        try:
            return command(*arguments, **values)
        except L7lbError as error:
            if values["output"] == "json":
                click.echo(as_document({"error": in_one_line(error)}), nl=False)
            raise

    return cast(Decorated, told)


def _set_colour(context: click.Context, _: click.Parameter, value: str) -> None:
    """`click` asks the context; None: it looks whether the output is a terminal."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    context.color = COLOUR.get(value, False if plain else None)
