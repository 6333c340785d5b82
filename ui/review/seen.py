"""What stood on screen when a key or a button was pressed: commands are given for that, and for nothing newer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Pairing:
    """The highlighted candidate, and what marking the pair as duplicates would do to which version."""

    other_id: str
    child_id: str
    child_version: int
    target_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The report on the desk in the version that was shown, and what the bar and the panel offered beside it.

    `clause` is the advised clause, `undo` the number of the event that Undo names (0: none), `mine`
    whether the person's own claim was shown.
    """

    report_id: str
    version: int
    pairing: Pairing | None = None
    clause: str = ""
    undo: int = 0
    mine: bool = False

    def offered(self) -> dict[str, Any]:
        """The part that the listener gives back with a press; the rest it reads from the screen."""
        return {"mine": self.mine}


def offer(pairing: Pairing) -> dict[str, Any]:
    """A candidate as the listener gives it back."""
    return asdict(pairing)


def from_press(press: Any) -> Seen | None:
    """What a press of the listener saw; None when it is not a press. What it names is checked by the command."""
    match press:
        case {"report": str(report_id), "version": int(version), "shown": dict(shown)}:
            return Seen(
                report_id,
                version,
                _pairing(shown.get("candidate")),
                str(shown.get("clause") or ""),
                int(shown.get("undo") or 0),
                bool(shown.get("mine")),
            )
    return None


def _pairing(candidate: Any) -> Pairing | None:
    match candidate:
        case {
            "other_id": str(other_id),
            "child_id": str(child_id),
            "child_version": int(child_version),
            "target_id": str(target_id),
            "score": float() | int() as score,
        }:
            return Pairing(other_id, child_id, child_version, target_id, score)
    return None
