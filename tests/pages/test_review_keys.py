"""Review: the keys, and that a press acts on the report which it saw."""

from __future__ import annotations

import json

import pytest

from tests.pages.conftest import EVERYTHING, toasts
from tests.pages.reviewing import SEVERE, press
from triage_core.desk import looks, triage
from triage_core.desk.decision import Decision
from ui.review import desk, keys, seen


def test_every_key_has_one_meaning_and_the_table_is_shown(visit, three):
    names = [key.name for key in keys.KEYS]
    assert len(set(names)) == len(names)
    assert set(desk.READING) | set(desk.DECIDING) | {"up", "down"} == set(names)
    screen = press(visit("review"), "Keys")
    assert list(screen.dataframe[-1].value["key"]) == [key.printed for key in keys.KEYS]
    widths = json.loads(screen.dataframe[-1].proto.columns)
    pixels = 7 * max(len(key.does) for key in keys.KEYS)  # no line is cut off
    assert widths["does"]["width"] >= pixels


@pytest.mark.parametrize(
    "press_",
    [
        None,
        {},
        {"report": 3, "version": 1, "shown": {}},
        {"report": "FR-1", "version": "1", "shown": {}},
        {"report": "FR-1", "version": 1, "shown": []},
    ],
)
def test_what_is_no_press_is_passed_over(press_):
    assert seen.from_press(press_) is None


def test_a_press_says_what_was_seen():
    pairing = seen.Pairing("FR-1", "FR-2", 4, "FR-1", 0.9)
    shown = {"clause": "EXP-1", "undo": 7, "mine": True, "candidate": seen.offer(pairing)}
    found = seen.from_press({"n": 1, "key": "d", "report": "FR-2", "version": 4, "shown": shown})
    assert found == seen.Seen("FR-2", 4, pairing, "EXP-1", 7, True)
    assert seen.from_press({"report": "FR-2", "version": 4, "shown": {}}) == seen.Seen("FR-2", 4)


def hear(screen, *presses: dict[str, object]):
    """A run for what the listener has sent: it keeps every press in its state until it is answered."""
    screen.session_state["keys"] = {"presses": list(presses)}
    return screen.run()


def heard(number: int, key: str, report_id: str, version: int = 1, **shown: object) -> dict[str, object]:
    return {"n": number, "key": key, "report": report_id, "version": version, "shown": shown}


def test_a_press_acts_on_the_report_that_it_saw_and_once(visit, advised, case):
    screen = visit("review", report=advised)
    closing = heard(1, "0", advised, clause="OOS-1")
    screen = hear(screen, closing)
    assert (case(advised)["resolution"], case(advised)["version"]) == ("out_of_scope", 2)
    assert not screen.header, "it was the last of the queue"
    hear(screen, closing)
    assert case(advised)["version"] == 2


def test_a_second_press_on_what_is_gone_from_the_screen_changes_nothing_and_says_why(visit, advised, case):
    screen = visit("review", report=advised)
    screen = hear(screen, heard(1, "0", advised, clause="OOS-1"), heard(2, "s", advised))
    assert (
        "FR-3 was changed by demo:reviewer (04 Nov 2026 12:00 UTC) while you looked at it: assessed,"
        " state new → out of scope, severity not assessed → none" in toasts(screen)
    )
    assert case(advised)["snoozed_until"] is None


def test_keys_choose_the_harm_and_save(visit, three, case):
    screen = hear(visit("review", report=three[0]), heard(1, "3", three[0], clause="IN-2"))
    assert screen.get_by_key(f"harm-{three[0]}-1").value == "H3"
    assert screen.multiselect(key=f"clauses-{three[0]}-1").value == ["IN-2"]
    for name, level in SEVERE.items():
        screen.get_by_key(f"{name}-{three[0]}-1").set_value(level)
    screen.run()
    hear(screen, heard(1, "3", three[0]), heard(2, "save", three[0]))
    assert case(three[0])["severity"] == "high"


def test_keys_of_the_pair_use_the_candidate_that_was_highlighted(visit, three, case):
    candidate = {"other_id": three[1], "child_id": three[0], "child_version": 1, "target_id": three[1]}
    screen = visit("review", report=three[0])
    screen = hear(screen, heard(1, "d", three[0]))
    assert "no candidate is highlighted" in toasts(screen)
    hear(screen, heard(2, "d", three[0], candidate={**candidate, "score": 0.9}))
    assert case(three[0])["canonical_id"] == three[1]


def test_other_roles_have_no_deciding_keys(visit, three, case):
    hear(visit("review", role="Policy owner", report=three[0]), heard(1, "s", three[0]))
    assert case(three[0])["version"] == 1


def test_a_second_opinion_is_asked_for_by_key_and_once(visit, three, opened):
    triage.assess(opened.store, opened.policy, EVERYTHING, three[0], Decision(("EXP-1",)))
    screen = hear(visit("review", report=three[0]), heard(1, "f", three[0], 2))
    assert "waits for a second opinion" in toasts(screen)
    press(screen, "Second opinion")
    with opened.store.read() as cursor:
        assert [look["report_id"] for look in looks.mine(cursor, "somebody else")] == [three[0]]


def test_nobody_asks_for_a_second_opinion_before_there_is_a_first(visit, three):
    screen = hear(visit("review", report=three[0]), heard(1, "f", three[0]))
    assert "nobody has decided" in toasts(screen)


def test_presses_that_carry_an_older_address_go_on_from_where_the_desk_is(visit, three):
    screen = visit("review", report=three[0])
    pressed: list[dict[str, object]] = []
    for name, on_desk in (("j", 1), ("j", 2), ("k", 1), ("3", 1)):
        pressed.append({"n": len(pressed) + 1, "key": name, "report": three[0], "version": 1, "shown": {}})
        screen.query_params["report"] = three[0]  # the browser has not heard of any move yet
        screen = hear(screen, *pressed)
        assert three[on_desk] in screen.header[0].value
        if name != "3":
            assert screen.query_params["report"] == three[on_desk]
    screen = press(screen, "Previous")
    assert screen.get_by_key(f"harm-{three[0]}-1").value == "H3", (
        "the report that was on screen at that press"
    )
