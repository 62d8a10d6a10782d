"""The repository as these tests see it: modules with their syntax trees, and files as text. Judges nothing."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = "l7lb"
TESTS = "tests"

_PAGES = ("*.md", "*.cfg", "*.toml", "Makefile", "LICENSE", ".ci/*", "docs/**/*.md", "examples/**/*", "charts/**/*")


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: Path

    @property
    def place(self) -> str:
        """Path from the top of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def name(self) -> str:
        """As it is imported."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """`model` for a module of l7lb/model; empty at the top."""
        parts = self.path.relative_to(ROOT).parts
        return parts[1] if len(parts) > 2 else ""

    @cached_property
    def text(self) -> str:
        """What stands in it."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text)

    @cached_property
    def strings(self) -> tuple[str, ...]:
        """String constants, those of f-strings included; docstrings and bare strings are left out."""
        bare = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        return tuple(
            node.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
        )

    @cached_property
    def imports(self) -> tuple[tuple[str, str], ...]:
        """(module, name) of every import statement; name is empty for `import module`."""
        found: list[tuple[str, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found += [(node.module, alias.name) for alias in node.names]
        return tuple(found)


@cache
def modules(root: str) -> tuple[Module, ...]:
    """Every module under a folder at the top."""
    return tuple(Module(path) for path in sorted((ROOT / root).rglob("*.py")))


@cache
def graph() -> dict[str, frozenset[str]]:
    """Module of the product -> modules of the product that it imports."""
    known = {module.name for module in modules(PRODUCT)}

    def meant(origin: str, name: str) -> str:
        return f"{origin}.{name}" if f"{origin}.{name}" in known else origin

    return {
        module.name: frozenset(meant(*pair) for pair in module.imports) & known - {module.name, PRODUCT}
        for module in modules(PRODUCT)
    }


def everything() -> tuple[Module, ...]:
    """The product and its tests."""
    return modules(PRODUCT) + modules(TESTS)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All of them, nested ones and methods too."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    """All of them."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def pages() -> tuple[Path, ...]:
    """Everything that people wrote and that is no Python: settings, documentation, examples, data in text."""
    found = {path for pattern in _PAGES for path in ROOT.glob(pattern) if path.is_file()}
    found |= {path for pattern in ("*.toml", "*.yaml", "*.md") for path in (ROOT / TESTS).rglob(pattern)}
    return tuple(sorted(found))
