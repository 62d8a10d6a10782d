"""How the commands of the pages are run in a test: what is changed, how they may end, and the few that are not run.

A command that fits nothing in here is run as it stands, and has to end with 0.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Phase(IntEnum):
    """When: each finds what the ones before have left."""

    ALONE = 0
    """Needs neither a cluster nor an account."""
    MAKING = 1
    LOOKING = 2
    DELETING = 3
    STOPPED = 4
    """The controller has been scaled to 0."""
    LEAVING = 5


@dataclass(frozen=True)
class Way:
    """What is done with the commands that match."""

    pattern: str
    phase: Phase = Phase.LOOKING
    ends: tuple[int, ...] = (0,)
    says: str = ""
    """Words that it has to print."""
    instead: tuple[tuple[str, str], ...] = ()
    """Replacements: regular expression and text."""
    answer: str = ""
    """What is typed."""
    until: str = ""
    """It does not end by itself: words after which it is ended."""
    never: str = ""
    """Why it is not run."""

    def fits(self, command: str) -> bool:
        return re.search(self.pattern, command) is not None


def way_of(command: str) -> Way:
    """The first that fits."""
    return next(way for way in WAYS if way.fits(command))


RELEASED: Final = re.compile(r"\bhelm\b|\bdeploy(ment)?[/ ]l7lb|can-i|--as system|l7lb leave")
"""What needs a release of the chart."""
PODS: Final = "no pod runs in the cluster of the test"
WAYS: Final = (
    # By hand, or too long for a test of the pages; each has tests of its own.
    Way(r"^make ", Phase.ALONE, instead=((r"^make ", "make --dry-run "),)),
    Way(
        r"-m pytest ",
        Phase.ALONE,
        says="collected",
        instead=((r"-m envtest tests$", "-m envtest tests/system/test_rights.py"), (r"$", " --collect-only -q")),
    ),
    Way(
        r"-m tests\.mutants", Phase.ALONE, never="faults are tried one by one for minutes: tests/mutants has its tests"
    ),
    Way(
        r"-m tests\.golden",
        Phase.ALONE,
        instead=((r"\bmy-case\b", "a-host-without-a-path"),),
    ),
    Way(
        r"-m tests\.soak\.memory",
        Phase.ALONE,
        says="the whole process",
        instead=((r"$", " --ingresses 200 --nodes 10"),),
    ),
    Way(r"-m tests\.emulators", Phase.ALONE, until=r"http://127\.0\.0\.1:\d+", instead=((r"--port \d+", "--port 0"),)),
    Way(r"l7lb plan --offline", Phase.ALONE, ends=(2,), says="create"),
    Way(r"^docker ", never="it builds and pushes an image; the Dockerfile has tests of its own"),
    # Making.
    Way(r"create secret generic .*--from-file", Phase.MAKING),
    Way(r"^kubectl .*rollout status", Phase.MAKING, ends=(1,), says="Waiting for", instead=((r"$", " --timeout=1s"),)),
    Way(r"^kubectl .*\b(create|expose|apply)\b", Phase.MAKING),
    Way(r"^helm (install|upgrade|history|rollback)", Phase.MAKING),
    Way(r"--watch$", until=r"\d+\.\d+\.\d+\.\d+"),
    # Looking.
    Way(r"^kubectl .*port-forward", never=PODS),
    Way(r"^kubectl .*\btop\b", ends=(1,), says="Metrics API not available"),
    Way(r"/proxy/", ends=(1,), says="address|no endpoints|not found|unavailable"),
    Way(r"auth can-i", says="yes"),
    Way(r"\| grep ", ends=(0, 1)),
    # Taking away.
    Way(r"^kubectl delete ingress", Phase.DELETING),
    Way(r"l7lb run ", Phase.STOPPED, until="leading", instead=((r"127\.0\.0\.1:8082", "127.0.0.1:0"),)),
    Way(r"l7lb adopt --apply", Phase.STOPPED),
    Way(r"l7lb teardown .*--dry-run", Phase.STOPPED),
    Way(r"l7lb teardown", Phase.LEAVING, answer="cluster"),
    Way(r"l7lb release", Phase.STOPPED, answer="cluster"),
    Way(r"l7lb leave .*drain", Phase.LEAVING),
    Way(r"l7lb leave", Phase.LEAVING, ends=(0, 1), says="released|l7lb holds no Ingress|drain"),
    Way(r"^helm uninstall", Phase.LEAVING, instead=((r"$", " --no-hooks"),)),
    # Commands that say by their exit code what they have found.
    Way(r"l7lb (plan|adopt|status|explain shop|tree|audit)", ends=(0, 2)),
    Way(r"l7lb doctor", ends=(0, 2), says=r" 0 fail|\"fail\": 0"),
    Way(r""),
)
"""In order: the first that fits counts."""
