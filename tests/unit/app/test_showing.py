"""What others have written reaches a terminal as characters, never as orders."""

import json

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.app.dry import Finding
from l7lb.app.printing import as_json, as_text
from l7lb.app.showing import aligned, as_document, bold, plain, tinted
from l7lb.model.identity import ListenerKey, ObjectKey, RuleKey, RuleRef
from l7lb.model.loadbalancer import Target, TargetKey
from l7lb.model.plan import Placement, Plan, RegisterTargets

HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "a\nload balancer lb-2: all is well",
    "\r\x1b[1A",
    "\x9b31m",
    "\u202eevil",
    "\udc80",
]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_orders_to_a_terminal_are_shown_as_escapes(text: str) -> None:
    for shown in (plain(text), click.unstyle(bold(text)), click.unstyle(tinted(text, "red"))):
        assert shown.isprintable()
        assert "\\" in shown


@given(st.text())
def test_plain_text_is_printable_and_what_was_printable_is_itself(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)
    assert not text.isprintable() or plain(text) == text


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_a_document_says_what_it_was_given_and_orders_nothing(value: dict[str, object]) -> None:
    document = as_document(value)
    assert json.loads(document) == value
    assert document.replace("\n", "").isprintable()


def test_brackets_that_some_libraries_take_for_colours_are_text() -> None:
    assert plain("[red]shop[/red]") == "[red]shop[/red]"


@pytest.mark.parametrize("text", HOSTILE[:5], ids=repr)
def test_a_hostile_object_cannot_write_on_the_screen_of_whoever_plans(text: str) -> None:
    target = Target(TargetKey(text, 80), instance_id=text, weight=1)
    rule = RuleRef(ListenerKey("HTTP", 80), RuleKey(text, f"/{text}"))
    finding = Finding(
        ObjectKey("shop", text), Plan((RegisterTargets((Placement(rule, target),)),)), error=text, waits=text
    )
    shown = click.unstyle(as_text((finding,), blocked=text))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert not any(line.startswith("load balancer lb-2") for line in shown.split("\n"))
    assert as_json((finding,)).replace("\n", "").isprintable()


def test_columns_are_as_wide_as_the_widest() -> None:
    assert aligned([("a", "1"), ("long", "2"), ("x", "")], " ") == [" a     1", " long  2", " x"]
