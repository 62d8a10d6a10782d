"""Makes `protobuf.json`: the field numbers of the messages that kubectl sends in its own protobuf encoding.

They are read from the `generated.proto` files of the Go modules k8s.io/api and k8s.io/apimachinery, as `go
mod download` leaves them: `python -m tests.emulators.kube.extract_protobuf $(go env GOMODCACHE)/k8s.io`.
Nothing that serves a request may import this module.
"""

import json
import re
import sys
from pathlib import Path

from tests.emulators.kube.kinds import BUILT_IN, REVIEWS
from tests.emulators.kube.schema import models

SCALARS = {"string", "bytes", "int32", "int64", "uint32", "bool", "double"}
MESSAGE = re.compile(r"^message (\w+) \{$(.*?)^\}$", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s+(optional|repeated|map<string, ?([.\w]+)>) ?([.\w]*) (\w+) = (\d+);", re.MULTILINE)


def _messages(root: Path) -> dict[str, dict[str, str]]:
    """Full name of each message to its fields: number to `name type`, with [] or {} before a repeated type."""
    found = {}
    for path in sorted(root.glob("*/**/generated.proto")):
        text = path.read_text(encoding="utf-8")
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
        for name, body in MESSAGE.findall(text) if package else ():
            assert package is not None
            found[f"{package[1]}.{name}"] = _fields(package[1], body)
    return found


def _fields(package: str, body: str) -> dict[str, str]:
    fields = {}
    for label, mapped, plain, name, number in FIELD.findall(body):
        kind = mapped or plain
        if kind not in SCALARS:
            kind = kind.lstrip(".") if "." in kind else f"{package}.{kind}"
        mark = "{}" if mapped else "[]" if label == "repeated" else ""
        fields[number] = f"{name} {mark}{kind}"
    return fields


def _spelled(message: str, field: str, kind: str) -> str:
    """The field as JSON has it, with a plus before one that Go embeds, so that its parts stand beside it."""
    name = message.rsplit(".", 1)[1]
    held = [fields for model, fields in models().items() if model.partition("V1")[2] == name]
    spellings = {known.lower(): known for fields in held for known in fields}
    if not held or field.lower() in spellings:
        return spellings.get(field.lower(), field)
    return f"+{field}" if "." in kind and kind[0] not in "[{" else field


def main() -> None:
    """Write `protobuf.json` beside this module."""
    known = _messages(Path(sys.argv[1]))
    by_group = {"": "core", **{kind.group: kind.group.split(".")[0] for kind in BUILT_IN + REVIEWS if kind.group}}
    waiting = [f"k8s.io.api.{by_group[kind.group]}.{kind.version}.{kind.name}" for kind in BUILT_IN + REVIEWS
               if kind.group != "apiextensions.k8s.io"]  # fmt: skip
    waiting += ["k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions", "k8s.io.api.autoscaling.v1.Scale"]
    found: dict[str, dict[str, str]] = {}
    while waiting:
        message = waiting.pop()
        if message in found or message in SCALARS:
            continue
        found[message] = {}
        for number, text in known[message].items():
            name, kind = text.split(" ")
            inside = kind.removeprefix("[]").removeprefix("{}")
            waiting.append(inside)
            found[message][number] = f"{_spelled(message, name, kind)} {kind}"
    lines = [f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found)]
    text = ("{\n" + ",\n".join(lines) + "\n}\n").replace("k8s.io.apimachinery.pkg.", "m:").replace("k8s.io.api.", "a:")
    Path(__file__).with_name("protobuf.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
