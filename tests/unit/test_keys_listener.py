"""The listener's own script, run by the Node that comes with Playwright, before a page that is only pretended."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = """
const listeners = [], sent = [];
let heading = { id: "on-desk-FR-1-2" }, dialog = null, card = null;
const choose = (at) => radios.forEach((radio, number) => (radio.checked = number === at));
const radios = [0, 1].map((at) => ({ checked: at === 0, click: () => choose(at) }));
globalThis.document = {
  activeElement: null,
  addEventListener: (_, listener) => listeners.push(listener),
  removeEventListener: (_, listener) => listeners.splice(listeners.indexOf(listener), 1),
  querySelector: (query) => {
    if (query.includes("on-desk")) return heading;
    return query.includes("st-key-choose-") ? card && query.includes(card.of) && card : dialog;
  },
  querySelectorAll: () => radios,
};
const { default: component } = await import("./keys.mjs");
const mount = (data) => component({ data, setStateValue: (_, value) => sent.push(JSON.parse(JSON.stringify(value))) });
const press = (key, more = {}) => {
  const event = { key, target: { tagName: "BODY" }, preventDefault() {}, ...more };
  listeners.forEach((listener) => listener(event));
};
const drawn = {
  report: "FR-1", version: 2, shown: { clause: "OOS-1", undo: 0, mine: false }, handled: 0,
  candidates: [{ other_id: "FR-8" }, { other_id: "FR-9" }], keys: ["j", "0", "d", "save", "up", "down"],
};
"""


@pytest.fixture
def play(tmp_path: Path) -> Any:
    """`play(script)` runs it on the page; gives the last state that was sent, and how many listen."""

    def run(script: str) -> tuple[list[dict[str, Any]], int]:
        (tmp_path / "keys.mjs").write_text((REPOSITORY / "ui" / "assets" / "keys.js").read_text())
        end = "\nconsole.log(JSON.stringify([sent.at(-1) ?? [], listeners.length]));"
        (tmp_path / "page.mjs").write_text(PAGE + script + end)
        node = compute_driver_executable()[0]
        done = subprocess.run([node, tmp_path / "page.mjs"], capture_output=True, text=True, check=True)
        last, listening = json.loads(done.stdout)
        return last, listening

    return run


def test_a_press_names_what_was_on_screen_and_keeps_the_candidate_that_it_saw(play: Any) -> None:
    sent, _ = play("mount(drawn); press('d'); press('ArrowDown'); press('d');")
    assert [(one["n"], one["report"], one["version"]) for one in sent] == [(1, "FR-1", 2), (2, "FR-1", 2)]
    assert [one["shown"]["candidate"]["other_id"] for one in sent] == ["FR-8", "FR-9"]
    assert sent[0]["shown"]["clause"] == "OOS-1"


def test_held_keys_typing_other_keys_and_browser_shortcuts_are_no_press(play: Any) -> None:
    sent, _ = play(
        """mount(drawn);
        press('d', { repeat: true });
        press('j', { target: { tagName: 'TEXTAREA' } });
        press('j', { target: { tagName: 'INPUT', type: 'text' } });
        press('j', { target: { isContentEditable: true } });
        press('j', { ctrlKey: true }); press('d', { altKey: true }); press('d', { metaKey: true });
        press('z'); press('Enter'); press('Tab');
        dialog = {}; press('j');"""
    )
    assert sent == []


def test_a_chosen_radio_has_the_keys_and_a_field_has_the_saving_one(play: Any) -> None:
    sent, _ = play(
        """mount(drawn);
        press('j', { target: { tagName: 'INPUT', type: 'radio' } });
        press('Enter', { ctrlKey: true, target: { tagName: 'TEXTAREA', closest: () => null } });"""
    )
    assert [one["key"] for one in sent] == ["j", "save"]


def test_a_question_to_the_reporter_is_no_decision(play: Any) -> None:
    sent, _ = play(
        """mount(drawn);
        const question = { tagName: 'TEXTAREA', closest: (query) => query.includes('st-key-question-') };
        press('Enter', { ctrlKey: true, target: question });
        press('j', { target: question });"""
    )
    assert sent == []


def test_presses_stay_until_the_server_has_handled_them(play: Any) -> None:
    sent, _ = play("mount(drawn); press('j'); press('0'); mount({ ...drawn, handled: 1 }); press('d');")
    assert [(one["n"], one["key"]) for one in sent] == [(2, "0"), (3, "d")]


def test_before_the_new_data_only_the_new_heading_is_sure(play: Any) -> None:
    sent, _ = play("mount(drawn); heading = { id: 'on-desk-FR-2-1' }; press('0');")
    assert (sent[0]["report"], sent[0]["version"], sent[0]["shown"]) == ("FR-2", 1, {"clause": ""})


@pytest.mark.parametrize(("of", "clause"), [("FR-2-1-", "OOS-1"), ("FR-2-12-", ""), ("FR-1-2-", "")])
def test_before_the_new_data_the_clause_on_screen_counts_for_its_own_report(
    play: Any, of: str, clause: str
) -> None:
    sent, _ = play(
        f"""mount(drawn); heading = {{ id: 'on-desk-FR-2-1' }};
        card = {{ of: 'st-key-choose-{of}', classList: ['element', 'st-key-choose-{of}OOS-1'] }};
        press('0');"""
    )
    assert sent[0]["shown"] == {"clause": clause}


def test_without_a_report_on_screen_nothing_is_sent(play: Any) -> None:
    sent, _ = play("mount(drawn); heading = null; press('0');")
    assert sent == []


def test_one_listener_however_often_it_is_drawn_and_none_afterwards(play: Any) -> None:
    assert play("mount(drawn); mount(drawn); press('j');")[1] == 1
    assert play("mount(drawn); mount(drawn)();")[1] == 0
    sent, listening = play("mount({ ...drawn, handled: 41 }); press('j');")
    assert (sent[0]["n"], listening) == (42, 1)
