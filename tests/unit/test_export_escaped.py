"""Texts as JSON strings: as the standard library writes them, with numba and without."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.source import REPOSITORY
from tests.hostile_corpus import HOSTILE
from triage_core.exporters.arrays import TEXT
from triage_core.exporters.escaped import escaped


@given(st.lists(st.text(), max_size=6), st.integers(0, 3))
def test_a_text_is_written_as_the_standard_library_writes_it(texts: list[str], start: int) -> None:
    found = escaped(pa.array(texts, TEXT)[start:])
    assert found.to_pylist() == [json.dumps(text) for text in texts[start:]]


@pytest.mark.parametrize("odd", ['"', "\n", "\x7f", "ü", "\U0001f600"])
def test_one_character_in_a_long_text_is_written_as_such_wherever_it_stands(odd: str) -> None:
    texts = [f"{'a' * before}{odd}{'z' * after}" for before in range(70) for after in (0, 1, 31, 64)]
    assert escaped(pa.array(texts, TEXT)).to_pylist() == [json.dumps(text) for text in texts]


def test_without_numba_it_is_the_same() -> None:
    program = """
import json, sys
import pyarrow as pa
from tests.hostile_corpus import HOSTILE
from triage_core.exporters.escaped import escaped
from triage_core.likeness import kernels
assert not kernels.COMPILED
print(json.dumps(escaped(pa.array(list(HOSTILE.values()), pa.large_string())).to_pylist()))
"""
    first = 'import sys; sys.modules["numba"] = None'
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", first + program],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == [json.dumps(text) for text in HOSTILE.values()]
