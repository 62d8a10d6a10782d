"""Modules, functions and classes stay small enough to be read at once."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.house.limits import CORE, EXCEPTIONS, EXCEPTIONS_MAX, MOST, Excess, Limit
from tests.house.source import PRODUCT, Module, classes, everything, functions

Measures = dict[tuple[Limit, str], int]


@cache
def measured() -> Measures:
    found: Measures = {}
    for module in everything():
        for limit, part, size in measures(module):
            key = limit, f"{module.place} {part}".strip()
            found[key] = max(size, found.get(key, 0))
    return found


def measures(module: Module) -> Iterator[tuple[Limit, str, int]]:
    is_core = module.name.startswith(PRODUCT) and module.package in CORE
    yield Limit.MODULE_LINES, "", len(module.text.splitlines())
    yield Limit.PUBLIC_NAMES, "", len(public_names(module))
    for function in functions(module.tree):
        limit = Limit.CORE_FUNCTION_LINES if is_core else Limit.FUNCTION_LINES
        yield limit, function.name, (function.end_lineno or 0) - function.lineno + 1
        yield Limit.PARAMETERS, function.name, parameters(function)
    for one in classes(module.tree):
        yield Limit.METHODS, one.name, sum(isinstance(node, ast.FunctionDef) for node in one.body)


def public_names(module: Module) -> list[str]:
    """Classes and functions; constants are data, and tests are for nobody."""
    if module.path.name.startswith("test_"):
        return []
    named = [node.name for node in module.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return [name for name in named if not name.startswith("_")]


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len(named) - bool(named and named[0].arg in ("self", "cls"))


def test_nothing_is_larger_than_its_limit_except_what_is_named_with_a_reason() -> None:
    most = {(excess.limit, excess.place): excess.most for excess in EXCEPTIONS}
    too_large = [
        f"{place}: {size} {limit.value}, at most {most.get((limit, place), MOST[limit])}"
        for (limit, place), size in sorted(measured().items(), key=lambda item: item[0][1])
        if size > most.get((limit, place), MOST[limit])
    ]
    assert too_large == []


def test_no_exception_outlives_its_need() -> None:
    def is_needed(excess: Excess) -> bool:
        return measured().get((excess.limit, excess.place), 0) > MOST[excess.limit]

    assert [excess.place for excess in EXCEPTIONS if not is_needed(excess)] == []


def test_the_list_of_exceptions_does_not_grow() -> None:
    assert len(EXCEPTIONS) <= EXCEPTIONS_MAX
    assert all(excess.reason for excess in EXCEPTIONS)
