"""A real headless Chromium, driven over a pipe: opens pages, reads them, types, takes pictures, and hears complaints.

It speaks the DevTools protocol: JSON messages that end with a zero byte, on the descriptors 3 and 4.
"""

import base64
import itertools
import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Self

from tests.tools import tool

Json = dict[str, Any]
WAIT_S: Final = 30.0
PROGRAM: Final = "chromium-headless-shell"
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
)  # fmt: skip
_COMPLAINTS: Final = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Network.loadingFailed"}


class Browser:
    """One page at a time. What the browser complains about since the last `open` is in `complaints`."""

    def __enter__(self) -> Self:
        program = tool(PROGRAM)
        assert program is not None
        self._folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        to_browser, self._send = os.pipe()
        self._receive, from_browser = os.pipe()
        # Not sh: some know no descriptors of two digits.
        command = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", str(program), *FLAGS, f"--user-data-dir={self._folder.name}"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers, self._rest, self._session = itertools.count(1), b"", ""
        self.complaints: list[str] = []
        self.requests: list[str] = []
        """What was asked of the network."""
        self._loaded = False
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._send)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._receive)
        self._folder.cleanup()

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        """Load a page and wait until it is whole."""
        self._ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 640
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self.complaints, self.requests, self._loaded = [], [], False
        self._ask("Page.navigate", url=url)
        self._until_loaded()

    def value(self, script: str) -> Any:
        """What a piece of JavaScript comes to."""
        found = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def text(self, selector: str = "body") -> str:
        """What a person reads there."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def texts(self, selector: str) -> list[str]:
        """The same of every such element that can be seen."""
        seen = "[...document.querySelectorAll(%s)].filter(e => e.checkVisibility()).map(e => e.innerText)"
        return [str(one) for one in self.value(seen % json.dumps(selector))]

    def press(self, key: str, code: int) -> None:
        """A key by its name and number."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self._ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def type(self, words: str) -> None:
        """Into whatever has the focus."""
        self._ask("Input.insertText", text=words)

    def enter(self) -> None:
        """The key, and the page that it leads to."""
        self._loaded = False
        self.press("Enter", 13)
        self._until_loaded()

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """The whole page as a PNG, or what of it is in the window."""
        found = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def _until_loaded(self) -> None:
        deadline = time.monotonic() + WAIT_S
        while not self._loaded:
            self._heard(deadline)

    def _ask(self, method: str, **params: Any) -> Json:
        number = next(self._numbers)
        message: Json = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + WAIT_S
        while True:
            answer = self._heard(deadline)
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                found: Json = answer["result"]
                return found

    def _heard(self, deadline: float) -> Json:
        """The next message; events are noted on the way."""
        while b"\0" not in self._rest:
            readable, _, _ = select.select([self._receive], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._receive, 1 << 16) if readable else b""
            assert piece, "the browser says nothing"
            self._rest += piece
        raw, _, self._rest = self._rest.partition(b"\0")
        message: Json = json.loads(raw)
        method = message.get("method", "")
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        elif method in _COMPLAINTS:
            self.complaints.append(json.dumps(message["params"])[:500])
        return message
