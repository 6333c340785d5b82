"""Links that open one thing for a while: whoever was shown one may use it, and nobody can make one up.

tickets = Tickets(secrets.token_bytes(32))
ticket = tickets.issue("kto/3", now + HOLDS)
tickets.holds("kto/3", ticket, now)         # True until then
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

HOLDS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tickets:
    """Issues and checks tickets; those of another secret, or of before a restart, open nothing."""

    secret: bytes = field(repr=False)

    def issue(self, subject: str, until: datetime) -> str:
        """A ticket for `subject`, good until then; letters, digits and a dot."""
        end = str(int(until.timestamp()))
        return f"{end}.{self._sign(subject, end)}"

    def holds(self, subject: str, ticket: str, now: datetime) -> bool:
        """True when this ticket was issued for `subject` and its time is not over."""
        end, _, signature = ticket.partition(".")
        signed = hmac.compare_digest(signature.encode(), self._sign(subject, end).encode())
        return signed and now.timestamp() < int(end)

    def _sign(self, subject: str, end: str) -> str:
        return hmac.new(self.secret, f"{end} {subject}".encode(), hashlib.sha256).hexdigest()
