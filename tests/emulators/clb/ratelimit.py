"""Token buckets per account, region and action, on the emulator's clock (every API page: 20 a second)."""

from collections.abc import Mapping

from tests.emulators.clb.errors import ApiError

DEFAULT_PER_SECOND = 20.0
PER_SECOND: Mapping[tuple[str, str], float] = {
    ("tag", "DescribeResourceTagsByResourceIds"): 100.0,
    ("ssl", "DescribeCertificateDetail"): 10.0,
    ("ssl", "DescribeCertificates"): 10.0,
    ("vpc", "DescribeSubnets"): 100.0,
    ("cvm", "DescribeInstances"): 40.0,
}


class RateLimits:
    """``overrides``: calls a second by action name, ``*`` for all; 0 means no limit."""

    def __init__(self, overrides: Mapping[str, float] | None = None) -> None:
        self.overrides = dict(overrides or {})
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}

    def take(self, account: str, region: str, service: str, action: str, now: float) -> None:
        """Take one token, or raise ``RequestLimitExceeded``. A bucket holds one second's worth."""
        rate = self._rate(service, action)
        if rate <= 0:
            return
        key = (account, region, f"{service}.{action}")
        tokens, since = self._buckets.get(key, (rate, now))
        tokens = min(rate, tokens + (now - since) * rate)
        if tokens < 1.0:
            self._buckets[key] = (tokens, now)
            raise ApiError(
                "RequestLimitExceeded",
                f"Your current request times equals to `{int(rate) + 1}` in a second, which exceeds the frequency "
                f"limit `{int(rate)}` for a second. Please reduce the frequency of calls.",
            )
        self._buckets[key] = (tokens - 1.0, now)

    def _rate(self, service: str, action: str) -> float:
        default = PER_SECOND.get((service, action), DEFAULT_PER_SECOND)
        return self.overrides.get(action, self.overrides.get("*", default))
