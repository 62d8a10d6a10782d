"""How help looks: commands by what they are for, options by what they are about, examples at the end."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

from l7lb.app.config import FLAGS

CONNECTION: Final = frozenset(
    {
        "cluster_id", "region", "more_regions", "vpc_id", "kubeconfig", "clb_endpoint", "api_root_domain",
        "credentials", "watch_namespace",
    }
)  # fmt: skip
"""Flags that every command heeds which asks a cluster or an account."""
_FLAGS: Final = frozenset(flag.field for flag in FLAGS)
Row = tuple[str, str]


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
            part = own if param.name not in _FLAGS else shared if param.name in CONNECTION else running
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
    """Commands in sections, in the order in which they were named."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.sections: list[tuple[str, tuple[str, ...]]] = []

    def add_section(self, title: str, commands: Iterable[click.Command]) -> None:
        """Add commands under one title."""
        added = tuple(commands)
        for command in added:
            self.add_command(command)
        self.sections.append((title, tuple(command.name or "" for command in added)))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's shape
        """In the order of the sections."""
        return [name for _, names in self.sections for name in names]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's shape
        """One list a section."""
        width = formatter.width - 6 - max((len(name) for name in self.commands), default=0)
        for title, names in self.sections:
            rows = [(name, self.commands[name].get_short_help_str(width)) for name in names]
            _section(formatter, title, rows)


def _section(formatter: click.HelpFormatter, title: str, rows: Sequence[Row]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
