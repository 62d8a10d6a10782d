"""How help looks: commands by what they are for, options by what they are about, examples at the end."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

NAME: Final = "l7lb"
CONNECTION: Final = frozenset(
    {
        "cluster_id", "region", "more_regions", "vpc_id", "kubeconfig", "clb_endpoint", "api_root_domain",
        "credentials", "watch_namespace",
    }
)  # fmt: skip
"""Flags that every command heeds which asks a cluster or an account."""
Row = tuple[str, str]


class Shared(click.Option):
    """A flag of `run` that other commands accept."""


class Command(click.Command):
    """A command whose help lists its own options first, and shows how it is called."""

    def __init__(self, *given: Any, examples: Sequence[str] = (), every_flag: bool = False, **named: Any) -> None:
        """`examples`: command lines without the leading `l7lb`. `every_flag`: it heeds all flags of `run`."""
        super().__init__(*given, **named)
        self.examples = tuple(examples)
        self.every_flag = every_flag

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Three sections; what `run` alone heeds is accepted by all, and listed by `run`."""
        own: list[Row] = []
        shared: list[Row] = []
        running: list[Row] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None or isinstance(param, click.Argument):
                continue
            part = own if not isinstance(param, Shared) else shared if param.name in CONNECTION else running
            part.append(record)
        _section(formatter, "Options", own)
        _section(formatter, "Cluster and account", shared)
        if self.every_flag:
            _section(formatter, "What is done, and how", running)
        elif running:
            formatter.write_paragraph()
            formatter.write_text("Other flags of `l7lb run` are accepted, so that one environment serves all commands.")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}l7lb {line}\n")


class Group(click.Group):
    """Commands in sections, in the order in which they were named; each is loaded when it is called or described."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.sections: list[tuple[str, tuple[str, ...]]] = []
        self._modules: dict[str, str] = {}

    def add_section(self, title: str, modules: Mapping[str, str]) -> None:
        """Add commands under one title: by name, the module in which a command is called so."""
        self._modules |= modules
        self.sections.append((title, tuple(modules)))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's shape
        """In the order of the sections."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; None: there is none of this name."""
        if cmd_name in self._modules and cmd_name not in self.commands:
            self.add_command(getattr(importlib.import_module(self._modules[cmd_name]), cmd_name))
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One list a section."""
        width = formatter.width - 6 - max(len(name) for name in self._modules)
        for title, names in self.sections:
            found = ((name, self.get_command(ctx, name)) for name in names)
            _section(
                formatter, title, [(name, one.get_short_help_str(width)) for name, one in found if one is not None]
            )


def _section(formatter: click.HelpFormatter, title: str, rows: Sequence[Row]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
