"""Token buckets: how often something may happen."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ['Rates']


class Rates:
    """One bucket for each name that has a rate; what has none is always allowed.

    Args:
        rates: Name -> (bucket size, tokens per second).

    Attributes:
        any: Something has a rate.
    """

    def __init__(self, rates: Mapping[str, tuple[float, float]]) -> None:
        self._rates = rates
        self.any = bool(rates)
        self._levels: dict[str, tuple[float, int]] = {}

    def allow(self, name: str, at: int) -> bool:
        """Take a token at the moment ``at`` (milliseconds) and say whether there was one."""
        rate = self._rates.get(name)
        if rate is None:
            return True
        size, refill = rate
        level, since = self._levels.get(name, (float(size), at))
        level = min(float(size), level + (at - since) / 1000 * refill)
        self._levels[name] = (level - 1, at) if level >= 1 else (level, at)
        return level >= 1
