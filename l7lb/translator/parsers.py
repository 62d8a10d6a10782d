"""Forms of annotation values: text -> value, or ValueError whose message says what the form is.

No annotation is named in here, and no value is repeated in a message: an Event is no place for what somebody pasted.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

Json: TypeAlias = dict[str, object] | list[object] | str | int | float | bool | None

SECURITY_GROUPS_MAX = 5
_JSON_DEPTH_MAX = 20

# What Go's ParseBool takes, so that a value that works with TKE's controller works here.
TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})

_LISTENER_PROTOCOLS = frozenset({"HTTP", "HTTPS"})


def text(value: str) -> str:
    """Any text, without the blanks around it."""
    return value.strip()


def boolean(value: str) -> bool | None:
    """`"true"` or `"false"`; None for an empty value, which says nothing."""
    word = value.strip()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    if not word:
        return None
    raise ValueError('must be "true" or "false"')


def one_of(*words: str) -> Callable[[str], str]:
    """Exactly one of these words, or nothing."""

    def parse(value: str) -> str:
        word = value.strip()
        if word and word not in words:
            raise ValueError("must be " + " or ".join(f'"{known}"' for known in words))
        return word

    return parse


def identifier(prefix: str) -> Callable[[str], str]:
    """A cloud id such as `lb-7xk2m9qa`, or nothing."""
    form = re.compile(rf"{re.escape(prefix)}-[A-Za-z0-9]{{1,32}}")

    def parse(value: str) -> str:
        word = value.strip()
        if word and not form.fullmatch(word):
            raise ValueError(f'must be an id of the form "{prefix}-xxxxxxxx"')
        return word

    return parse


def region(value: str) -> str:
    """A region such as `ap-guangzhou`, or nothing."""
    word = value.strip()
    if word and not re.fullmatch(r"[a-z]{2,}-[a-z0-9]+(-[a-z0-9]+)*", word, re.ASCII):
        raise ValueError('must be a region of the form "ap-guangzhou"')
    return word


def snat_ips(value: str) -> list[dict[str, str]]:
    """`{"snatIps":[{"subnetId":"subnet-..."}]}`: addresses for SNAT, with an `ip` in each that is fixed."""
    if not value.strip():
        return []
    said = json_value(value)
    wanted = said.get("snatIps") if isinstance(said, dict) else None
    if not isinstance(wanted, list) or not wanted or not all(_is_snat_ip(entry) for entry in wanted):
        raise ValueError('must be JSON of the form {"snatIps":[{"subnetId":"subnet-xxxxxxxx"}]}')
    return [{str(key): str(part) for key, part in entry.items()} for entry in wanted if isinstance(entry, dict)]


def _is_snat_ip(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) - {"subnetId", "ip"} or not isinstance(entry.get("ip", ""), str):
        return False
    subnet = entry.get("subnetId")
    return isinstance(subnet, str) and re.fullmatch(r"subnet-[A-Za-z0-9]{1,32}", subnet, re.ASCII) is not None


def number(least: int, most: int) -> Callable[[str], int | None]:
    """A whole decimal number within bounds; None for an empty value."""

    def parse(value: str) -> int | None:
        word = value.strip()
        if not word:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", word, re.ASCII) or not least <= int(word) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(word)

    return parse


def json_value(value: str) -> Json:
    """JSON as its standard has it (no NaN); None for an empty value."""
    if not value.strip():
        return None
    try:
        parsed: Json = json.loads(value, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("is not JSON that can be read: it is nested too deeply") from None
    except ValueError:
        raise ValueError("is not JSON") from None
    if _depth(parsed) > _JSON_DEPTH_MAX:
        raise ValueError(f"is nested more than {_JSON_DEPTH_MAX} deep")
    return parsed


def json_object(value: str) -> dict[str, object]:
    """A JSON object; empty for an empty value."""
    parsed = json_value(value)
    if parsed is None and not value.strip():
        return {}
    if not isinstance(parsed, dict):
        raise ValueError("must be a JSON object")
    return parsed


def json_array(value: str) -> tuple[object, ...]:
    """A JSON array; empty for an empty value and for `null`, which TKE's console writes for an empty set."""
    parsed = json_value(value)
    if parsed is None:
        return ()
    if not isinstance(parsed, list):
        raise ValueError("must be a JSON array")
    return tuple(parsed)


def listen_ports(value: str) -> tuple[tuple[str, int], ...]:
    """`[{"HTTP":80},{"HTTPS":443}]` as (protocol, port) pairs, each once."""
    pairs = tuple(dict.fromkeys(_listen_port(entry) for entry in json_array(value)))
    if len({port for _, port in pairs}) < len(pairs):
        raise ValueError("must name each port for one protocol only")
    return pairs


def security_groups(value: str) -> frozenset[str]:
    """The full set, separated by commas; empty unbinds all."""
    words = frozenset(word.strip() for word in value.split(",") if word.strip())
    only_commas = not words and value.strip() != ""
    if only_commas or not all(re.fullmatch(r"sg-[A-Za-z0-9]{1,32}", word, re.ASCII) for word in words):
        raise ValueError('must be ids of the form "sg-xxxxxxxx", separated by commas')
    if len(words) > SECURITY_GROUPS_MAX:
        raise ValueError(f"names {len(words)} security groups, {SECURITY_GROUPS_MAX} are allowed")
    return words


def _depth(parsed: object) -> int:
    depth, level = 0, [parsed]
    while level:
        depth += 1
        level = [part for whole in level for part in _parts(whole)]
    return depth


def _parts(whole: object) -> Iterable[object]:
    if isinstance(whole, dict):
        return whole.values()
    return whole if isinstance(whole, list) else ()


def _listen_port(entry: object) -> tuple[str, int]:
    if isinstance(entry, dict) and len(entry) == 1:
        protocol, port = next(iter(entry.items()))
        if protocol in _LISTENER_PROTOCOLS and type(port) is int and 0 < port < 65536:
            return str(protocol), port
    raise ValueError('must be a JSON array of objects like {"HTTP":80} or {"HTTPS":443}')


def _no_constant(_: str) -> object:
    raise ValueError
