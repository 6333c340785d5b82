"""How much may come in: token buckets by address, by key, by reporter, and one for all together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


class TokenBucket:
    """So many requests at once per key, refilled by the second; forgets keys that are full again."""

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._rate = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, key: str, scale: float = 1.0, cost: float = 1.0) -> float:
        """0.0 when the request may pass, else the seconds to wait.

        `scale` multiplies burst and rate for this key. What costs more than the burst passes when the
        bucket is full, and is paid off afterwards.
        """
        now = self._clock()
        burst, rate = self._burst * scale, self._rate * scale
        with self._lock:
            if len(self._levels) > 10_000:
                full = self._burst / self._rate
                self._levels = {k: v for k, v in self._levels.items() if now - v[1] < full}
            level, then = self._levels.get(key, (burst, now))
            level = min(burst, level + (now - then) * rate)
            needed = min(cost, burst)
            if level < needed:
                self._levels[key] = (level, now)
                return (needed - level) / rate
            self._levels[key] = (level - cost, now)
            return 0.0


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
    api_key: TokenBucket = field(
        default_factory=lambda: TokenBucket(1, 1 / 60)
    )  # scaled by its rate a minute
    everybody: TokenBucket = field(default_factory=lambda: TokenBucket(2_000, 200))
    standing: Callable[[str], float] = no_standing


def for_rate(per_second: int) -> Limits:
    """The limits of a server that takes so many reports a second from everybody together; 0 is no such limit."""
    rate = per_second or 1e9
    return Limits(everybody=TokenBucket(10 * rate, rate))
