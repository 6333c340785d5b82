"""Whatever stands in any place of another tool's file, it is a report or a refusal, and never an exception."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scanner_files import INIT, SCORE, SETUP, attempt, eval_of, hit, piece, result
from triage_core import importers
from triage_core.errors import Refused
from triage_core.model import FlawReport

HISTORY = {
    "messages": [{"role": "user", "content": "a"}],
    "redteamHistory": [{"prompt": "a", "output": "b"}],
}
OLD = attempt(
    prompt="a", messages=[[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]] * 2
)
del OLD["conversations"]
FILES: dict[str, list[Any]] = {
    "garak-hitlog": [hit()],
    "garak-report": [SETUP, INIT, attempt(), OLD],
    "promptfoo": [result(), result(response={"output": "x", "metadata": HISTORY}), eval_of(result())],
    "pyrit": [[piece(0, "user", "a"), piece(1, "assistant", "b", scores=[SCORE])]],
}
ODD = [
    json.loads("[" * 300 + "]" * 300),
    json.loads('{"text":' * 300 + "1" + "}" * 300),
    "[{",
    "\ud800",
    10**30,
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(ODD),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["role", "content", "text", "turns", "results"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside of this one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for name, one in inner for way in ((*path, name), *places(one, (*path, name)))]


@pytest.mark.parametrize("format", FILES)
@given(data=st.data())
def test_any_value_in_any_place_is_read_or_refused(format: str, data: st.DataObject) -> None:
    for row in FILES[format]:
        changed = copy.deepcopy(row)
        *way, last = data.draw(st.sampled_from(places(changed)))
        holder: Any = changed
        for name in way:
            holder = holder[name]
        holder[last] = data.draw(VALUES)
        stream = io.BytesIO(json.dumps(changed).encode())
        for number, outcome in importers._READERS[importers.Format(format)](stream):
            assert number >= 1
            assert isinstance(outcome, FlawReport | Refused)
