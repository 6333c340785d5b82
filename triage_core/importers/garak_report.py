"""garak's report.jsonl: an attempt, one prompt with its answers, becomes one report if any answer was a hit.

The first such answer is the report's; how many there were are its tries and successes. Attempts are written
twice, before and after the detectors; only the second has scores. Other lines are of the run, and give the
name of the generator and the threshold, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.contents import Turns
from triage_core.importers.jsonfile import named, objects
from triage_core.model import FlawReport, TurnRole

BEGINS = re.compile(rb'\{"entry_type": ?"')
THRESHOLD = 0.5
"""From which score on an answer is a hit, where the run says nothing else; as garak's own default."""
_COMPLETE = 2


def records(stream: BinaryIO) -> Iterator[tuple[int, FlawReport | Refused]]:
    """Each attempt with a hit and each line that is refused, with the number of the line."""
    system, threshold = toolreport.system(""), THRESHOLD
    for number, row in objects(stream):
        if isinstance(row, Refused):
            yield number, row
            continue
        match row.get("entry_type"):
            case "start_run setup":
                system, threshold = _system(row), _threshold(row)
            case "attempt":
                try:
                    found = _report(row, system, threshold)
                except InvalidReport as error:
                    yield number, error
                else:
                    if found is not None:
                        yield number, found
            case str():
                pass
            case _:
                yield number, InvalidReport("entry_type", "must say what the line is, as garak writes it")


def _system(setup: Mapping[str, Any]) -> dict[str, str]:
    family, model = (
        setup.get(f"plugins.target_{part}", setup.get(f"plugins.model_{part}")) for part in ("type", "name")
    )
    return toolreport.system(family, model)


def _threshold(setup: Mapping[str, Any]) -> float:
    said = setup.get("run.eval_threshold")
    return said if isinstance(said, int | float) and 0 < said <= 1 else THRESHOLD


def _report(row: dict[str, Any], system: Mapping[str, str], threshold: float) -> FlawReport | None:
    status = row.get("status")
    if not isinstance(status, int):
        raise InvalidReport("status", "must be 0, 1 or 2")
    if status != _COMPLETE:
        return None
    # Aggregated reports of older versions have one id for all of their attempts.
    parts = [named(row, name) for name in ("uuid", "probe_classname", "seq")]
    scores = _scores(row)
    hits = {
        name: [at for at, score in enumerate(some) if _is_hit(score, threshold)]
        for name, some in scores.items()
    }
    scored = {
        name: [at for at, score in enumerate(some) if score is not None] for name, some in scores.items()
    }
    places = {at for some in hits.values() for at in some}
    if not places:
        return None
    flagged = [f"{name} ({len(hits[name])} of {len(scored[name])})" for name in sorted(hits) if hits[name]]
    said = {"Probe": parts[1], "Detectors": ", ".join(flagged), "Goal": row.get("goal")}
    return toolreport.report(
        toolreport.name_of("garak", *parts),
        _conversation(row, min(places), max(map(len, scores.values()))),
        toolreport.found_by("garak", said),
        system,
        session_id=parts[0],
        tries=len({at for some in scored.values() for at in some}),
        successes=len(places),
    )


def _is_hit(score: float | None, threshold: float) -> bool:
    return score is not None and score >= threshold


def _scores(row: Mapping[str, Any]) -> dict[str, list[float | None]]:
    results = row.get("detector_results")
    sound = isinstance(results, dict) and all(
        isinstance(scores, list) and all(score is None or isinstance(score, int | float) for score in scores)
        for scores in results.values()
    )
    if not sound:
        raise InvalidReport("detector_results", "must have a list of numbers, or null, for each detector")
    return dict(results or {})


def _conversation(row: Mapping[str, Any], at: int, answers: int) -> Turns:
    """The turns up to the answer with this place among those that got scores."""
    every: list[tuple[Turns, int]] = []
    last: list[tuple[Turns, int]] = []
    for said in _conversations(row):
        answered = [to for to, turn in enumerate(said) if turn["role"] == TurnRole.ASSISTANT]
        every += [(said, to) for to in answered]
        last += [(said, to) for to in answered[-1:]]
    # Until 0.12 each answer of a conversation got a score, since then the last one of each conversation.
    places = every if len(last) != answers == len(every) else last
    if at >= len(places):
        raise InvalidReport("detector_results", "must not have more scores than the attempt has answers")
    said, to = places[at]
    return said[: to + 1]


def _conversations(row: Mapping[str, Any]) -> list[Turns]:
    for name in ("conversations", "messages"):  # `messages` until 0.12
        told = row.get(name)
        if isinstance(told, list) and told and all(_is_conversation(one) for one in told):
            return [contents.turns(one, name) for one in told]
    outputs = row.get("outputs")
    if not isinstance(outputs, list):
        raise InvalidReport("outputs", "must be a list")
    return [[*contents.turns(row.get("prompt"), "prompt"), contents.answer(output)] for output in outputs]


def _is_conversation(told: object) -> bool:
    return isinstance(told, list) or (isinstance(told, dict) and "turns" in told)
