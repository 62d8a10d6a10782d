"""`python -m tests.house.generate`, or `make docs`: writes the pages that are made from the code."""

import sys

from tests.house.pages import PAGES
from tests.house.source import ROOT


def main() -> int:
    """Write what differs, and say it."""
    for page, make in PAGES.items():
        path, text = ROOT / page, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"written: {page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
