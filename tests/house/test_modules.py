"""What holds for every module: it says what it is for, has a name that says it too, is used, and owes nothing."""

import ast
import re

from tests.house.source import PRODUCT, everything, graph, modules

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "shared"}
UNUSED = {"l7lb.__main__"}
"""The way in."""

UNTYPED = re.compile(r"msgspec\.(convert\(|\w+\.Decoder\((?!\))|\w+\.decode\([^)]*type=)")
"""A shape that is made where another thread may be making it as well."""
IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[[a-z, -]+\]  # \S)")
NOQA = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(, [A-Z]+\d+)* --? \S)")
DEBT = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")))


def test_every_module_says_what_it_is_for() -> None:
    assert [module.place for module in everything() if not ast.get_docstring(module.tree)] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [module.place for module in everything() if module.name.rpartition(".")[2] in VAGUE_NAMES] == []


def named() -> frozenset[str]:
    """Modules that are loaded by their name, by those who need them only."""
    constants = (
        node for module in modules(PRODUCT) for node in ast.walk(module.tree) if isinstance(node, ast.Constant)
    )
    return frozenset(str(node.value) for node in constants) & graph().keys()


def test_every_module_of_the_product_is_used_by_another() -> None:
    imports = graph()
    used = frozenset[str]().union(named(), *imports.values())
    packages = {name.rpartition(".")[0] for name in imports}
    assert {name for name in imports if name not in used | packages} == UNUSED


def test_no_import_of_ours_stands_inside_a_function_or_behind_type_checking() -> None:
    hidden = [
        f"{module.place}:{node.lineno}"
        for module in modules(PRODUCT)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node not in module.tree.body and (node.module or "").startswith(PRODUCT)
    ]
    assert hidden == []


def test_every_silenced_finding_names_its_rule_and_its_reason() -> None:
    silent = [
        f"{module.place}:{number}: {line.strip()}"
        for module in modules(PRODUCT)
        for number, line in enumerate(module.text.splitlines(), 1)
        if IGNORE.search(line) or NOQA.search(line)
    ]
    assert silent == []


def test_no_module_is_left_for_later() -> None:
    owing = [
        f"{module.place}:{number}: {line.strip()}"
        for module in everything()
        for number, line in enumerate(module.text.splitlines(), 1)
        if DEBT.search(line)
    ]
    assert owing == []


def test_typed_decoders_are_made_in_one_place() -> None:
    wrong = [
        f"{module.place}:{number}: {line.strip()}"
        for module in modules(PRODUCT)
        for number, line in enumerate(module.text.splitlines(), 1)
        if UNTYPED.search(line) and module.name != "l7lb.model.shapes"
    ]
    assert wrong == []
