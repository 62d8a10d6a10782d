"""Threads that decode a class for the first time at the same moment: with msgspec alone the process is gone."""

import subprocess
import sys
import textwrap

import msgspec
import pytest

from l7lb.model.shapes import converted, json_decoder, msgpack_decoder

RACE = textwrap.dedent(
    """
    import sys, threading
    import msgspec
    from l7lb.model.shapes import converted, json_decoder, msgpack_decoder

    sys.setswitchinterval(1e-6)
    WAYS = (
        lambda shape: converted(json, shape),
        lambda shape: json_decoder(shape).decode(text),
        lambda shape: msgpack_decoder(shape).decode(packed),
    )

    def family():
        child = msgspec.defstruct("Child", [("name", str), ("size", int | None, None)], frozen=True)
        parts = [
            msgspec.defstruct(f"Part{n}", [("children", tuple[child, ...]), ("one", child | None, None)], frozen=True)
            for n in range(10)
        ]
        return msgspec.defstruct("Whole", [(f"part{n}", part) for n, part in enumerate(parts)], frozen=True)

    json = {f"part{n}": {"children": [{"name": "a", "size": 1}], "one": {"name": "b"}} for n in range(10)}
    text, packed = msgspec.json.encode(json), msgspec.msgpack.encode(json)
    for _ in range(40):
        shape, gate, right = family(), threading.Barrier(6), []

        def look(way, shape=shape, gate=gate, right=right):
            gate.wait()
            right.append(way(shape).part9.one.name == "b")

        threads = [threading.Thread(target=look, args=(WAYS[n % 3],)) for n in range(6)]
        [one.start() for one in threads]
        [one.join() for one in threads]
        assert right == [True] * 6
    print("whole")
    """
)


class Item(msgspec.Struct, frozen=True):
    """Anything."""

    name: str


def test_threads_that_meet_a_shape_for_the_first_time_together_all_read_it() -> None:
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


def test_a_shape_has_one_decoder() -> None:
    assert json_decoder(list[Item]) is json_decoder(list[Item])
    assert msgpack_decoder(Item) is msgpack_decoder(Item)


def test_what_does_not_fit_is_refused_and_text_counts_as_a_number_only_where_that_is_asked_for() -> None:
    assert converted({"name": "a"}, Item) == Item("a")
    assert converted("7", int, strict=False) == 7
    with pytest.raises(msgspec.ValidationError):
        converted("7", int)
