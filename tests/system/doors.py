"""A replica's own way to the API server: a TCP relay with an address of its own, which can be shut without a word.

What is sent through a shut door is neither answered nor refused, as behind a network that drops packets.
"""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
CHUNK = 65536


class Door:
    """Relays to one place; `source` is the address from which its connections come."""

    def __init__(self, place: str, source: str) -> None:
        self.source = source
        split = urlsplit(place)
        self._scheme, self._host, self._port = split.scheme, split.hostname or "", split.port or 0
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._relays: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"door-{source}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def kubeconfig(self, direct: Path) -> str:
        """The same as the kubeconfig there, through this door."""
        text = direct.read_text(encoding="utf-8")
        place = f"{self._scheme}://{self._host}:{self._port}"
        assert place in text
        return text.replace(place, self.url)

    def shut(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30.0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        try:
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port, local_addr=(self.source, 0))
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass  # One of the two has gone, or the test is over.
        finally:
            writer.close()
            self._relays.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def _end(self) -> None:
        self._server.close()
        relays = list(self._relays)
        for relay in relays:
            relay.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*relays, return_exceptions=True)
        await asyncio.sleep(0.05)
