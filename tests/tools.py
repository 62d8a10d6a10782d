"""Programs of other projects that tests run: where they are, and what becomes of a test whose program is missing.

`make tools` (.ci/tools) gets them. Nothing in here runs one.
"""

import os
import shutil
from pathlib import Path

import pytest

BUILT = Path(__file__).parents[1] / "build/tools/bin"
OTHER_NAMES = {"chromium-headless-shell": ("chromium", "chromium-browser", "google-chrome"), "jq": ("gojq",)}
"""What does the same under another name."""


def tool(name: str) -> Path | None:
    """Where a program is: in the folder L7LB_TOOLS, else where `make tools` puts it, else on the PATH."""
    folders = [os.environ.get("L7LB_TOOLS", ""), str(BUILT), os.environ.get("PATH", "")]
    path = os.pathsep.join(folder for folder in folders if folder)
    names = (name, *OTHER_NAMES.get(name, ()))
    found = (shutil.which(one, path=path) for one in names)
    return next((Path(one).resolve() for one in found if one), None)


def needs(*names: str) -> pytest.MarkDecorator:
    """The mark of a test that runs these programs: without one it is skipped with a word, and fails where CI is set."""
    return pytest.mark.needs(*names)


def ask_for_tools(item: pytest.Item) -> None:
    """Skip or fail a test that has the mark and lacks a program."""
    for mark in item.iter_markers("needs"):
        missing = [name for name in mark.args if tool(name) is None]
        if not missing:
            continue
        word = f"no {', '.join(missing)} here: `make tools` gets it"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(word, pytrace=False)
        pytest.skip(word)
