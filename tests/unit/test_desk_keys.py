"""What the desk keeps between runs: presses are answered once, and a late address does not turn it back."""

from __future__ import annotations

from typing import Any

import pytest

from ui import session
from ui.review import keys, place
from ui.review.seen import Seen


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The session's state, and an address that holds what `pick` writes."""
    found: dict[str, Any] = {"address": ""}
    monkeypatch.setattr(place.st, "session_state", found)
    monkeypatch.setattr(session, "picked", lambda _: found["address"])
    monkeypatch.setattr(session, "pick", lambda _, value: found.update(address=value or ""))
    return found


def press(number: int, key: str, report_id: str = "FR-1", version: int = 1) -> dict[str, Any]:
    return {"n": number, "key": key, "report": report_id, "version": version, "shown": {}}


def test_each_press_is_answered_once_and_in_order(state: dict[str, Any]) -> None:
    answered: list[tuple[str, str, int]] = []
    handlers = {
        name: lambda shown, name=name: answered.append((name, shown.report_id, shown.version))
        for name in ("j", "0")
    }
    keys.answer(handlers)
    state["keys"] = {"presses": [press(1, "0"), press(2, "j")]}
    keys.answer(handlers)
    keys.answer(handlers)
    assert answered == [("0", "FR-1", 1), ("j", "FR-1", 1)]
    state["keys"] = {"presses": [press(2, "j"), press(3, "x"), press(4, "0", "FR-2", 7)]}
    keys.answer(handlers)
    assert answered[2:] == [("0", "FR-2", 7)]


def test_what_ended_a_run_does_not_end_the_presses_after_it(state: dict[str, Any]) -> None:
    answered: list[str] = []

    def end_the_run(shown: Seen) -> None:
        answered.append("s")
        raise InterruptedError

    state["keys"] = {"presses": [press(1, "s"), press(2, "j")]}
    handlers = {"s": end_the_run, "j": lambda shown: answered.append("j")}
    with pytest.raises(InterruptedError):
        keys.answer(handlers)
    keys.answer(handlers)
    assert answered == ["s", "j"]


@pytest.mark.parametrize(
    "presses", ["text", [None], [{"n": "1", "key": "j"}], [{"n": 1}], [{"n": 1, "key": "j"}]]
)
def test_what_is_no_press_is_passed_over(state: dict[str, Any], presses: Any) -> None:
    state["keys"] = {"presses": presses}
    keys.answer({"j": lambda shown: pytest.fail("answered")})


def test_the_address_names_the_report_that_is_opened(state: dict[str, Any]) -> None:
    state["address"] = "FR-3"
    assert place.settle(arrived=True) == "FR-3"
    place.put("FR-4")
    assert state["address"] == "FR-4"
    assert place.settle(arrived=False) == "FR-4"


def test_an_address_sent_before_the_desk_changed_never_turns_it_back(state: dict[str, Any]) -> None:
    state["address"] = "FR-3"
    place.settle(arrived=True)
    for moved_to in ("FR-4", "FR-5", "FR-4"):
        place.put(moved_to)
        for late in ("FR-3", "FR-4", "FR-5"):
            state["address"] = late  # as many moves late as a slow machine makes it
            assert place.settle(arrived=False) == moved_to


def test_the_address_is_written_at_each_move_even_when_a_late_one_named_the_same(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str | None] = []
    monkeypatch.setattr(session, "pick", lambda _, value: written.append(value))
    state["address"] = "FR-3"
    place.settle(arrived=True)
    place.put("FR-4")
    place.put("FR-3")  # the request still carries FR-3, the browser is at FR-4 by now
    place.put("FR-3")
    assert written == ["FR-4", "FR-3"]


def test_whoever_comes_from_another_page_or_goes_back_means_the_address(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    state["address"] = "FR-3"
    place.settle(arrived=True)
    place.put("FR-4")
    state["address"] = "FR-3"
    monkeypatch.setattr(place, "_through_history", lambda: True)
    assert place.settle(arrived=False) == "FR-3"
    place.put("FR-4")
    state["address"] = "FR-9"
    monkeypatch.setattr(place, "_through_history", lambda: False)
    assert place.settle(arrived=True) == "FR-9"


def test_an_address_that_names_none_is_filled_in(state: dict[str, Any]) -> None:
    place.put("FR-4")
    state["address"] = ""
    assert place.settle(arrived=False) == "FR-4"
    place.put("FR-4")
    assert state["address"] == "FR-4"
