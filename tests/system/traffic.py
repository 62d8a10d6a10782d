"""Requests at a steady rate through the data plane, each on a connection of its own; nothing is sent twice."""

import http.client
import threading
import time
from collections import Counter
from typing import Self


class Load:
    """While the context lasts. A request that is not answered by a backend whose name begins so has failed."""

    def __init__(
        self, address: str, port: int, host: str, *, served_by: str, clients: int = 8, gap_s: float = 0.04
    ) -> None:
        """`clients` clients with one request each every `gap_s`."""
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._where = (address, port)
        self._host, self._served_by = host, served_by
        self._clients, self._gap_s = clients, gap_s
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = time.monotonic()
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def sent(self) -> int:
        """Requests that have ended, one way or the other."""
        return self.answers.total() + len(self.failures)

    @property
    def due(self) -> int:
        """Requests of the time that it lasted; a last one of each client may stand at its edge."""
        return self._clients * (int((self._ended - self.began) / self._gap_s) - 1)

    def _run(self, number: int) -> None:
        """What a busy machine delays is sent late, and never left out."""
        due = self.began + number * self._gap_s / self._clients
        while (pause := due - time.monotonic()) <= 0 or not self._stopping.wait(pause):
            if self._stopping.is_set() and due > self._ended:
                return
            due += self._gap_s
            self._ask()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(*self._where, timeout=30.0)
        try:
            connection.request("GET", "/", headers={"Host": self._host})
            response = connection.getresponse()
            name = response.read().decode().partition("name=")[2].partition(" ")[0]
            if response.status != 200 or not name.startswith(self._served_by):
                self.failures.append(f"{response.status} from {name or 'nobody'}")
            else:
                self.answers[name] += 1
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
        finally:
            connection.close()
