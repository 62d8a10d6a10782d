"""The three lanes of the queue and of the API budget."""

from enum import StrEnum


class Lane(StrEnum):
    """Why a key is worked on, best first."""

    CHANGE = "change"
    """A user's change of an object."""
    ENDPOINTS = "endpoints"
    """Targets came or went."""
    VERIFY = "verify"
    """Comparing with the cloud, first list, resync."""
