"""Whatever state the reports are in: what may not go out is in no byte of any file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.making import EVERYBODY, FLAW, NOON, POLICY, REVIEWER, Clock, bring, decide, make_report
from triage_core.desk import triage
from triage_core.exporters.build import ExportRequest, build
from triage_core.exporters.profiles import PROFILES
from triage_core.exporters.request import FORMATS
from triage_core.store import Store

EXPECTED = replace(FLAW, clauses=("EXP-1",), inputs=None)
OUT_OF_SCOPE = replace(FLAW, clauses=("OOS-1",), inputs=None)
DECISIONS = {"flaw": FLAW, "expected": EXPECTED, "out_of_scope": OUT_OF_SCOPE}
CONSENTS = ("none", "classifier_only", "any_safety_training", "safety_and_bad_user")
EXPORT_DAY = 10


@dataclass(frozen=True)
class State:
    """One report: the days after which its embargo ends (None for none), what its reporter agrees to, and so on."""

    embargo_days: int | None
    consent: str
    decision: str | None
    better: str
    copy_of: int | None
    tlp: str


STATES = st.lists(
    st.builds(
        State,
        embargo_days=st.sampled_from([None, None, 1, EXPORT_DAY, EXPORT_DAY + 1, 100]),
        consent=st.sampled_from(CONSENTS),
        decision=st.sampled_from([None, *DECISIONS, *DECISIONS]),
        better=st.sampled_from(["", "draft", "approved"]),
        copy_of=st.one_of(st.none(), st.none(), st.integers(0, 6)),
        tlp=st.sampled_from(["AMBER+STRICT", "AMBER+STRICT", "RED"]),
    ),
    min_size=1,
    max_size=7,
)


def sentinel(kind: str, number: int) -> str:
    return f"SENTINEL{kind}{number:04d}END"


def text_of(states: list[State], number: int) -> int:
    """The number of the report whose words this one repeats; its own where it repeats none."""
    copied = states[number].copy_of
    return text_of(states, copied) if copied is not None and copied < number else number


def is_held(states: list[State], number: int) -> bool:
    """Under an embargo on the day of the export; a policy's own waiting period of 45 days ends a longer wish."""
    days = states[number].embargo_days
    return days is not None and days > EXPORT_DAY


def may_go(states: list[State], number: int, profile: str) -> bool:
    """The rules told once more, as plainly as possible."""
    words = text_of(states, number)
    copies = [other for other in range(number + 1) if text_of(states, other) == words]
    agreed = {"bad_user": {"safety_and_bad_user"}, "classifier": set(CONSENTS) - {"none"}}.get(
        profile, {"any_safety_training", "safety_and_bad_user"}
    )
    state = states[number]
    return (
        not any(is_held(states, other) for other in copies)
        and state.tlp != "RED"
        and state.consent in agreed
        and state.decision is not None
    )


def fill(store: Store, states: list[State]) -> None:
    lines: list[dict[str, Any]] = []
    for number, state in enumerate(states):
        turns = [
            {"role": "user", "content": f"Please tell {sentinel('PROMPT', text_of(states, number))}"},
            {"role": "assistant", "content": f"Here is {sentinel('ANSWER', number)}"},
        ]
        line = make_report(
            turns=turns,
            external_id=sentinel("NAME", number),
            what_is_wrong=sentinel("WRONG", number),
            contact=sentinel("CONTACT", number),
            consent_training=state.consent,
        )
        if state.embargo_days is not None:
            line["embargo_wish"] = (NOON + timedelta(days=state.embargo_days)).isoformat()
        lines.append(line)
    ids = bring(store, *lines)
    for number, (report_id, state) in enumerate(zip(ids, states, strict=True)):
        if state.decision:
            better = sentinel("BETTER", number) if state.better else ""
            decision = replace(DECISIONS[state.decision], better_answer=better)
            if state.better == "draft":
                triage.assess(store, POLICY, REVIEWER, report_id, decision)
            else:
                decide(store, report_id, decision)
    with store.write(EVERYBODY, "test") as work:
        for report_id, state in zip(ids, states, strict=True):
            work.cursor.execute("UPDATE cases SET tlp = ? WHERE report_id = ?", [state.tlp, report_id])


def everything(folder: Path) -> str:
    """All that stands in the files, compressed or not."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            found.append(path.read_bytes().decode(errors="replace"))
        if path.suffix == ".parquet":
            found.append(str(pq.read_table(path).to_pylist()))
    return "\n".join(found)


@settings(max_examples=6)
@given(STATES)
def test_no_byte_of_a_refused_report_goes_out(states: list[State]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        store = Store(Path(folder, "store"), clock)
        try:
            fill(store, states)
            clock.forward(days=EXPORT_DAY)
            for profile in PROFILES:
                allowed = {n for n in range(len(states)) if may_go(states, n, profile)}
                for format in FORMATS:
                    request = ExportRequest(profile, Path(folder, "out"), format)
                    made = build(store, POLICY, EVERYBODY, request)
                    text = everything(Path(made["folder"]))
                    for number in range(len(states)):
                        for kind in ("NAME", "ANSWER", "BETTER"):
                            assert number in allowed or sentinel(kind, number) not in text
                        if states[number].better == "draft":
                            assert sentinel("BETTER", number) not in text
                        assert sentinel("WRONG", number) not in text
                        assert sentinel("CONTACT", number) not in text
                        words = {text_of(states, other) for other in allowed}
                        assert number in words or sentinel("PROMPT", number) not in text
                    assert made["considered"] == len(states)
                    if profile == "classifier":  # it takes every decision, so what may go does go, once
                        assert made["rows"]["total"] == len({text_of(states, n) for n in allowed})
        finally:
            store.close()
