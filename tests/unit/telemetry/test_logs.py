"""Log lines: one each, readable by a program or by a person, and libraries below us are kept quiet."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from l7lb.model.lane import Lane
from l7lb.model.outcome import Done
from l7lb.model.phases import Stage
from l7lb.runtime.workqueue import Taken
from l7lb.telemetry import logs
from l7lb.telemetry.passes import Passes
from l7lb.telemetry.passlog import PassLog


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_json_line_has_the_extra_beside_the_message(stream: io.StringIO) -> None:
    logs.configure("info", "json", stream)
    logging.getLogger("l7lb.test").info("planned %d steps", 2, extra={"key": "new/1", "steps": ["a", "b"], "odd": 1j})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info", "logger": "l7lb.test", "message": "planned 2 steps",
        "key": "new/1", "steps": ["a", "b"], "odd": "1j",
    }  # fmt: skip


def test_a_traceback_is_a_field_of_its_line(stream: io.StringIO) -> None:
    logs.configure("info", "json", stream)
    try:
        raise ValueError("bug\nof two lines")
    except ValueError:
        logging.getLogger("l7lb.test").exception("it broke")
    assert stream.getvalue().count("\n") == 1
    assert "ValueError: bug" in json.loads(stream.getvalue())["exception"]


def test_a_text_line_is_for_a_person(stream: io.StringIO) -> None:
    logs.configure("info", "text", stream)
    logging.getLogger("l7lb.test").warning("gate closed: %s", "why", extra={"key": "new/1"})
    assert stream.getvalue().endswith(" WARNING l7lb.test: gate closed: why key=new/1\n")


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_less_than_the_level_is_not_logged(stream: io.StringIO, level: str) -> None:
    logs.configure(level, "text", stream)
    for name in ("debug", "info", "warning", "error"):
        logging.getLogger("l7lb.test").log(getattr(logging, name.upper()), name)
    order = ["debug", "info", "warning", "error"]
    assert stream.getvalue().count("\n") == len(order) - order.index(level)


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "kubernetes.client.rest", "requests.sessions"])
def test_libraries_do_not_log_bodies_even_at_debug(stream: io.StringIO, name: str) -> None:
    logs.configure("debug", "text", stream)
    logging.getLogger(name).debug("send: secret")
    logging.getLogger(name).info("body: secret")
    assert stream.getvalue() == ""


def test_a_line_that_is_written_during_a_pass_says_which(stream: io.StringIO) -> None:
    logs.configure("info", "json", stream)
    passes = Passes((PassLog(),), ids=lambda: "00000000000000aa")
    passes.began(Taken("new/1", Lane.CHANGE))
    passes.about(("shop/web",))
    passes.enter(Stage.PLAN, "lb-1")
    logging.getLogger("l7lb.test").info("inside")
    logging.getLogger("l7lb.test").info("about another", extra={"ingress": "shop/other"})
    passes.ended("success", Done())
    logging.getLogger("l7lb.test").info("outside")
    inside, other, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    names = {"reconcile_id": "00000000000000aa", "key": "new/1", "ingress": "shop/web", "load_balancer": "lb-1"}
    assert inside.items() >= names.items()
    assert other["ingress"] == "shop/other"
    assert outside.keys().isdisjoint(names)
