"""Proof of work for anonymous posts: a hash puzzle that costs its sender seconds and the server nothing.

The challenge is signed and carries its own end, so none is stored. A solved one is remembered until
that end, and so is taken once.

    challenge = "BITS.END.NONCE.SIGNATURE"
    proof = "CHALLENGE:NUMBER", where SHA-256 of the proof begins with BITS zero bits
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import secrets
import threading
from datetime import datetime, timedelta

from triage_core.errors import Refused

LIFE = timedelta(minutes=10)
MOST_BITS = 30
_PROOF = re.compile(r"(\d{1,2})\.(\d{1,12})\.([A-Za-z0-9_-]{16,40})\.([0-9a-f]{64}):(\d{1,20})", re.ASCII)


class Puzzle:
    """Gives challenges and checks proofs; `bits` 0 asks for none. Safe to be used by threads."""

    def __init__(self, bits: int, secret: bytes | None = None) -> None:
        self.bits = bits
        self._secret = secret or secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._spent: dict[str, int] = {}

    def challenge(self, now: datetime) -> str:
        """A new challenge, good for ten minutes."""
        end = int((now + LIFE).timestamp())
        start = f"{self.bits}.{end}.{secrets.token_urlsafe(18)}"
        return f"{start}.{self._sign(start)}"

    def check(self, proof: str, now: datetime) -> None:
        """Return when the proof answers a challenge of ours for the first time; else raise Refused."""
        found = _PROOF.fullmatch(proof)
        if not found:
            raise Refused("x-proof", "must be a challenge of GET /api/v1/challenge, a colon and a number")
        bits, end, nonce, signature, _ = found.groups()
        start = f"{bits}.{end}.{nonce}"
        if not hmac.compare_digest(signature, self._sign(start)) or int(bits) < self.bits:
            raise Refused("x-proof", "must answer a challenge of this server")
        if int(end) < now.timestamp():
            raise Refused("x-proof", "its challenge is over: ask for another one")
        if not is_solved(proof, int(bits)):
            raise Refused("x-proof", f"its SHA-256 must begin with {int(bits)} zero bits")
        with self._lock:
            self._spent = {one: until for one, until in self._spent.items() if until >= now.timestamp()}
            if nonce in self._spent:
                raise Refused("x-proof", "this challenge was used already: ask for another one")
            self._spent[nonce] = int(end)

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def is_solved(proof: str, bits: int) -> bool:
    """True when the SHA-256 of the proof begins with so many zero bits."""
    digest = int.from_bytes(hashlib.sha256(proof.encode()).digest())
    return digest >> (256 - bits) == 0


def solve(challenge: str) -> str:
    """The proof for a challenge, by trying numbers: what a client does."""
    bits = int(challenge.partition(".")[0])
    return next(proof for number in itertools.count() if is_solved(proof := f"{challenge}:{number}", bits))
