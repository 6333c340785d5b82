"""Parts of a policy's texts: writing TOML and cutting it up lose nothing, and comparing finds every change."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making import POLICY
from triage_core.api import policy_shown
from triage_core.desk.worddiff import Side
from triage_core.errors import Conflict, InvalidPolicy
from triage_core.guidance import policy_text, tomltext
from triage_core.guidance.policy_text import Texts
from triage_core.guidance.sections import document

TEXTS = Texts.of(POLICY)
PARTS = policy_text.split(TEXTS)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SINGLE = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
    | st.dates(date(1, 1, 1), date(9999, 12, 31))
)
VALUES = st.recursive(
    SINGLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(document=st.dictionaries(WORDS, VALUES, max_size=5))
def test_what_is_written_as_toml_reads_back_the_same(document: dict[str, Any]) -> None:
    assert tomllib.loads(tomltext.dumps(document)) == document


def test_nothing_else_is_written() -> None:
    for value in (None, object(), float("nan"), {1, 2}):
        with pytest.raises(TypeError):
            tomltext.dumps({"key": value})


def test_joined_parts_are_the_same_policy() -> None:
    again = policy_text.join(PARTS)
    assert policy_text.split(again) == PARTS
    assert policy_text.differences(TEXTS, again) == []
    found = again.parse()
    for name in ("version", "clauses", "clocks", "waiting", "rewards", "products", "severity_table"):
        assert getattr(found, name) == getattr(POLICY, name)


@given(part=st.sampled_from(sorted(PARTS)), words=WORDS)
def test_a_changed_part_is_found_and_nothing_else(part: str, words: str) -> None:
    value = words if isinstance(PARTS[part], str) and part not in policy_text.TABLES else None
    after = policy_text.apply(PARTS, {part: value})
    assert set(policy_text.changed(PARTS, after)) == ({part} if after != PARTS else set())
    if part not in policy_text.TABLES:
        found = policy_text.differences(TEXTS, policy_text.join(after))
        assert {each.part for each in found} <= {part}
    assert policy_text.merge(PARTS, after, {}) == after


def test_differences_name_the_value_and_the_cell() -> None:
    clause = {**PARTS["clause IN-1"], "title": "Another title"}
    waiting = {**PARTS["waiting"], "high_days": 10}
    severity = TEXTS.severity_csv.replace(
        "H0,self,universal,reliable,no,low", "H0,self,universal,reliable,no,none"
    )
    after = policy_text.apply(
        PARTS, {"clause IN-1": clause, "waiting": waiting, "severity.csv": severity, "clause OOS-2": None}
    )
    found = policy_text.differences(TEXTS, policy_text.join(after))
    named = {(each.part, each.place): (each.before, each.after) for each in found}
    assert named.pop(("clause IN-1", "title")) == (POLICY.clause("IN-1").title, "Another title")
    assert named.pop(("waiting", "high_days")) == (14, 10)
    assert named.pop(("severity.csv", "H0, self, universal, reliable, no")) == ("low", "none")
    assert {part for part, _ in named} == {"clause OOS-2"}
    assert all(after is None for _, after in named.values())


def variants(value: Any) -> Iterator[Any]:
    """The value with one value of it changed, each in its turn; a text only in its case."""
    match value:
        case dict():
            yield from ({**value, key: new} for key in value if key != "id" for new in variants(value[key]))
        case [dict(), *_]:
            yield from (
                [*value[:at], new, *value[at + 1 :]]
                for at in range(len(value))
                for new in variants(value[at])
            )
        case list():
            yield from ([*value[:-1], new] for new in variants(value[-1]))
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case date():
            yield value.replace(year=value.year + 1)
        case _:
            yield value.swapcase()


def cells(table: str) -> Iterator[str]:
    """The table with another result in one row, for some of its rows."""
    rows = table.splitlines()
    for at in range(1, len(rows), 60):
        yield "\n".join([*rows[:at], f"{rows[at]}x", *rows[at + 1 :]])


LISTED = ["clause IN-1", *(part for part in PARTS if not policy_text.is_clause(part) and part != "version")]


@pytest.mark.parametrize("part", LISTED)
def test_the_public_page_lists_every_single_difference(part: str) -> None:
    changed = (cells if part in policy_text.TABLES else variants)(PARTS[part])
    for value in changed:
        after = policy_text.join({**PARTS, part: value})
        ((listed,),) = [each.values for each in policy_shown.changes(TEXTS, after)]
        assert [listed.name] == [each.name for each in policy_text.differences(TEXTS, after)]
        left, right = (
            "".join(piece.text for piece in listed.pieces if piece.side is side)
            for side in (Side.LEFT, Side.RIGHT)
        )
        assert left != right, value


def test_two_who_change_the_same_part_are_told() -> None:
    other = policy_text.apply(PARTS, {"title": "Theirs"})
    assert policy_text.merge(PARTS, other, {"contact": "mailto:x@example.org"})["title"] == "Theirs"
    assert policy_text.merge(PARTS, other, {"title": "Theirs"}) == other
    with pytest.raises(Conflict, match="title"):
        policy_text.merge(PARTS, other, {"title": "Mine"})


@pytest.mark.parametrize(
    ("version", "taken", "following"),
    [
        ("2026.1", {"2026.1"}, "2026.2"),
        ("2026.9", {"2026.9", "2026.10"}, "2026.11"),
        ("draft", {"draft"}, "draft2"),
        ("7", set(), "8"),
    ],
)
def test_version_numbers_count_up(version: str, taken: set[str], following: str) -> None:
    assert policy_text.next_version(version, frozenset(taken)) == following


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 50_000,
        "x = 1" + "0" * 5_000,
        "a." * 50_000 + "a = 1",
        "a = {" + "b = {" * 20_000,
        "a = 'x\0'",
    ],
    ids=["nested", "digits", "dots", "inline", "nul"],
)
def test_toml_that_is_made_to_hurt_is_refused(text: str) -> None:
    with pytest.raises(InvalidPolicy):
        document(text, "policy.toml")
