"""Property tests replay the same examples everywhere; `L7LB_EXAMPLES=random` looks for new ones."""

import gc
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.tools import ask_for_tools

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile(
    "random", deadline=None, print_blob=True, max_examples=int(os.environ.get("L7LB_EXAMPLES_MAX", "100"))
)
settings.load_profile("random" if os.environ.get("L7LB_EXAMPLES") == "random" else "same")


def pytest_collection(session: pytest.Session) -> None:
    """Modules and tests are being made, and nothing is thrown away: sweeping them again and again is in vain."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """They stay until the end: no later sweep has to look at them."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before its fixtures are made, which may run what is missing."""
    ask_for_tools(item)


@pytest.fixture(autouse=True)
def logging_stays_as_it_was() -> Iterator[None]:
    """The command line configures the logging of its process, which here is everybody's."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
