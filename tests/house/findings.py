"""Codes and reasons that the product can put into an Event, collected from its syntax. Knows no meaning."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from l7lb import translator
from l7lb.adapters.clb.errors import BY_ACTION, MEANINGS
from tests.house.source import PRODUCT, modules

CODE = re.compile(r"[EW]\d{4}")
REASON = re.compile(r"[A-Z][A-Za-z]+")
TELLERS = {"problem", "warn", "_complain", "say", "reason_of", "Problem", "Meaning", "Readiness"}
"""Functions and classes that take a code, a reason, or both as plain text."""
UNREADABLE = "InvalidAnnotation"


@cache
def reasons_by_code() -> dict[str, frozenset[str]]:
    """Every code with the reasons that it goes with; the code "" has those that go without one."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in translator.annotation_rows():
        if row.code:
            found[row.code].add(UNREADABLE)
    for answer in (*MEANINGS.values(), *BY_ACTION.values()):
        found[answer.code] |= {answer.reason} - {""}
    for module in modules(PRODUCT):
        for node in ast.walk(module.tree):
            for code, reason in _pairs(node):
                found[code] |= {reason} - {""}
        for text in module.strings:
            if CODE.fullmatch(text[:5]) and text[5:6] in ("", ":"):
                found.setdefault(text[:5], set())
    found[""].discard("")
    coded = {reason for code, reasons in found.items() for reason in reasons if code}
    found[""] -= coded
    return {code: frozenset(reasons) for code, reasons in found.items()}


def _pairs(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Dict):
        pairs = [(_text(key), _text(value)) for key, value in zip(node.keys, node.values, strict=True)]
        if any(CODE.fullmatch(code) for code, _ in pairs):
            yield from ((code if CODE.fullmatch(code) else "", reason) for code, reason in pairs)
    if isinstance(node, ast.Call) and (_name(node) in TELLERS or any(part.arg == "reason" for part in node.keywords)):
        texts = [_text(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
        code = next((text for text in texts if CODE.fullmatch(text)), "")
        reason = next((text for text in texts if REASON.fullmatch(text) and len(text) > 3), "")
        yield code, reason


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
