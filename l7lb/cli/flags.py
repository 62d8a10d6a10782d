"""Options that several commands share: the flags of `run`, the form of the output, and colour."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import click

from l7lb.app.config import FLAGS, Flag, Value

Decorated = TypeVar("Decorated", bound=Callable[..., object])

COLOUR: Final = {"always": True, "never": False}


def flagged(command: Decorated) -> Decorated:
    """Give a command every flag of the table, each with its twin in the environment."""
    for flag in reversed(FLAGS):
        command = click.option(
            _names(flag),
            flag.field,
            type=_type(flag),
            default=flag.default,
            show_default=bool(str(flag.default)),
            envvar=flag.variable,
            show_envvar=True,
            help=flag.help,
        )(command)
    return command


def printed(command: Decorated) -> Decorated:
    """Give a command `--output` and `--color`; the first reaches it as `output`, the second is seen to here."""
    command = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        is_eager=True,
        expose_value=False,
        callback=_set_colour,
        help="Colours; auto: on a terminal, unless NO_COLOR is set.",
    )(command)
    return click.option(
        "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="For people, or for programs.",
    )(command)  # fmt: skip


def at_hand(values: Mapping[str, Value]) -> dict[str, Value]:
    """For commands that only look: without `--kubeconfig`, and outside of a pod, the file that kubectl would take.

    Whatever writes has to be told which cluster is meant.
    """
    in_a_pod = "KUBERNETES_SERVICE_HOST" in os.environ
    if values["kubeconfig"] or in_a_pod:
        return dict(values)
    named = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube/config")
    found = any(Path(one).is_file() for one in named.split(os.pathsep))
    return {**values, "kubeconfig": named if found else ""}


def _set_colour(context: click.Context, _: click.Parameter, value: str) -> None:
    """`click` asks the context; None: it looks whether the output is a terminal."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    context.color = COLOUR.get(value, False if plain else None)


def _names(flag: Flag) -> str:
    return f"--{flag.name}/--no-{flag.name}" if isinstance(flag.default, bool) else f"--{flag.name}"


def _type(flag: Flag) -> click.Choice[str] | type | None:
    if isinstance(flag.default, bool):
        return None
    return click.Choice(flag.choices) if flag.choices else type(flag.default)
