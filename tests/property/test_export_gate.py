"""Whatever state the reports are in: what may not go out is in no byte of any file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.making import (
    EVERYBODY,
    FLAW,
    NOON,
    POLICY,
    REVIEWER,
    Clock,
    bring,
    decide,
    make_report,
    open_store,
)
from triage_core.desk import triage
from triage_core.errors import Refused
from triage_core.exporters.build import ExportRequest, build, build_changed
from triage_core.exporters.folder import FORMATS
from triage_core.exporters.profiles import PROFILES
from triage_core.exporters.request import FORMATS as PLAIN
from triage_core.exporters.request import LAYOUTS
from triage_core.store import Store

EXPECTED = replace(FLAW, clauses=("EXP-1",), inputs=None)
OUT_OF_SCOPE = replace(FLAW, clauses=("OOS-1",), inputs=None)
DECISIONS = {"flaw": FLAW, "expected": EXPECTED, "out_of_scope": OUT_OF_SCOPE}
CONSENTS = ("none", "classifier_only", "any_safety_training", "safety_and_bad_user")
EXPORT_DAY = 10
NEVER = (
    "WRONG",
    "CONTACT",
    "CREDIT",
    "WISHED",
    "SEEN",
    "SESSION",
    "CLAIMED",
    "ACCESS",
    "ELSEWHERE",
    "KEPT",
    "MAIL",
)
"""What is part of no dataset, whoever agreed to what: written beside the conversation, or personal data in it."""
ITS_OWN = ("NAME", "PLATFORM", "MODEL", "RELEASE", "ANSWER", "BETTER")
"""What only this report holds, and goes out with it alone."""


@dataclass(frozen=True)
class State:
    """One report: the days after which its embargo ends (None for none), what its reporter agrees to, and so on."""

    embargo_days: int | None
    consent: str
    decision: str | None
    better: str
    copy_of: int | None
    tlp: str
    test: bool = False


STATES = st.lists(
    st.builds(
        State,
        embargo_days=st.sampled_from([None, None, 1, EXPORT_DAY, EXPORT_DAY + 1, 100]),
        consent=st.sampled_from(CONSENTS),
        decision=st.sampled_from([None, *DECISIONS, *DECISIONS]),
        better=st.sampled_from(["", "draft", "approved"]),
        copy_of=st.one_of(st.none(), st.none(), st.integers(0, 6)),
        tlp=st.sampled_from(["AMBER+STRICT", "AMBER+STRICT", "RED"]),
        test=st.booleans(),
    ),
    min_size=3,
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
        own = {kind: sentinel(kind, number) for kind in (*NEVER, *ITS_OWN)}
        words, mail = (sentinel(kind, text_of(states, number)) for kind in ("PROMPT", "MAIL"))
        turns = [
            {"role": "user", "content": f"Please tell {words} to {mail}@example.org"},
            {"role": "assistant", "content": f"Here is {own['ANSWER']}"},
        ]
        system = {"platform": "PLATFORM", "model": "MODEL", "version": "RELEASE", "access_method": "ACCESS"}
        line = make_report(
            turns=turns,
            system=[{name: own[kind] for name, kind in system.items()}],
            external_id=own["NAME"],
            what_is_wrong=own["WRONG"],
            contact=own["CONTACT"],
            credit_name=own["CREDIT"],
            expected=own["WISHED"],
            actual=own["SEEN"],
            session_id=own["SESSION"],
            policy_clause_claimed=own["CLAIMED"],
            other_systems_tried=[{"platform": own["ELSEWHERE"]}],
            unknown_field=own["KEPT"],
            consent_training=state.consent,
        )
        if state.embargo_days is not None:
            line["embargo_wish"] = (NOON + timedelta(days=state.embargo_days)).isoformat()
        lines.append(line)
    ids = bring(store, *lines)
    for number, (report_id, state) in enumerate(zip(ids, states, strict=True)):
        if state.decision:
            better = sentinel("BETTER", number) if state.better else ""
            decision = replace(
                DECISIONS[state.decision],
                better_answer=better,
                note=sentinel("NOTE", number),
                reproduction_log=sentinel("LOG", number),
            )
            if state.better == "draft":
                triage.assess(store, POLICY, REVIEWER, report_id, decision)
            else:
                decide(store, report_id, decision)
    with store.write(EVERYBODY, "test") as work:
        for report_id, state in zip(ids, states, strict=True):
            work.cursor.execute("UPDATE cases SET tlp = ? WHERE report_id = ?", [state.tlp, report_id])
            if state.test:
                work.cursor.execute("INSERT INTO dataset_splits VALUES (?, 'test')", [report_id])


def everything(folder: Path) -> str:
    """All that stands in the files and in their names, compressed or not."""
    found = []
    for path in folder.rglob("*"):
        found.append(path.relative_to(folder).as_posix())
        if path.is_file():
            found.append(path.read_bytes().decode(errors="replace"))
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            found += [str(table.schema), str(table.to_pylist())]
    return "\n".join(found)


def requests(out: Path) -> list[ExportRequest]:
    """Every profile in every format and layout in which it can be had."""
    found = []
    for profile in PROFILES:
        for format in FORMATS:
            for layout in LAYOUTS:
                with suppress(Refused):  # another tool's format is for one profile and one layout
                    found.append(ExportRequest(profile, out, format, layout))
    return found


@contextmanager
def filled(states: list[State]) -> Iterator[tuple[Store, Path]]:
    """A store with reports in these states on the day of the export, and where datasets may be made."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        store = open_store(Path(folder, "store"), clock)
        try:
            fill(store, states)
            clock.forward(days=EXPORT_DAY)
            yield store, Path(folder, "out")
        finally:
            store.close()


@settings(max_examples=5)
@given(STATES)
def test_no_byte_of_a_refused_report_goes_out(states: list[State]) -> None:
    with filled(states) as (store, out):
        for request in requests(out):
            allowed = {n for n in range(len(states)) if may_go(states, n, request.profile)}
            words = {text_of(states, other) for other in allowed}
            made = build_changed(store, POLICY, EVERYBODY, request)
            if made is None:  # as empty as the one before
                continue
            text = everything(Path(made["folder"]))
            for number in range(len(states)):
                for kind in ITS_OWN:
                    assert number in allowed or sentinel(kind, number) not in text
                if states[number].better == "draft":
                    assert sentinel("BETTER", number) not in text
                for kind in (*NEVER, "NOTE", "LOG"):
                    assert sentinel(kind, number) not in text
                assert number in words or sentinel("PROMPT", number) not in text
            assert made["considered"] == len(states)
            if request.profile == "classifier":  # it takes every decision, so what may go does go, once
                assert made["rows"]["total"] == len(words)


def test_each_reason_holds_and_what_may_go_is_found_in_every_format_and_layout() -> None:
    """Every reason by itself, where random states may miss one; and the search above is blind nowhere."""
    free = State(None, "safety_and_bad_user", "flaw", "approved", None, "AMBER+STRICT")
    kept = [
        replace(free, embargo_days=100),
        replace(free, copy_of=2),
        replace(free, consent="none"),
        replace(free, tlp="RED"),
        replace(free, decision=None),
    ]
    states = [free, replace(free, test=True), *(replace(one, test=True) for one in kept)]
    with filled(states) as (store, out):
        asked = requests(out)
        assert {request.format for request in asked} == set(FORMATS)
        assert {(one.profile, one.format, one.layout) for one in asked if one.format in PLAIN} == set(
            product(PROFILES, PLAIN, LAYOUTS)
        )
        for request in asked:
            text = everything(Path(build(store, POLICY, EVERYBODY, request)["folder"]))
            found = {number for number in range(len(states)) if sentinel("PROMPT", number) in text}
            assert found == ({1} if request.profile == "eval" else {0, 1})
            assert sentinel("PLATFORM", 1) in text
