"""What the tests of the data plane share: an address of their own, views in one line, raw and ordinary clients."""

import http.client
import itertools
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.dataplane.views import HealthView, LbView, ListenerView, RuleView, TargetView

PORT_OFFSET = 21000
HTTP_PORT = PORT_OFFSET + 80
HTTPS_PORT = PORT_OFFSET + 443
WAIT_S = 30.0
UNCHECKED = HealthView(enabled=False)
QUICK = HealthView(path="/healthz", healthy_num=2, unhealthy_num=2)

_serial = itertools.count(1)


def new_vip() -> str:
    """A loopback address that no other test, of this or another process, has."""
    process = os.getpid()
    return f"127.{64 + process // 250 % 128}.{process % 250}.{next(_serial) % 250 + 1}"


def targets(*addresses: tuple[str, int], weight: int = 10) -> tuple[TargetView, ...]:
    return tuple(TargetView(ip, port, weight) for ip, port in addresses)


def rule(name: str, domain: str, url: str = "/", bound: Sequence[TargetView] = (), **other: object) -> RuleView:
    settings: dict[str, object] = {"health": UNCHECKED, **other}
    return RuleView(name, domain, url, targets=tuple(bound), **settings)  # type: ignore[arg-type]  # checked at run time


def http_lb(vip: str, *rules: RuleView, lb_id: str = "lb-1") -> LbView:
    return LbView(lb_id, vip, (ListenerView("lbl-http", "HTTP", 80, rules=rules),))


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as a client saw it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Which backend answered."""
        return self.body.decode().partition("name=")[2].partition(" ")[0]


class Client:
    """A keep-alive client of one listener."""

    def __init__(self, vip: str, port: int = HTTP_PORT) -> None:
        self.connection = http.client.HTTPConnection(vip, port, timeout=WAIT_S)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def get(
        self,
        path: str = "/",
        host: str = "shop.example.com",
        method: str = "GET",
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Got:
        sent = {"Host": host, **(headers or {})}
        self.connection.request(method, path, body=body, headers=sent)  # type: ignore[arg-type]  # bytes or an iterator
        answer = self.connection.getresponse()
        seen = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, answer.read(), seen)


def get(vip: str, path: str = "/", host: str = "shop.example.com", **other: object) -> Got:
    """One request on a connection of its own."""
    with Client(vip) as client:
        return client.get(path, host, **other)  # type: ignore[arg-type]  # passed on as they are


def raw(vip: str, request: bytes, port: int = HTTP_PORT) -> bytes:
    """Everything that comes back for these bytes until the connection ends."""
    with socket.create_connection((vip, port), timeout=WAIT_S) as connection:
        connection.sendall(request)
        received = b""
        while block := connection.recv(65536):
            received += block
    return received


def shown_certificate(plane: DataPlane, vip: str, server_name: str | None) -> str:
    """The common name of the certificate shown to a client that verifies the chain and asks for ``server_name``."""
    context = ssl.create_default_context(cadata=plane.ca_pem())
    context.check_hostname = False
    with (
        socket.create_connection((vip, HTTPS_PORT), timeout=WAIT_S) as plain,
        context.wrap_socket(plain, server_hostname=server_name) as secure,
    ):
        certificate = secure.getpeercert() or {}
    subject = [pair for part in certificate["subject"] for pair in part]
    return str(dict(subject)["commonName"])  # type: ignore[arg-type]  # typed as a mix


class Load:
    """Clients that send requests on kept-alive connections until told to stop."""

    def __init__(self, vip: str, clients: int, request: Callable[[Client], Got] = Client.get) -> None:
        self.statuses: list[int] = []
        self.names: list[str] = []
        self.failures: list[str] = []
        self._stopping = threading.Event()
        self._progress = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, args=(vip, request), name=f"client-{n}") for n in range(clients)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, reached: Callable[[], bool]) -> bool:
        """Block until ``reached``, asked after every answer; False when it took too long."""
        with self._progress:
            return self._progress.wait_for(reached, WAIT_S)

    def wait_for_more(self, requests: int) -> bool:
        """Block until so many more requests have been answered."""
        aim = len(self.statuses) + requests
        return self.wait_for(lambda: len(self.statuses) >= aim)

    def _run(self, vip: str, request: Callable[[Client], Got]) -> None:
        with Client(vip) as client:
            client.connection.connect()
            client.connection.auto_open = 0  # a dropped connection shows as a failure, it is not opened again
            while not self._stopping.is_set():
                try:
                    got = request(client)
                except (OSError, http.client.HTTPException) as error:
                    self._note(0, "", repr(error))
                    return
                self._note(got.status, got.name, "")

    def _note(self, status: int, name: str, failure: str) -> None:
        with self._progress:
            if failure:
                self.failures.append(failure)
            else:
                self.statuses.append(status)
                self.names.append(name)
            self._progress.notify_all()


class ScriptedTarget:
    """A target that reads a request's head and then sends these bytes and hangs up; ``None`` resets instead."""

    def __init__(self, answer: bytes | None) -> None:
        self.connections = 0
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, name="scripted-target")

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listening.getsockname()
        return str(host), int(port)

    def __enter__(self) -> "ScriptedTarget":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # shut down: the test is over
            with connection:
                self.connections += 1
                self._play(connection)

    def _play(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received and (block := connection.recv(65536)):
            received += block
        if self._answer is None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(self._answer)
