"""Codes, reasons and severities that the product can put into an Event, from its syntax. Knows no meaning."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from l7lb import translator
from l7lb.adapters.clb.errors import BY_ACTION, MEANINGS
from l7lb.model.plan import Plan
from l7lb.model.problems import Severity
from l7lb.reconciler.reporting import noted
from l7lb.translator.annotations import TABLE
from tests.house.source import PRODUCT, Module, modules

CODE = re.compile(r"[EW]\d{4}")
REASON = re.compile(r"(?![EW]\d{4})[A-Z][A-Za-z0-9]+")
TELLERS = {"problem", "warn", "_complain", "say", "reason_of", "Problem", "Meaning", "Readiness"}
"""Functions and classes that take a code, a reason, or both as plain text."""
UNREADABLE = "InvalidAnnotation"
CODES = "l7lb/model/codes.py"
"""Has all of them, and tells none."""
NOTES = "l7lb/planner/"
"""Where codes stand at the head of a plan's notes; `reporting.noted` gives them their severity."""


@cache
def reasons_by_code() -> dict[str, frozenset[str]]:
    """Every code with the reasons that it goes with; the code "" has those that go without one."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in translator.annotation_rows():
        if row.code:
            found[row.code].add(UNREADABLE)
    for answer in (*MEANINGS.values(), *BY_ACTION.values()):
        found[answer.code] |= {answer.reason} - {""}
    for module in _tellers():
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


@cache
def severities_by_code() -> dict[str, frozenset[Severity]]:
    """Every code that stands in the code literally, with the severities with which it is told there."""
    found: defaultdict[str, set[Severity]] = defaultdict(set)
    for row in TABLE:
        found[row.code] |= {Severity.ERROR, Severity.WARNING} if row.needs else {Severity.ERROR}
    for answer in (*MEANINGS.values(), *BY_ACTION.values()):
        found[answer.code].add(Severity.ERROR)
    for module in _tellers():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _name(node) in TELLERS:
                severity = _severity(node)
                for code in {_text(part)[:5] for part in ast.walk(node)}:
                    found[code].add(severity)
        if module.place.startswith(NOTES):
            for text in module.strings:
                found[text[:5]] |= {one.severity for one in noted(Plan(notes=(text,)))}
    return {code: frozenset(severities) for code, severities in found.items() if CODE.fullmatch(code)}


def _tellers() -> Iterator[Module]:
    return (module for module in modules(PRODUCT) if module.place != CODES)


def _severity(call: ast.Call) -> Severity:
    named = {part.attr for part in ast.walk(call) if isinstance(part, ast.Attribute)}
    return Severity.WARNING if _name(call) == "warn" or "WARNING" in named else Severity.ERROR


def _pairs(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Dict):
        pairs = [(_text(key), _text(value)) for key, value in zip(node.keys, node.values, strict=True)]
        if any(CODE.fullmatch(code) for code, _ in pairs):
            yield from ((code if CODE.fullmatch(code) else "", reason) for code, reason in pairs)
    if isinstance(node, ast.Tuple):
        texts = [_text(part) for part in node.elts]
        if len(texts) > 1 and CODE.fullmatch(texts[0]) and REASON.fullmatch(texts[1]):
            yield texts[0], texts[1]
    if isinstance(node, ast.Call) and (_name(node) in TELLERS or any(part.arg == "reason" for part in node.keywords)):
        texts = [_text(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
        code = next((text for text in texts if CODE.fullmatch(text)), "") or _heading(node)
        reason = next((text for text in texts if REASON.fullmatch(text) and len(text) > 3), "")
        yield code, reason


def _heading(call: ast.Call) -> str:
    """The code at the head of a text that is put together."""
    texts = [_text(part) for part in ast.walk(call)]
    return next((text[:5] for text in texts if text[5:6] == ":" and CODE.fullmatch(text[:5])), "")


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
