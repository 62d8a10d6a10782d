"""`python -m tests.cloud left|clean`: what runs have left in the account, and taking away what one run has left."""

import sys

from tests.cloud.account import Account, Settings, settings


def main(arguments: list[str]) -> int:
    """`left` lists load balancers with our tag; `clean RUN` deletes those of one run, `clean all` those of all."""
    told = settings()
    if isinstance(told, str):
        sys.stderr.write(f"{told}\n")
        return 2
    match arguments:
        case ["left"]:
            for name, run in Account(told).left().items():
                sys.stdout.write(f"{name} of run {run}\n")
            return 0
        case ["clean", run] if run:
            return _clean(told, run)
        case _:
            sys.stderr.write("python -m tests.cloud left | clean RUN | clean all\n")
            return 2


def _clean(told: Settings, run: str) -> int:
    runs = {run} if run != "all" else set(Account(told).left().values())
    for one in sorted(runs):
        for name in Account(told, one).clean():
            sys.stdout.write(f"deleted: {name} of run {one}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
