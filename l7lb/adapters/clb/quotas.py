"""What the account may have, by region: as DescribeQuota said last, with what we have ordered and learnt since.

When to ask again is for others: a pass never waits for an answer that it has no use for.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from l7lb import errors
from l7lb.model.snapshot import Limits


class Quotas:
    """Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Limits]] = {}
        self._doubted: set[str] = set()
        self._batch: dict[str, int] = {}

    def limits(self, region: str, read: Callable[[], Limits], now: float, max_age_s: float) -> Limits:
        """At most so old, unless they cannot be read now; those that are in doubt are read again in any case."""
        with self._lock:
            at, found = self._known.get(region, (0.0, None))
            doubted = region in self._doubted
        if found is None or doubted or now - at >= max_age_s:
            try:
                found = read()
            except errors.RetryableError:
                if found is None:
                    raise
            else:
                with self._lock:
                    self._known[region] = (now, found)
                    self._doubted.discard(region)
        with self._lock:
            return replace(found, rules_per_call=self._batch.get(region, found.rules_per_call))

    def known(self) -> Mapping[str, Limits]:
        """By region, as far as any pass has asked."""
        with self._lock:
            return {region: limits for region, (_, limits) in self._known.items()}

    def doubt(self, region: str) -> None:
        """The cloud has refused something for a quota."""
        with self._lock:
            self._doubted.add(region)

    def ordered(self, region: str, *, public: bool) -> None:
        """One more load balancer."""
        with self._lock:
            at, found = self._known.get(region, (0.0, None))
            if found is None:
                return
            if public and found.public_used is not None:
                self._known[region] = (at, replace(found, public_used=found.public_used + 1))
            elif not public and found.internal_used is not None:
                self._known[region] = (at, replace(found, internal_used=found.internal_used + 1))

    def shorten(self, region: str, rules_per_call: int) -> None:
        """The cloud has refused a longer list of rules in one call; no page says how long one may be."""
        with self._lock:
            self._batch[region] = rules_per_call
