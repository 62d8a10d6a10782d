"""`python -m tests.bench.apiserver`: answers lists and watches with bytes that were made before anybody asked.

No API server: no checks, no storage. It must never be what a client waits for, so it encodes nothing while it serves.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.bench.objects import Template, endpoint_slice, ingress, template
from tests.soak import memory

BLOCK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """One path with its objects."""

    list_kind: str
    make: Callable[[int], Template]
    revisions: tuple[str, str]
    """What the first version has, and the next, in turn."""


INGRESSES: Final = "/apis/networking.k8s.io/v1/ingresses"
SLICES: Final = "/apis/discovery.k8s.io/v1/endpointslices"
SERVICES: Final = "/api/v1/services"
NODES: Final = "/api/v1/nodes"
KINDS: Final = {
    INGRESSES: Kind("IngressList", ingress, ("even", "odd")),
    SLICES: Kind("EndpointSliceList", endpoint_slice, ("true", "false")),
    SERVICES: Kind("ServiceList", lambda number: template(memory.service(number)), ("", "")),
    NODES: Kind("NodeList", lambda number: template(memory.node(number)), ("", "")),
    "/api/v1/pods": Kind("PodList", ingress, ("", "")),
    "/api/v1/secrets": Kind("SecretList", ingress, ("", "")),
    "/apis/networking.k8s.io/v1/ingressclasses": Kind("IngressClassList", ingress, ("", "")),
}
SMALL: Final = Kind("EndpointSliceList", lambda number: template(memory.endpoint_slice(number)), ("", ""))
"""Ten endpoints each."""
KUBE_SYSTEM: Final = "/api/v1/namespaces/kube-system"
IDENTITY: Final = (
    b'{"kind":"Namespace","apiVersion":"v1",'
    b'"metadata":{"name":"kube-system","uid":"0f0e0d0c-0000-4000-8000-000000000001","resourceVersion":"1"}}'
)


@dataclass(frozen=True, slots=True)
class Load:
    """What is served of one kind."""

    listed: tuple[bytes, ...]
    events: tuple[bytes, ...]
    """The watch, as the wire has it, in large blocks."""


def chunk(data: bytes) -> bytes:
    """Of HTTP/1.1: one object or event each, as Go's server writes them."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def events(kind: Kind, templates: list[Template], count: int) -> Iterator[bytes]:
    """Each object is added, then modified in turn; a version that was not there before, each time."""
    for number in range(count):
        turn, which = divmod(number, len(templates))
        word = b"MODIFIED" if turn else b"ADDED"
        body = templates[which].object(100_000 + number, kind.revisions[turn % 2])
        yield chunk(b'{"type":"' + word + b'","object":' + body + b"}\n")


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Many small pieces as few large ones."""
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= BLOCK:
            yield b"".join(held)
            held, length = [], 0
    yield b"".join(held)


NOTHING: Final = Load((), ())


def absence(path: str) -> bytes:
    """No such object, as the API server says it; of a kind that is not there it says less."""
    *_, kind, name = path.split("/")
    if "/namespaces/" not in path:
        return b"404 page not found\n"
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound"}
    return json.dumps({**status, "message": "not found", "details": {"name": name, "kind": kind}}).encode()


def load(kind: Kind, listed: int, objects: int = 0, count: int = 0) -> Load:
    """Everything encoded."""
    bodies = tuple(kind.make(number).object(1_000 + number, kind.revisions[0]) for number in range(listed))
    templates = [kind.make(number) for number in range(objects)]
    return Load(bodies, tuple(blocks(events(kind, templates, count))) if count else ())


class Handler(BaseHTTPRequestHandler):
    """GET of a collection."""

    protocol_version = "HTTP/1.1"
    loads: dict[str, Load]

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        served = self.loads.get(place.path)
        is_watch = query.get("watch", "") in ("1", "true", "True")
        if place.path == KUBE_SYSTEM:
            self._whole(200, IDENTITY)
        elif served is not None and not is_watch:
            self._list(KINDS[place.path], served, query)
        elif served is not None or (is_watch and "/namespaces/" in place.path):
            self._watch(served or NOTHING)
        else:
            self._whole(404, absence(place.path))

    def _list(self, kind: Kind, served: Load, query: dict[str, str]) -> None:
        begin = int(query.get("continue", "0"))
        end = begin + int(query.get("limit", "0")) if "limit" in query else len(served.listed)
        items = served.listed[begin:end]
        following = str(end) if end < len(served.listed) else ""
        head = '{"kind":"%s","apiVersion":"%s","metadata":{"resourceVersion":"50000","continue":"%s"},"items":['
        version = urlsplit(self.path).path.removeprefix("/apis/").removeprefix("/api/").rpartition("/")[0]
        self._open()
        self.wfile.write(chunk((head % (kind.list_kind, version, following)).encode()))
        separated = (item if not number else b"," + item for number, item in enumerate(items))
        for block in blocks(chunk(one) for one in separated):
            self.wfile.write(block)
        self.wfile.write(chunk(b"]}\n") + chunk(b""))

    def _watch(self, served: Load) -> None:
        self._open()
        self.wfile.flush()
        for block in served.events:
            self.wfile.write(block)
        self.connection.recv(1)  # until the client goes

    def _open(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _whole(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server calls it by
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A client that ends in the middle of an answer is no error here."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def main() -> int:
    """Serve until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.apiserver", description=__doc__)
    three = ("LISTED", "OBJECTS", "EVENTS")
    parser.add_argument("--ingresses", type=int, nargs=3, metavar=three, default=(0, 0, 0))
    parser.add_argument("--slices", type=int, nargs=3, metavar=three, default=(0, 0, 0), help="of 100 endpoints")
    parser.add_argument("--small-slices", type=int, default=0, help="of ten endpoints, only listed")
    parser.add_argument("--services", type=int, default=0)
    parser.add_argument("--nodes", type=int, default=0)
    asked = parser.parse_args()
    Handler.loads = dict.fromkeys(KINDS, NOTHING)
    Handler.loads[INGRESSES] = load(KINDS[INGRESSES], *asked.ingresses)
    Handler.loads[SLICES] = load(KINDS[SLICES], *asked.slices) if any(asked.slices) else load(SMALL, asked.small_slices)
    Handler.loads[SERVICES] = load(KINDS[SERVICES], asked.services)
    Handler.loads[NODES] = load(KINDS[NODES], asked.nodes)
    with Server(("127.0.0.1", 0), Handler) as server:
        print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
