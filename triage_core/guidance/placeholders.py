"""What stands in a new clause until its owner writes the words: nothing that holds it is published."""

from __future__ import annotations

from triage_core.errors import InvalidPolicy
from triage_core.guidance.policy import Policy

MARK = "To be written:"
TEXTS = ("title", "text", "in_scope_example", "out_of_scope_example")


def check(policy: Policy) -> None:
    """Return when every clause is written; else raise InvalidPolicy naming the first text that still holds MARK."""
    for clause in policy.clauses:
        for name in TEXTS:
            if MARK in getattr(clause, name):
                rule = f"still holds {MARK!r}: put it into words of your own, and take that away"
                raise InvalidPolicy(f"clause {clause.clause_id} {name}", rule)
