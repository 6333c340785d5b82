"""What the environment sets, and what it may not."""

from __future__ import annotations

import pytest

from triage_core.errors import Refused
from triage_core.settings import Settings, from_environment


def test_an_empty_environment_leaves_the_defaults() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"FLAWDESK_CLOSE_READING": ""}).close_reading == 4_000


def test_the_limit_of_close_reading_is_a_number_that_a_machine_can_hold() -> None:
    assert from_environment({"FLAWDESK_CLOSE_READING": "8000"}).close_reading == 8_000
    for wrong in ("20001", "-1", "1e3", "all"):
        with pytest.raises(Refused) as refused:
            from_environment({"FLAWDESK_CLOSE_READING": wrong})
        assert str(refused.value) == f"FLAWDESK_CLOSE_READING: a whole number from 0 to 20,000, not '{wrong}'"


def test_a_memory_in_which_no_database_works_is_refused() -> None:
    assert from_environment({"FLAWDESK_DATABASE_MIB": "64"}).database_mib == 64
    for wrong in ("1", "16", "63"):  # gigabytes, it seems
        with pytest.raises(Refused) as refused:
            from_environment({"FLAWDESK_DATABASE_MIB": wrong})
        assert str(refused.value) == f"FLAWDESK_DATABASE_MIB: 0, or at least 64 (MiB), not {wrong}"
