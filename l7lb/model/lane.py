"""The three lanes of the queue and of the API budget, and what goes first in one of them."""

from enum import StrEnum


class Lane(StrEnum):
    """Why a key is worked on, best first."""

    CHANGE = "change"
    """A user's change of an object."""
    ENDPOINTS = "endpoints"
    """Targets came or went."""
    VERIFY = "verify"
    """Comparing with the cloud, first list, resync."""
    REMOVALS = "removals"
    """The urgent part of `ENDPOINTS`: targets went. One lane of the queue, but not of the API budget."""
    ARRIVALS = "arrivals"
    """Its patient part, in the same way: a node came, for every load balancer, and nobody has to wait for it."""
