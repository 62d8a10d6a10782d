"""Commands about this command: version and completion. They load nothing of what the others need."""

import click
from click.shell_completion import get_completion_class

from l7lb import __version__
from l7lb.app.showing import as_document
from l7lb.cli.help import NAME, Command
from l7lb.cli.output import printed


@click.command(cls=Command, examples=("version",))
@printed
def version(output: str) -> None:
    """Print the version."""
    if output == "json":
        click.echo(as_document({"version": __version__}), nl=False)
        return
    click.echo(f"l7lb {__version__}")


@click.command(
    cls=Command,
    short_help="Print what makes a shell complete l7lb's words.",
    examples=(
        "completion bash > ~/.local/share/bash-completion/completions/l7lb",
        'completion zsh > "${fpath[1]}/_l7lb"',
        "completion fish > ~/.config/fish/completions/l7lb.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete the words of l7lb: commands, options, their values, and codes."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(context.find_root().command, {}, NAME, f"_{NAME.upper()}_COMPLETE").source())
