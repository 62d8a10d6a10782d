"""Text, JSON and bytes as nobody in good faith would write them, for hypothesis."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

MEGABYTE = 1 << 20
MARKS = (
    "\0",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\U0001f4a3",
    "e\u0301",
    "\x1b[31m",
    "\r\n",
    "\u2028",
    "\x7f",
    "％",
    "\\",
    '"',
)

pieces = st.sampled_from(
    (
        *MARKS, "a", "-", ".", "*", "/", "~", "=", ",", ":", "[", "{", "0", "9", " ", "a-", "-a", "a.", "()",
        "lb-", "1e999",
        "HTTP", "true", "null", "NaN", "sg-", "${jndi:x}", "{{x}}", "<script>", "' OR 1=1", "%s", "{0}",
    )
)  # fmt: skip
pumped = st.builds(
    lambda head, pump, times, tail: head + pump * times + tail,
    pieces, pieces, st.sampled_from([2, 40, 1000, 70_000]), pieces | st.just(""),
)  # fmt: skip
deep = st.builds(
    lambda kind, depth, end: kind[0] * depth + end + kind[1] * depth,
    st.sampled_from([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")]), st.sampled_from([1, 25, 500, 100_000]),
    st.sampled_from(["1", '"x"', ""]),
)  # fmt: skip
numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**40, -(2**63) - 1]),
    st.floats(allow_nan=False),
)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=12) | pieces | st.lists(pieces, max_size=3).map("".join)


def trees(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """JSON whose objects have these members."""
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
    )


def texts(*known: str, keys: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Values for a field of text: anything, what is nearly right, and what is far too long or deep."""
    names = st.sampled_from(keys) | pieces if keys else pieces
    nearly = st.tuples(st.sampled_from(known or ("",)), pieces, st.sampled_from(known or ("",))).map("".join)
    return st.one_of(
        st.text(max_size=40), nearly, pumped, deep, trees(names).map(json.dumps), st.sampled_from(known or ("",))
    )


def bent(example: Mapping[str, Any], names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """The example with up to three of its values, anywhere in it, replaced, dropped or given company."""

    @st.composite
    def draw_one(draw: st.DrawFn) -> Any:
        made: Any = json.loads(json.dumps(example))
        for _ in range(draw(st.integers(1, 3))):
            place, key = made, None
            while True:
                holds = list(place) if isinstance(place, dict) else range(len(place)) if isinstance(place, list) else ()
                if not holds:
                    break
                holder, key = place, draw(st.sampled_from(list(holds)))
                place = holder[key]
                if draw(st.booleans()):
                    break
            if key is None:
                continue
            match draw(st.integers(0, 3)):
                case 0 if isinstance(holder, dict):
                    del holder[key]
                case 1 if isinstance(holder, dict):
                    holder[draw(st.sampled_from(names) | pieces)] = draw(trees(pieces))
                case _:
                    holder[key] = draw(trees(st.sampled_from(names)))
        return made

    return draw_one()


def broken(whole: bytes) -> st.SearchStrategy[bytes]:
    """Bytes cut, repeated, or with others in their midst."""
    cut = st.integers(0, len(whole))
    return st.one_of(
        cut.map(lambda end: whole[:end]),
        st.tuples(cut, st.binary(max_size=6)).map(lambda at: whole[: at[0]] + at[1] + whole[at[0] :]),
        st.binary(max_size=60),
        deep.map(str.encode),
    )
