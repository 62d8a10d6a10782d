"""The limit: the bytes off a plain socket, and a typed parse of each event with our structs. Nothing else is done."""

import socket
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.kinds import Kind
from tests.bench.clients.meter import Meter, asked

KINDS: Final[dict[str, Kind[Any]]] = {"ingresses": kinds.INGRESS, "endpointslices": kinds.ENDPOINT_SLICE}
READ: Final = 1024 * 1024


class Event(msgspec.Struct, frozen=True, gc=False):
    """A line of a watch, its object still text."""

    type: str
    object: msgspec.Raw


def main() -> None:
    """Watch, or list in one piece."""
    wanted = asked()
    kind = KINDS[wanted.path]
    place = urlsplit(wanted.url)
    query = "?watch=1" if wanted.watch else ""
    request = f"GET {kind.path()}{query} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()
    one, event = msgspec.json.Decoder(kind.wire), msgspec.json.Decoder(Event)
    kept: list[object] = []
    meter = Meter(wanted.ticking)
    with socket.create_connection((place.hostname or "", place.port or 0)) as wire:
        meter.start()
        wire.sendall(request)
        rest = b""
        while len(kept) < wanted.count:
            *lines, rest = (rest + wire.recv(READ)).split(b"\n")
            for line in lines:
                text = line.lstrip(b",")
                if wanted.watch and text.startswith(b'{"type"'):
                    kept.append(one.decode(event.decode(line).object))
                elif not wanted.watch and text.startswith(b'{"kind":"') and b'"items":[' not in text[:200]:
                    kept.append(one.decode(text.rstrip(b"\r")))
        meter.stop(len(kept))


if __name__ == "__main__":
    main()
