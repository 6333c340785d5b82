"""A clock that tests turn, and a store that goes by it: files that need another one make their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import EVERYBODY, POLICY, Clock
from triage_core.guidance import policies
from triage_core.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """With the policy in force; it must still tell the truth in the end."""
    opened = Store(tmp_path / "store", clock)
    policies.publish(opened, EVERYBODY, POLICY)
    yield opened
    opened.verify()
    opened.close()
