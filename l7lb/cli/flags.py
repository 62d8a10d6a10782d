"""Options that several commands share: the flags of `run`."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from l7lb.app.config import FLAGS, Flag, Value
from l7lb.cli.help import Shared

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def flagged(command: Decorated) -> Decorated:
    """Give a command every flag of the table, each with its twin in the environment."""
    for flag in reversed(FLAGS):
        command = click.option(
            _names(flag),
            flag.field,
            cls=Shared,
            type=_type(flag),
            default=flag.default,
            show_default=bool(str(flag.default)),
            envvar=flag.variable,
            show_envvar=True,
            help=flag.help,
        )(command)
    return command


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


def _names(flag: Flag) -> str:
    return f"--{flag.name}/--no-{flag.name}" if isinstance(flag.default, bool) else f"--{flag.name}"


def _type(flag: Flag) -> click.Choice[str] | type | None:
    if isinstance(flag.default, bool):
        return None
    return click.Choice(flag.choices) if flag.choices else type(flag.default)
