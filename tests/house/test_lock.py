"""The lock holds what setup.cfg asks for at run time and for traces, what that needs, and each file by its hash."""

import importlib.metadata
import re
from configparser import ConfigParser

from tests.house.source import ROOT

LOCK = ROOT / "requirements.lock"
ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9.]+(?:b[0-9]+)?)"
    r"(?: ; [^\\\n]+)? \\\n(?P<hashes>(?:    --hash=.*\n)+)",
    re.MULTILINE,
)
BOUNDS = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<least>[0-9.]+),<(?P<below>[0-9.]+)")
Version = tuple[int, ...]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def locked() -> dict[str, tuple[str, list[str]]]:
    """Distribution -> version and hashes."""
    found = ENTRY.finditer(LOCK.read_text(encoding="utf-8"))
    return {
        canonical(entry["name"]): (entry["version"], re.findall(r"--hash=(\S+)", entry["hashes"])) for entry in found
    }


def wanted() -> dict[str, tuple[Version, Version]]:
    """What setup.cfg asks for at run time and for traces: from and below which version."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    asked = setup["options"]["install_requires"] + "\n" + setup["options.extras_require"]["otel"]
    lines = [line for line in asked.split("\n") if line]
    found = [BOUNDS.fullmatch(line) for line in lines]
    return {canonical(one["name"]): (version(one["least"]), version(one["below"])) for one in found if one}


def test_every_line_of_the_lock_is_a_version_with_hashes() -> None:
    text = ENTRY.sub("", LOCK.read_text(encoding="utf-8"))
    assert [line for line in text.splitlines() if line and not line.startswith("    #")] == []
    assert all(
        hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes) for _, hashes in locked().values()
    )


def test_what_setup_cfg_asks_for_is_locked_within_its_bounds() -> None:
    found, asked = locked(), wanted()
    assert len(asked) >= 10
    assert asked.keys() <= found.keys(), "run `make lock`"
    outside = [name for name, (least, below) in asked.items() if not least <= version(found[name][0]) < below]
    assert outside == [], "run `make lock`"


def test_nothing_else_is_locked_than_what_these_need() -> None:
    """By what the installed distributions say."""
    found, reached = locked(), set[str]()
    ahead = list(wanted())
    while ahead:
        name = ahead.pop()
        if name in reached or name not in found:
            continue
        reached.add(name)
        ahead += _needs(name)
    assert {name for name in found if name not in reached} <= ELSEWHERE


ELSEWHERE = {"tzdata"}
"""Needed on platforms that are not this one."""


def _needs(name: str) -> list[str]:
    try:
        asked = importlib.metadata.requires(name) or ()
    except importlib.metadata.PackageNotFoundError:
        return []
    names = (re.match(r"[A-Za-z0-9._-]+", text) for text in asked if "extra ==" not in text)
    return [canonical(one[0]) for one in names if one]
