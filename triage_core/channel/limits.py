"""How much may come in: token buckets by address, by key, by reporter, and one for all together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_KEPT = 10_000
"""Beyond so many keys a bucket looks for those that it can forget."""


class TokenBucket:
    """So many requests at once per key, refilled by the second; forgets keys that are full again."""

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._rate = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float, float]] = {}
        """By key: what was left, when that was, and when it is full again."""
        self._sweep_above = MOST_KEPT

    def take(self, key: str, scale: float = 1.0, cost: float = 1.0) -> float:
        """0.0 when the request may pass, else the seconds to wait.

        `scale` multiplies burst and rate for this key. What costs more than the burst passes when the
        bucket is full, and is paid off afterwards.
        """
        now = self._clock()
        burst, rate = self._burst * scale, self._rate * scale
        with self._lock:
            if len(self._levels) > self._sweep_above:
                self._levels = {name: kept for name, kept in self._levels.items() if kept[2] > now}
                self._sweep_above = max(MOST_KEPT, 2 * len(self._levels))
            level, then, _ = self._levels.get(key, (burst, now, now))
            level = min(burst, level + (now - then) * rate)
            needed = min(cost, burst)
            left = level - cost if level >= needed else level
            self._levels[key] = (left, now, now + (burst - left) / rate)
            return max(0.0, needed - level) / rate


def no_standing(reporter: str) -> float:
    """Nobody's reputation is known: everybody has the same limit."""
    return 1.0


@dataclass(slots=True)
class Limits:
    """The buckets of one server.

    `standing` gives for a contact by how much its limit is lifted (1.0: not at all).
    """

    address: TokenBucket = field(default_factory=lambda: TokenBucket(200, 20))
    lookups: TokenBucket = field(default_factory=lambda: TokenBucket(60, 2))
    reporter: TokenBucket = field(default_factory=lambda: TokenBucket(30, 30 / 3600))
    # Scaled by the key's rate a minute.
    api_key: TokenBucket = field(default_factory=lambda: TokenBucket(1, 1 / 60))
    everybody: TokenBucket = field(default_factory=lambda: TokenBucket(2_000, 200))
    standing: Callable[[str], float] = no_standing


def for_rate(per_second: int, standing: Callable[[str], float]) -> Limits:
    """The limits of a server that takes so many reports a second from everybody together; 0 is no such limit."""
    rate = per_second or 1e9
    return Limits(everybody=TokenBucket(10 * rate, rate), standing=standing)
