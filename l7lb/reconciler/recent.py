"""What is remembered for a term about one load balancer or Ingress, without growing with all that ever were.

For what may be forgotten at the cost of one more look, never for what a decision rests on.
"""

from collections import OrderedDict
from typing import Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST: Final = 10_000
"""More than a cluster has load balancers."""


class Recent(OrderedDict[K, V]):
    """A dict that drops what was written longest ago once it is full. As safe for threads as its user's lock."""

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        """Enter it, or make it the newest."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)
