"""`python -m tests.mutants [PART OF A NAME ...]`: try each mutation; exit code 1 when one is not noticed."""

import sys
from collections.abc import Callable
from functools import partial

from tests.mutants import defaults, promises
from tests.mutants.mutation import Mutation


def main(*wanted: str) -> int:
    """All of them, or those whose name has one of these texts in it."""
    trials: list[tuple[Mutation, Callable[[], tuple[bool, str]]]] = [
        *((one, partial(promises.notices, one)) for one in promises.PROMISES),
        *((one, partial(defaults.notices, one)) for one in defaults.DEFAULTS),
    ]
    chosen = [pair for pair in trials if not wanted or any(text in pair[0].name for text in wanted)]
    passed, words = promises.passes(one for one, _ in chosen if isinstance(one, promises.Broken))
    if not passed:
        sys.stdout.write(f"without any fault the tests do not pass:\n{words}")
        return 1
    missed = 0
    for mutation, notices in chosen:
        caught, words = notices()
        missed += not caught
        sys.stdout.write(f"{'noticed' if caught else 'NOT NOTICED'}: {mutation.name}\n")
        if not caught:
            sys.stdout.write(words)
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - missed} of {len(chosen)} mutations are noticed\n")
    return int(missed > 0 or not chosen)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
