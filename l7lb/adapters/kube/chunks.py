"""The body of an answer as it arrives, whatever urllib3 would rather wait for.

urllib3 reads each chunk in four small reads through a buffer of 8 KiB, which costs a watch more than putting the object
into its place. Here as much is read as has come, and taken apart in one go. What the bytes mean does not belong here.
"""

import io
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

import urllib3

READ_SIZE: Final = 64 * 1024
"""Some twenty Ingresses of a burst; what comes by itself is read by itself."""
HEAD_LENGTH_MAX: Final = 64 * 1024
"""Of the length of a chunk with its extensions, and of all trailers."""

_END: Final = b"\r\n"


def pieces(response: urllib3.BaseHTTPResponse) -> Iterator[Sequence[bytes]]:
    """The body: what has come, in pieces, as soon as it is there. Raises `errors.FOREIGN` when it breaks."""
    if not getattr(response, "chunked", False):
        # Without chunks `stream` would wait for a full buffer, or for the end.
        while piece := response.read1(READ_SIZE, decode_content=False):
            yield (piece,)
        return
    inner = getattr(response, "_fp", None)
    wire = getattr(inner, "fp", None)
    if inner is None or not isinstance(wire, io.BufferedReader):
        # It is not built as all have been from 2.0 on, or the answer has been read already: the public way.
        for piece in response.stream(amt=None, decode_content=False):
            yield (piece,)
    elif (yield from dechunked(wire.read1)):
        inner.close()  # the answer, not the connection
        response.release_conn()


def dechunked(read: Callable[[int], bytes]) -> Generator[list[bytes], None, bool]:
    """What each `read` has brought of the body, chunk by chunk; True at the end: the connection can be used again.

    `read` blocks until there is something, and gives nothing at the end of the connection. Raises ProtocolError on a
    body that is cut or garbled, and what `read` does.
    """
    held = b""
    left = -1
    """Bytes to come of the open chunk; at 0 its line end is; below that the length of the next is."""
    while True:
        if not (data := read(READ_SIZE)):
            raise urllib3.exceptions.ProtocolError("the connection ended in the middle of the answer")
        found: list[bytes] = []
        data, at = held + data, 0
        while at < len(data):
            if left > 0:
                found.append(data[at : at + left])
                at += len(found[-1])
                left -= len(found[-1])
            elif left == 0:
                if not data.startswith(_END, at):
                    break
                at += len(_END)
                left = -1
            else:
                end = data.find(_END, at)
                if end < 0:
                    break
                left = _length(data[at:end])
                at = end + len(_END)
                if not left:
                    if found:
                        yield found
                    return _is_whole(data[end:], read)
                if data.startswith(_END, at + left):  # all of it is here, as nearly always
                    found.append(data[at : at + left])
                    at += left + len(_END)
                    left = -1
        if found:
            yield found
        held = data[at:]
        if len(held) > HEAD_LENGTH_MAX or (left == 0 and held not in (b"", b"\r")):
            raise urllib3.exceptions.ProtocolError(f"no length of a chunk: {held[:32]!r}")


def _length(line: bytes) -> int:
    """Extensions mean nothing to us."""
    try:
        length = int(line.partition(b";")[0], 16)
    except ValueError:
        length = -1
    if length < 0:
        raise urllib3.exceptions.ProtocolError(f"no length of a chunk: {line[:32]!r}")
    return length


def _is_whole(data: bytes, read: Callable[[int], bytes]) -> bool:
    """Trailers up to an empty line; some peers leave that out and close. Nothing may come behind it."""
    while _END + _END not in data:
        if not (fresh := read(READ_SIZE)):
            return False
        data += fresh
        if len(data) > HEAD_LENGTH_MAX:
            raise urllib3.exceptions.ProtocolError("the trailers are too long")
    return data.endswith(_END + _END) and data.count(_END + _END) == 1
