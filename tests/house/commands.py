"""docs/command-line.md: a tour with the screens of the tests, and every command and option as the code has it."""

import json
from collections.abc import Iterable, Iterator
from typing import Final

import click

from l7lb.app.config import FLAGS
from l7lb.cli.entry import cli
from l7lb.cli.help import CONNECTION, Command
from tests.unit.cli.screens import DOCUMENTS, plain

KINDS: Final = {str: "text", int: "number", float: "number", bool: "true or false", type(None): "null"}
ELSEWHERE: Final = {
    "tree": "as an entry of `loadBalancers` of `l7lb tree`, or null",
    "plan": "as an entry of `l7lb plan`, or null",
}
MAPPINGS: Final = ("loadBalancers", "conditions", "notRead", "regions.notRead", "counts", "targets.notKnown")
"""Paths below which keys are no fields."""
HEAD: Final = """# Command line

`l7lb` with `-h` lists the commands; a command with `-h` lists its options and shows how it is called. Commands that
look write nothing: neither to the cluster nor to the cloud. They want the flags of [`l7lb run`](flags.md) that say
which cluster and which account is meant, or their twins in the environment:

```sh
export L7LB_CLUSTER_ID=cls-9mfq2k1t L7LB_REGION=ap-guangzhou
export TENCENTCLOUD_SECRET_ID=... TENCENTCLOUD_SECRET_KEY=...
l7lb status
```

Outside of a pod, without `--kubeconfig`, they take the file that `kubectl` takes: that of `KUBECONFIG`, else
`~/.kube/config`. Commands that act do not: they have to be told which cluster is meant.

The screens below are those of a small installation, as the tests have them.
"""
TOUR: Final = (
    (
        "status",
        "Everything on one screen",
        """Problems come first, and the worst of them first of all. What could not be read is named: it is no good
news. An Ingress counts as working while the cloud's own health checks say so of its targets: with a rule that has no
healthy target it is broken, and where the cloud does not tell it is unknown, which does not change the exit code.""",
    ),
    (
        "tree",
        "What is on a load balancer now",
        """From the Ingress to its targets, with the weight and the health that the cloud reports. `l7lb tree`
draws all; a word draws one: `shop/web`, `web`, a host, an address, the id of a load balancer. Sick
targets stand first. On a terminal lines end at its edge.

Without a word each load balancer costs two reads in the lowest lane of the API budget, which takes a
quarter of it at most.""",
    ),
    (
        "explain",
        "Why an Ingress works, or does not",
        """The chain from its class to the health of its targets, what was read for it, what is there, and what is
to be done. The chain is in the order in which its links break. `l7lb explain E4041` says what a code
means, and asks no cluster.""",
    ),
    (
        "plan",
        "What would be done",
        """One block a load balancer, one heading a step, in the order in which they run: `+` is made, `~` changes,
`-` goes. Targets are added before others are taken off. The digest names exactly this plan; where the
guard stops one, it says how to [let it pass](operations.md). `--full` lists every piece.""",
    ),
    (
        "doctor",
        "Whether all is there that l7lb needs",
        """Versions, clocks, rights, quotas, the gate, the leader, finalizers. Rights in the cluster are those of
whoever asks; `--as system:serviceaccount:l7lb:l7lb` asks for those of the controller. Reads of the
account are tried once each; a right to write cannot be proven without writing, and is named as such.""",
    ),
)
CODES: Final = """## Exit codes

| code | commands that look | commands that act |
| --- | --- | --- |
| 0 | nothing to look at, or to do | done |
| 1 | something could not be read, or fails | something is left, or the command is refused |
| 2 | something to look at or to do, or a wrong flag | something would change or waits, or a wrong flag |
| 130 | stopped with Ctrl-C | stopped with Ctrl-C |

The page of each command below says what that means for it. A failure is one line on standard error.

## Output

`-o json` prints one JSON document on standard output, for programs; names of fields stay, fields may be added. Of what
fails altogether it is `{"error": "..."}`, with the words of the line on standard error. What is said to people in
passing (progress, notes) goes to standard error. A piece of work that takes longer than a second shows a line of
progress, on a terminal only.

Colours are for terminals. `--color=never`, the variable `NO_COLOR` and `TERM=dumb` take them away, `--color=always`
puts them into pipes. Nothing is said by colour alone. Text that others have written (names, hosts, messages) is shown
with what is not printable as its escape, so that it cannot order the terminal about.

## Completion

```sh
l7lb completion bash > ~/.local/share/bash-completion/completions/l7lb
l7lb completion zsh > "${fpath[1]}/_l7lb"
l7lb completion fish > ~/.config/fish/completions/l7lb.fish
```

## Rights

For `status`, `tree`, `explain`, `plan` and `audit` the account `l7lb-look` of
[examples/deploy/commands.yaml](../examples/deploy/commands.yaml) is enough. `doctor --as` also wants the right to
create SubjectAccessReviews. In the cloud, all of them call nothing but the [reads](cloud-rights.md)."""
SHAPES: Final = """## Shapes of the JSON

What the documents hold, with `[]` for each entry of a list and `{}` for each value of a mapping.
"""
REFERENCE: Final = """## Commands

Every command takes the flags of `l7lb run`, so that one environment serves all; those that it does not heed do nothing.
"""


def command_line_page(made: str) -> str:
    """The page; `made` is the word that it is generated."""
    title, _, text = HEAD.partition("\n")
    tour = [
        f"## {heading}\n\n{words}\n\n```console\n$ l7lb {_called(name)}\n{plain(name)}```\n"
        for name, heading, words in TOUR
    ]
    parts = [title, "", made, text.rstrip("\n"), "", *tour, CODES, SHAPES, *_shapes(), REFERENCE, *_sections()]
    return "\n".join(parts).rstrip("\n") + "\n"


def _shapes() -> Iterator[str]:
    for name, document in DOCUMENTS.items():
        rows = merged(outline(json.loads(document())))
        lines = "".join(f"| `{path}` | {kind} |\n" for path, kind in rows.items())
        yield f"### l7lb {name} -o json\n\n| field | value |\n| --- | --- |\n{lines}"


def outline(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, kind) of every value; what a step of a plan holds beside its name and text depends on the step."""
    if path in ELSEWHERE:
        yield path, ELSEWHERE[path]
    elif isinstance(value, dict):
        for key, part in value.items():
            name = "{}" if path in MAPPINGS else f".{key}" if path else key
            yield from outline(part, f"{path}{name}")
    elif isinstance(value, list) and path.endswith("steps"):
        yield from ((f"{path}[].{key}", "text") for key in ("step", "text"))
    elif isinstance(value, list):
        yield from ([(f"{path}[]", "text")] if not value else ())
        for part in value:
            yield from outline(part, f"{path}[]")
    else:
        yield path, KINDS[type(value)]


def merged(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each path once, with every kind that was seen; an empty list says nothing where another one has entries."""
    kinds: dict[str, list[str]] = {}
    for path, kind in rows:
        if kind not in kinds.setdefault(path, []):
            kinds[path].append(kind)
    inner = {path.rpartition("[]")[0] for path in kinds if not path.endswith("[]")}
    return {
        path: " or ".join(found)
        for path, found in kinds.items()
        if path.removesuffix("[]") not in inner or not path.endswith("[]")
    }


def _called(name: str) -> str:
    return {"explain": "explain shop/web", "doctor": "doctor --as system:serviceaccount:l7lb:l7lb"}.get(name, name)


def _sections() -> Iterator[str]:
    for _, names in cli.sections:
        for name in names:
            command = cli.get_command(click.Context(cli), name)
            assert isinstance(command, Command)
            yield from _command(command)


def _command(command: Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"l7lb {command.name}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"### l7lb {command.name}\n"
    yield f"```text\nl7lb {command.name} {usage}\n```\n"
    yield f"{_words(command.help or '')}\n"
    rows = [record for param in command.get_params(context) if (record := _record(param, context))]
    if rows:
        yield "| option | meaning |\n| --- | --- |"
        yield "".join(f"| `{_cell(names)}` | {_cell(text)} |\n" for names, text in rows)
    if command.examples:
        yield "```sh\n" + "".join(f"l7lb {line}\n" for line in command.examples) + "```\n"


def _record(param: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    fields = {flag.field for flag in FLAGS} | CONNECTION
    if isinstance(param, click.Argument) or param.name in fields or "--help" in param.opts:
        return None
    return param.get_help_record(context)


def _words(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
