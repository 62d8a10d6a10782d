"""`python -m tests.golden [--update] [CASE ...]`: show where cases differ from what is expected, or accept it."""

import argparse
import difflib
import sys

import yaml

from tests.golden.case_file import Expectation, load, paths, save
from tests.golden.stage import stage


def main() -> int:
    """Exit code 1 when a case differs and was not updated."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write what is found into the cases")
    parser.add_argument("cases", nargs="*", help="names of cases; none: all")
    asked = parser.parse_args()
    differing = 0
    with stage() as account:
        for path in paths():
            if asked.cases and path.stem not in asked.cases:
                continue
            case = load(path)
            found = account.play(case)
            if found == case.expect:
                continue
            differing += 1
            print("\n".join(_differences(case.name, case.expect, found)))
            if asked.update:
                save(case, found)
    return int(differing > 0 and not asked.update)


def _differences(name: str, expect: Expectation, found: Expectation) -> list[str]:
    before, after = (yaml.safe_dump(part, sort_keys=False, width=10_000).splitlines() for part in (expect, found))
    return list(difflib.unified_diff(before, after, f"{name} (expected)", f"{name} (found)", lineterm="", n=50))


sys.exit(main())
