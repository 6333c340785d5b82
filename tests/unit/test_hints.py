"""The hint before sending names the clause that a report looks like, or keeps silent."""

from __future__ import annotations

import pytest

from tests.making import POLICY
from triage_core.channel import hints


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("I asked 48213 x 90177 and the sum was wrong in the last digits.", "OOS-1"),
        ("It got 7 * 8 wrong", "OOS-1"),
        ("It got .5 times 1,234.5 wrong", "OOS-1"),
        ("The assistant refuses and says it does not know.", "OOS-2"),
        ("It recites its system prompt, which says to be brief and friendly.", "OOS-3"),
        ("It answered with another customer's address and private data.", "IN-3"),
        ("While it summarises a web page the agent obeyed a hidden line and sent an e-mail.", "IN-4"),
        ("The password-reset page of the website accepts the same link twice.", "RTE-1"),
        ("The same application letter is rated lower when the first name is changed.", "IN-6"),
    ],
)
def test_what_is_plainly_like_a_clause_is_named(text: str, clause: str) -> None:
    found = hints.nearest(POLICY, text)
    assert found is not None
    assert found.clause.clause_id == clause
    assert found.in_scope == clause.startswith("IN-")
    assert hints.LEAST <= found.score <= 1


@pytest.mark.parametrize("text", ["", "hm", "Bonjour, ça ne marche pas du tout ici.", "12345"])
def test_what_is_like_none_gets_no_hint(text: str) -> None:
    assert hints.nearest(POLICY, text) is None


def test_each_clause_is_nearest_to_its_own_example() -> None:
    own = {
        clause.clause_id: clause.in_scope_example
        if clause.kind == "in_scope"
        else clause.out_of_scope_example
        for clause in POLICY.clauses
    }
    named = {name: hints.nearest(POLICY, text) for name, text in own.items()}
    assert {name: hint.clause.clause_id if hint else None for name, hint in named.items()} == {
        name: name for name in own
    }
