"""What the person in front of the screen sees: scenes, a progress display, trees. On no terminal: plain lines.

Nothing is decided here.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.tree import Tree

from tests.demo.cloud import Listener, LoadBalancer, Rule, Target

Note: TypeAlias = Callable[[int, int, str], None]
"""Tell how far something is: steps done, steps in all, in words."""

_PLAIN_WIDTH = 140
_COLORS = {"Alive": "green", "Dead": "red", "Unknown": "yellow"}


class Screen:
    """Prints; a `with` block shows the progress display at the bottom of a terminal."""

    def __init__(self, scenes: int) -> None:
        console = Console(highlight=False)
        self._is_plain = not console.is_terminal
        self._console = Console(highlight=False, width=_PLAIN_WIDTH) if self._is_plain else console
        self._began = time.monotonic()
        self._scenes, self._scene = scenes, 0
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}"), TimeElapsedColumn(),
            console=self._console, transient=True, disable=self._is_plain,
        )  # fmt: skip
        self._whole: TaskID | None = None

    @contextmanager
    def on(self) -> Iterator[None]:
        """Show the progress display while inside."""
        with self._progress:
            self._whole = self._progress.add_task("demo", total=self._scenes, words="")
            yield

    @property
    def elapsed_s(self) -> float:
        """Seconds since the curtain rose."""
        return time.monotonic() - self._began

    def scene(self, title: str) -> None:
        """Begin the next scene."""
        self._scene += 1
        self._console.print()
        self._line(f"[bold]{self._scene}/{self._scenes} {escape(title)}[/bold]")
        if self._whole is not None:
            self._progress.update(self._whole, completed=self._scene - 1, words=f"scene {self._scene}: {escape(title)}")

    def say(self, text: str) -> None:
        """One line."""
        self._line(f"    {escape(text)}")

    def raw(self, text: str) -> None:
        """Text as it is, to be copied."""
        self._console.print(text, markup=False, soft_wrap=True)

    def show(self, renderable: RenderableType) -> None:
        """Something bigger."""
        self._console.print(renderable)

    @contextmanager
    def bar(self, label: str) -> Iterator[Note]:
        """A bar of its own for something that takes steps."""
        if self._is_plain:
            yield self._plain_note(label)
            return
        task = self._progress.add_task(f"  {escape(label)}", total=None, words="")

        def note(done: int, total: int, words: str) -> None:
            self._progress.update(task, completed=done, total=total, words=escape(words))

        try:
            yield note
        finally:
            self._progress.remove_task(task)

    def _plain_note(self, label: str) -> Note:
        last = ""

        def note(done: int, total: int, words: str) -> None:
            nonlocal last
            if words != last:
                self.say(f"{label}: {done}/{total} {words}")
            last = words

        return note

    def _line(self, markup: str) -> None:
        self._console.print(f"[dim]{self.elapsed_s:6.1f} s[/dim]  {markup}", soft_wrap=True)


def tree_of(lb: LoadBalancer, title: str) -> Tree:
    """A load balancer as a tree: listeners, hosts, rules, targets with their health."""
    kind = "internal" if lb.is_internal else "public"
    root = Tree(f"[bold]{lb.id}[/bold] {escape(lb.name)} [dim]{kind}, {lb.address}[/dim]  {escape(title)}")
    root.add(
        "[dim]" + escape(", ".join(f"{key}={value}" for key, value in sorted(lb.tags.items())) or "no tags") + "[/dim]"
    )
    for listener in sorted(lb.listeners, key=lambda one: one.port):
        _grow(root.add(_listener(listener)), listener)
    return root


def _listener(listener: Listener) -> str:
    certificate = f", certificate {' '.join(listener.certificate)}" if listener.certificate else ""
    return (
        f"[bold]{listener.key}[/bold] [dim]{escape(listener.name)}{certificate}{', SNI' if listener.sni else ''}[/dim]"
    )


def _grow(branch: Tree, listener: Listener) -> None:
    for target in listener.targets:
        branch.add(_target(target))
    hosts: dict[str, list[Rule]] = {}
    for rule in listener.rules:
        hosts.setdefault(rule.host, []).append(rule)
    for host, rules in hosts.items():
        certificate = f", certificate {' '.join(rules[0].certificate)}" if rules[0].certificate else ""
        default = ", default" if rules[0].is_default else ""
        twig = branch.add(f"{escape(host)}[dim]{certificate}{default}[/dim]")
        for rule in sorted(rules, key=lambda one: one.path):
            leaf = twig.add(escape(rule.path))
            for target in rule.targets:
                leaf.add(_target(target))


def _target(target: Target) -> str:
    color = _COLORS.get(target.health, "dim")
    who = f" {target.instance}" if target.instance else ""
    return f"{target.ip}:{target.port}{who} weight {target.weight} [{color}]{target.health}[/{color}]"
