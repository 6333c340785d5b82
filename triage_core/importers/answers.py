"""Better answers from JSON Lines: {"report" or "external_id", "answer", "turn"}, one a line; `turn` may be left out.

bring(store, actor, file, refuse=tell)    # {"received": 3, "written": 1, "unchanged": 1, "refused": 1}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from triage_core import access
from triage_core.access import Command
from triage_core.channel.jsontext import decode
from triage_core.desk import answers, preferred, triage
from triage_core.errors import InvalidReport, Refused
from triage_core.importers.lines import each
from triage_core.model import Actor
from triage_core.store import Store

_KEYS = frozenset({"report", "external_id", "answer", "turn"})


@dataclass(frozen=True, slots=True)
class Line:
    """One answer for one report, of which exactly one name is given; `turn` counts from 1, None for the last."""

    report: str
    external_id: str
    answer: str
    turn: int | None


def bring(
    store: Store,
    actor: Actor,
    stream: BinaryIO,
    *,
    alone: bool = False,
    refuse: Callable[[int, str], object],
    told: Callable[[int], object] = lambda received: None,
) -> dict[str, int]:
    """Write the answers of a file, line by line; `refuse` hears which line is refused and why, and the rest goes on.

    They are drafts of the actor until somebody else approves them, or approved at once for whoever may do so `alone`.
    A second time adds nothing. `told` hears how many lines have been read. Raises NotAllowed for who may not write any.
    """
    access.require(actor, Command.WRITE_ANSWER)
    done = {"received": 0, "written": 0, "unchanged": 0, "refused": 0}
    for number, line in read(stream):
        done["received"] += 1
        try:
            if isinstance(line, Refused):
                raise line
            written = _write(store, actor, line, alone)
        except Refused as error:
            done["refused"] += 1
            refuse(number, str(error))
        else:
            done["written" if written else "unchanged"] += 1
        told(done["received"])
    return done


def _write(store: Store, actor: Actor, line: Line, alone: bool) -> bool:
    with store.read() as cursor:
        find = triage.find if line.report else triage.find_external
        report_id = find(cursor, line.report or line.external_id)
        before = preferred.in_force(cursor, report_id)
    after = answers.write(store, actor, report_id, line.answer, turn=line.turn, alone=alone)
    return not after.same(before)


def read(stream: BinaryIO) -> Iterator[tuple[int, Line | Refused]]:
    """Each line that is not blank with its number, parsed or refused."""
    return each(stream, _parsed)


def _parsed(line: bytes) -> Line | Refused:
    try:
        found = decode(line)  # of two names, the standard library takes the last one in silence
    except InvalidReport as error:
        return Refused("line" if error.field == "body" else error.field, error.rule)
    if not isinstance(found, dict):
        return Refused("line", "must be one JSON object")
    if unknown := sorted(found.keys() - _KEYS):
        return Refused("line", f"takes {', '.join(sorted(_KEYS))}; not {unknown[0]!r}")
    for name in ("report", "external_id", "answer"):
        if not isinstance(found.get(name, ""), str):
            return Refused(name, "must be text")
    report, external_id = found.get("report", ""), found.get("external_id", "")
    if bool(report) == bool(external_id):
        return Refused("report", "name the report by either report or external_id")
    turn = found.get("turn")
    if turn is not None and (isinstance(turn, bool) or not isinstance(turn, int)):
        return Refused("turn", "must be a whole number, counted from 1")
    return Line(report, external_id, found.get("answer", ""), turn)
