"""What is installed and shipped: only what is used, bounded, and explained; only the product in the wheel."""

import re
import sys
from configparser import ConfigParser
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.house.source import PRODUCT, ROOT, TESTS, modules

PROVIDES = {
    "kubernetes": "kubernetes",
    "tencentcloud-sdk-python-common": "tencentcloud",
    "tencentcloud-sdk-python-clb": "tencentcloud",
    "tenacity": "tenacity",
    "prometheus-client": "prometheus_client",
    "msgspec": "msgspec",
    "click": "click",
    "requests": "requests",
    "urllib3": "urllib3",
    "PyYAML": "yaml",
    "pytest": "pytest",
    "hypothesis": "hypothesis",
    "trustme": "trustme",
    "cryptography": "cryptography",
    "jinja2": "jinja2",
    "rich": "rich",
    "kopf": "kopf",
    "lightkube": "lightkube",
    "matplotlib": "matplotlib",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
    "opentelemetry-proto": "opentelemetry",
}
"""Distribution -> what is imported of it."""
COMMANDS = {
    "pytest-timeout": "setup.cfg",
    "pytest-xdist": "Makefile",
    "mypy": "Makefile",
    "types-PyYAML": "Makefile",
    "ruff": "Makefile",
    "import-linter": "Makefile",
    "mkdocs": "Makefile",
    "mkdocs-material": "mkdocs.yml",
}
"""Distributions that are run, not imported, and the file that runs them."""
DECISIONS = ROOT / "docs/decisions"
REQUIREMENT = re.compile(r"([A-Za-z0-9-]+)>=[0-9.]+,<[0-9.]+")
CONTRACTS = {
    "layers",
    "edges-speak-the-model",
    "edges-are-strangers",
    "pure-core",
    "front-doors",
    "production-is-alone",
    "emulators-are-witnesses",
    "no-cycles",
}


def settings() -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def requirements(section: str, option: str) -> list[str]:
    return settings()[section][option].split()


def names(found: list[str]) -> set[str]:
    return {re.split(r"[<>=]", requirement)[0] for requirement in found}


RUN_TIME = requirements("options", "install_requires")
DEVELOPMENT = requirements("options.extras_require", "dev")
OPTIONAL = requirements("options.extras_require", "otel")
SITE = requirements("options.extras_require", "docs")
BENCH = requirements("options.extras_require", "bench")


def imported(root: str) -> set[str]:
    """Top-level names of other people's packages."""
    found = {origin.partition(".")[0] for module in modules(root) for origin, _ in module.imports}
    return found - sys.stdlib_module_names - {PRODUCT, TESTS}


@pytest.mark.parametrize("requirement", [*RUN_TIME, *DEVELOPMENT, *OPTIONAL, *SITE, *BENCH])
def test_every_requirement_has_a_lower_and_an_upper_bound(requirement: str) -> None:
    assert REQUIREMENT.fullmatch(requirement)


def test_the_product_imports_what_it_requires_and_nothing_else() -> None:
    assert imported(PRODUCT) == {PROVIDES[name] for name in names(RUN_TIME) | names(OPTIONAL)}


def test_what_is_optional_is_imported_by_one_module_that_nothing_needs() -> None:
    packages = {PROVIDES[name] for name in names(OPTIONAL)}
    users = [one for one in modules(PRODUCT) if packages & {origin.partition(".")[0] for origin, _ in one.imports}]
    assert [one.name for one in users] == ["l7lb.telemetry.spans"]
    assert not [one.name for one in modules(PRODUCT) if "l7lb.telemetry.spans" in {name for name, _ in one.imports}]


def test_tests_import_what_is_required_and_nothing_else() -> None:
    needed = {PROVIDES[name] for name in (names(DEVELOPMENT) | names(BENCH)) - set(COMMANDS)}
    allowed = needed | {PROVIDES[name] for name in names(RUN_TIME) | names(OPTIONAL)}
    assert imported(TESTS) <= allowed
    assert needed <= imported(TESTS)


def test_what_only_benchmarks_need_is_imported_by_no_module_that_is_imported() -> None:
    """The suite, and whoever checks the code, get by without these packages."""
    packages = {PROVIDES[name] for name in names(BENCH)}
    users = {one.name for one in modules(TESTS) if packages & {origin.partition(".")[0] for origin, _ in one.imports}}
    assert users
    assert not [one.name for one in modules(TESTS) for origin in one.imports if {origin[0], ".".join(origin)} & users]


@pytest.mark.parametrize(("name", "file"), COMMANDS.items())
def test_every_tool_that_is_installed_is_run(name: str, file: str) -> None:
    words = {"pytest-timeout": "timeout =", "pytest-xdist": "-n $(WORKERS)", "types-PyYAML": "mypy"}
    words |= {"import-linter": "lint-imports", "mkdocs-material": "name: material"}
    assert words.get(name, name) in (ROOT / file).read_text(encoding="utf-8")


def test_every_requirement_has_a_page_that_says_why() -> None:
    explained: set[str] = set()
    for page in DECISIONS.glob("*.md"):
        for line in re.findall(r"^Packages: (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            explained |= set(re.findall(r"`([^`]+)`", line))
    assert explained == names(RUN_TIME) | names(DEVELOPMENT) | names(OPTIONAL) | names(SITE) | names(BENCH)


def test_the_wheel_holds_the_product_and_nothing_else() -> None:
    """As setuptools finds packages: folders with `__init__.py` whose dotted name fits a pattern."""
    patterns = requirements("options.packages.find", "include")
    folders = [path.parent for root in (PRODUCT, TESTS) for path in (ROOT / root).rglob("__init__.py")]
    dotted = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    shipped = {name for name in dotted if any(fnmatchcase(name, pattern) for pattern in patterns)}
    assert shipped == {name for name in dotted if name.partition(".")[0] == PRODUCT}
    assert {module.path.parent for module in modules(PRODUCT)} == {ROOT / Path(*name.split(".")) for name in shipped}
    assert settings()["options.package_data"][PRODUCT].split() == [
        "py.typed",
        "console/templates/*.html",
        "console/static/*",
    ]
    assert (ROOT / PRODUCT / "py.typed").exists()


def test_the_import_contracts_stand_and_are_run() -> None:
    contracts = {name.rpartition(":")[2] for name in settings().sections() if name.startswith("importlinter:contract:")}
    assert contracts == CONTRACTS
    assert settings()["importlinter:contract:layers"]["exhaustive"] == "True"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^check:.*\bimports\b", makefile, re.MULTILINE)
    assert re.search(r"^imports:.*\n\t.*lint-imports", makefile, re.MULTILINE)
