"""What reviewers decided about pairs: these two belong together, those two never do.

Decisions hold for ever and imply others: what must go together forms a component, and a decision
that two rows never meet holds for their whole components, including rows that have not arrived yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from triage_core.errors import Conflict


class Constraints:
    """Must-links and cannot-links between rows, closed under what they imply."""

    def __init__(self, must: Iterable[tuple[int, int]] = (), cannot: Iterable[tuple[int, int]] = ()) -> None:
        self._component: dict[int, int] = {}
        self._members: dict[int, set[int]] = {}
        self._foes: dict[int, set[int]] = {}
        for a, b in must:
            self.must(a, b)
        for a, b in cannot:
            self.cannot(a, b)

    def must(self, a: int, b: int) -> None:
        """The two rows belong together. Raises Conflict when a cannot-link says otherwise."""
        first, second = sorted((self._touch(a), self._touch(b)))
        if first == second:
            return
        if second in self._foes[first]:
            raise Conflict("must_link", f"rows {a} and {b} were decided to be different")
        for row in self._members[second]:
            self._component[row] = first
        self._members[first] |= self._members.pop(second)
        for foe in self._foes.pop(second):
            self._foes[foe].discard(second)
            self._foes[foe].add(first)
            self._foes[first].add(foe)

    def cannot(self, a: int, b: int) -> None:
        """The two rows never share a cluster. Raises Conflict when must-links put them together."""
        first, second = self._touch(a), self._touch(b)
        if first == second:
            raise Conflict("cannot_link", f"rows {a} and {b} were decided to be the same")
        self._foes[first].add(second)
        self._foes[second].add(first)

    def __contains__(self, row: int) -> bool:
        return row in self._component

    def together(self, row: int) -> frozenset[int]:
        """The rows that belong with this one, itself included."""
        if row not in self._component:
            return frozenset((row,))
        return frozenset(self._members[self._component[row]])

    def may_meet(self, rows: Iterable[int]) -> bool:
        """Whether these rows may all share one cluster."""
        present = {self._component[row] for row in rows if row in self._component}
        return not any(self._foes[component] & present for component in present)

    def rows(self) -> frozenset[int]:
        """Every row that some decision names."""
        return frozenset(self._component)

    def _touch(self, row: int) -> int:
        if row < 0:
            raise ValueError(f"row: {row} is not a row")
        if row not in self._component:
            self._component[row] = row
            self._members[row] = {row}
            self._foes[row] = set()
        return self._component[row]
