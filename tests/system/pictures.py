"""The pictures of the console in its documentation: `python -m tests.system.pictures` takes them anew.

They show made-up portraits, so that they stay the same until a page changes.
"""

import struct
import zlib
from pathlib import Path

from l7lb.app.visiting import ConsoleServer
from l7lb.console.site import Console
from tests.browser import Browser
from tests.unit.console.portraits import Gallery

FOLDER = Path(__file__).parents[2] / "docs/images"
LOAD_BALANCER = "/balancers/ap-guangzhou/lb-8f2kq1zd"
PICTURES = (
    ("console-overview", "/", 1200, 930, False),
    ("console-overview-dark", "/", 1200, 930, True),
    ("console-load-balancer", LOAD_BALANCER, 1200, 1060, False),
    ("console-ingress", "/ingresses/shop/web", 1200, 1000, False),
    ("console-plans", "/plans", 1200, 660, False),
    ("console-missing", "/ingresses/shop/wbe", 1200, 370, False),
    ("console-narrow", "/ingresses/shop/web", 420, 900, True),
)
"""Name, page, width and height of the window, dark."""


def main() -> None:
    """Take all of them."""
    server = ConsoleServer("127.0.0.1:0", Console(Gallery()).answer)
    server.start(lambda *_: None)
    assert server.place is not None
    try:
        with Browser() as browser:
            for name, path, width, height, dark in PICTURES:
                browser.open(f"http://127.0.0.1:{server.place[1]}{path}", width=width, height=height, dark=dark)
                picture = FOLDER / f"{name}.png"
                browser.picture(picture, whole=False)
                picture.write_bytes(tightened(picture.read_bytes()))
    finally:
        server.stop(1.0)


def tightened(png: bytes) -> bytes:
    """The same picture in fewer bytes: a browser compresses in a hurry."""
    head, place, parts, pixels = png[:8], 8, [], b""
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        kind, whole = png[place + 4 : place + 8], png[place : place + 12 + size]
        if kind == b"IDAT":
            pixels += whole[8:-4]
        else:
            parts.append((kind, whole))
        place += 12 + size
    body = b"IDAT" + zlib.compress(zlib.decompress(pixels), 9)
    data = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    kept = [whole for kind, whole in parts if kind in (b"IHDR", b"IEND")]
    return head + kept[0] + data + kept[1]


if __name__ == "__main__":
    main()
