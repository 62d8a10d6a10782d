"""What is loaded before a command can do anything: a start costs what it loads."""

import json
import subprocess
import sys

import pytest

VERSION = {"click", "l7lb", "msgspec", "typing_extensions"}
"""All that `l7lb version` loads beside the standard library."""
OF_THE_SYSTEM = {"__main__", "_distutils_hack", "sitecustomize"}
"""What an interpreter or its distribution loads before anybody's code; Debian has a module of its own."""
OTHERS = (
    "jinja2.", "cryptography.", "rich.", "kubernetes.client.models.", "kubernetes.client.api.",
    "tencentcloud.clb.", "tencentcloud.tag.", "tencentcloud.ssl.",
    "l7lb.console.", "l7lb.app.visiting.", "l7lb.app.webhook.", "l7lb.cli.looking.", "l7lb.cli.acting.",
    "l7lb.app.adopting.",
)  # fmt: skip
"""What `l7lb run` has no use for unless a flag asks for it."""
EMPTY = {"kubernetes.client.models", "kubernetes.client.api"}
"""They load their parts when these are asked for."""


def loaded(program: str) -> list[str]:
    """Modules by name after a program, which prints nothing itself."""
    program = f"import json, sys; {program}; print(json.dumps([*sys.modules]))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(found.stdout.splitlines()[-1])
    return modules


@pytest.mark.parametrize("name", ["version", "completion"])
def test_a_command_that_asks_nobody_loads_no_client_of_anybody(name: str) -> None:
    modules = loaded(f"from l7lb.cli.entry import cli; cli.get_command(None, {name!r})")
    roots = {module.partition(".")[0] for module in modules} - OF_THE_SYSTEM
    assert roots - set(sys.stdlib_module_names) <= VERSION


def test_run_loads_nothing_of_other_commands_and_nothing_that_a_flag_asks_for() -> None:
    modules = loaded("from l7lb.cli.entry import cli; cli.get_command(None, 'run')")
    assert "l7lb.app.application" in modules
    assert [one for one in modules if f"{one}.".startswith(OTHERS) and one not in EMPTY] == []
