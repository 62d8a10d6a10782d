"""What the author of an Ingress has written, as one word: to tell an edit from everything else that changes a plan."""

import hashlib
from typing import Final

import msgspec

from l7lb.model.cluster import Ingress
from l7lb.translator.annotations import TABLE, When
from l7lb.translator.names import Name

DIGITS: Final = 16
ASKED: Final = frozenset(row.name.value for row in TABLE if row.when is not When.WRITTEN) - {Name.APPROVE.value}
"""Annotations that ask for something. What we write ourselves, and a word of approval, do not."""


def author_digest(ingress: Ingress) -> str:
    """The same for as long as its author changes nothing that counts, whatever a newer version makes of it."""
    written = {name: text for name, text in ingress.annotations.items() if name in ASKED}
    text = msgspec.json.encode((ingress.spec, sorted(written.items())), order="deterministic")
    return hashlib.sha256(text).hexdigest()[:DIGITS]
