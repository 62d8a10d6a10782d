"""The chunks of an answer, however the connection brings them, cut at any byte, and with what no server should send."""

from collections.abc import Iterator

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from l7lb.adapters.kube.chunks import HEAD_LENGTH_MAX, dechunked, pieces

from .fault_server import chunk

BODIES = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=8)


class Wire:
    """Gives so many bytes at a time, again and again from the first size, and then nothing."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data = data
        self._sizes = sizes
        self._reads = 0

    def read(self, length: int) -> bytes:
        size = min(length, self._sizes[self._reads % len(self._sizes)])
        self._reads += 1
        read, self._data = self._data[:size], self._data[size:]
        return read


def taken_apart(data: bytes, sizes: list[int]) -> tuple[list[bytes], bool | None]:
    """What came, and whether the connection can be used again; None: it broke."""
    found: list[bytes] = []

    def all_of(wire: Wire) -> Iterator[list[bytes]]:
        whole.append((yield from dechunked(wire.read)))

    whole: list[bool | None] = []
    try:
        for some in all_of(Wire(data, sizes)):
            found += some
    except urllib3.exceptions.ProtocolError:
        whole.append(None)
    return found, whole[0]


@given(body=BODIES, sizes=SIZES, trailers=st.sampled_from([b"", b"X-One: 1\r\n", b"X-One: 1\r\nX-Two: 2\r\n"]))
def test_a_body_is_what_was_sent_however_it_is_chunked_and_read(
    body: list[bytes], sizes: list[int], trailers: bytes
) -> None:
    sent = b"".join(map(chunk, body)) + b"0\r\n" + trailers + b"\r\n"
    found, whole = taken_apart(sent, sizes)
    assert (b"".join(found), whole) == (b"".join(body), True)
    assert all(found)


@given(body=BODIES, sizes=SIZES, cut=st.integers(0))
def test_a_body_cut_at_any_byte_is_never_taken_for_a_whole_one(body: list[bytes], sizes: list[int], cut: int) -> None:
    sent = b"".join(map(chunk, body)) + b"0\r\n\r\n"
    at = cut % len(sent)
    found, whole = taken_apart(sent[:at], sizes)
    assert b"".join(body).startswith(b"".join(found))
    # Only the empty line behind the last chunk may be missing from an end that counts as clean.
    assert whole is (False if at >= len(sent) - 2 else None)


def test_what_one_read_has_brought_comes_at_once_and_nothing_is_waited_for() -> None:
    sent = chunk(b"one") + chunk(b"two") + b"9\r\nthr"
    arriving = dechunked(Wire(sent, [len(sent)]).read)
    assert next(arriving) == [b"one", b"two", b"thr"]


@pytest.mark.parametrize(
    "sent",
    [
        b"-3\r\nabc\r\n",
        b"\r\n\r\n",
        b"x\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3\r\nabcX\r\n0\r\n\r\n",
        b"1" * (HEAD_LENGTH_MAX + 1),
        b"0\r\n" + b"x" * (HEAD_LENGTH_MAX + 1),
    ],
    ids=["negative", "empty", "no number", "too long", "no line end", "head without end", "trailers without end"],
)
def test_a_garbled_body_is_an_error(sent: bytes) -> None:
    assert taken_apart(sent, [HEAD_LENGTH_MAX])[1] is None


def test_extensions_of_a_chunk_mean_nothing() -> None:
    assert taken_apart(b'3;name="a;b"\r\nabc\r\n0;last\r\n\r\n', [99]) == ([b"abc"], True)


def test_a_connection_with_more_behind_the_end_is_not_used_again() -> None:
    assert taken_apart(chunk(b"abc") + b"0\r\n\r\nHTTP/1.1 200 OK\r\n", [99]) == ([b"abc"], False)


class Unfamiliar:
    """An answer of a urllib3 that is built in another way: all that is left is public."""

    chunked = True

    def stream(self, *, amt: int | None, decode_content: bool) -> Iterator[bytes]:
        assert (amt, decode_content) == (None, False)
        yield from (b"one", b"two")


def test_a_urllib3_that_is_not_known_inside_is_read_by_its_public_way() -> None:
    assert list(pieces(Unfamiliar())) == [(b"one",), (b"two",)]  # type: ignore[arg-type]  # stands for a response
