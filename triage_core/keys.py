"""Keys that the product hands out once: random, told apart by their hash, and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Any


def new(prefix: str = "") -> str:
    """24 random bytes as 32 characters of an address, after the prefix: whoever holds them has what they open."""
    return prefix + secrets.token_urlsafe(24)


def digest(key: str) -> str:
    """What is stored of a key, from which it cannot be read again: its SHA-256, hexadecimal."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def match(rows: Iterable[dict[str, Any]], key: str) -> dict[str, Any] | None:
    """The row whose `key_sha256` is that of this key; None without one. Takes as long for either."""
    own, found = digest(key), None
    for row in rows:
        if hmac.compare_digest(row["key_sha256"], own):
            found = row
    return found
