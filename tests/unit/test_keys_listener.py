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
const listeners = [], sent = [], kept = [];
const addEventListener = (type, listener) => {
  if (!listeners.some((one) => one.type === type && one.listener === listener)) listeners.push({ type, listener });
};
let heading = { id: "on-desk-FR-1-2" }, dialog = null;
let keys = ["st-key-choose-FR-1-2-OOS-1", "st-key-undo-FR-1-2-7"];
const choose = (at) => radios.forEach((radio, number) => (radio.checked = number === at));
const label = (name) => ({ querySelector: () => ({ textContent: ` ${name} ` }) });
const radios = ["FR-8", "FR-9"].map((name, at) => (
  { checked: at === 0, click: () => choose(at), closest: () => label(name) }
));
globalThis.document = {
  activeElement: null,
  addEventListener,
  querySelector: (query) => (query.includes("on-desk") ? heading : dialog),
  querySelectorAll: (query) => {
    if (query.includes("st-key-candidate-")) return radios;
    const start = query.slice("[class*='".length, -"']".length);
    return keys.filter((key) => key.includes(start)).map((key) => ({ classList: ["element", key] }));
  },
};
globalThis.window = { addEventListener };
globalThis.KeyboardEvent = class { constructor(type, more) { Object.assign(this, { type }, more); } };
let paused = null;
globalThis.setTimeout = (then) => (paused = then);
globalThis.clearTimeout = () => (paused = null);
const { default: component } = await import("./keys.mjs");
const setStateValue = (_, value) => sent.push(JSON.parse(JSON.stringify(value)));
const parentElement = { host: { isConnected: true, dataset: {} } };
// Streamlit calls what a call gives back as soon as newer data have overtaken it, before it calls with those.
const mount = (data) => component({ data, parentElement, setStateValue })?.();
const happen = (event) => listeners.filter((one) => one.type === event.type).forEach((one) => one.listener(event));
const press = (key, more = {}) => {
  happen({ type: "keydown", key, isTrusted: true, target: { tagName: "BODY" }, preventDefault() {}, ...more });
};
const note = {
  tagName: "TEXTAREA", value: "", matches: (query) => query.includes("st-key-note-"), closest: () => null,
  dispatchEvent: (event) => { kept.push(note.value); happen({ ...event, isTrusted: false, target: note }); },
};
const write = (text) => { note.value += text; happen({ type: "input", target: note }); };
const drawn = {
  report: "FR-1", version: 2, shown: { mine: true }, handled: 0,
  candidates: [{ other_id: "FR-8" }, { other_id: "FR-9" }], keys: ["j", "0", "d", "u", "save", "up", "down"],
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
    assert (sent[0]["report"], sent[0]["version"], sent[0]["shown"]) == ("FR-2", 1, {"clause": "", "undo": 0})


@pytest.mark.parametrize(
    ("of", "clause", "undo"), [("FR-2-1-", "OOS-1", 9), ("FR-2-12-", "", 0), ("FR-1-2-", "", 0)]
)
def test_what_the_screen_offers_counts_for_its_own_report_before_the_new_data(
    play: Any, of: str, clause: str, undo: int
) -> None:
    sent, _ = play(
        f"""mount(drawn); heading = {{ id: 'on-desk-FR-2-1' }};
        keys = ['st-key-choose-{of}OOS-1', 'st-key-undo-{of}9']; press('0');"""
    )
    assert sent[0]["shown"] == {"clause": clause, "undo": undo}


def test_the_screen_is_newer_than_the_data_of_the_run_before(play: Any) -> None:
    """The same version drawn again: another last decision, and the candidates in another order."""
    sent, _ = play(
        """mount({ ...drawn, candidates: [{ other_id: 'FR-7' }, { other_id: 'FR-8' }] });
        keys = ['st-key-undo-FR-1-2-8']; press('u'); press('ArrowDown'); press('d');"""
    )
    assert sent[0]["shown"] == {"clause": "", "undo": 8, "mine": True, "candidate": {"other_id": "FR-8"}}
    assert sent[1]["shown"]["candidate"] is None  # the data do not know it yet


def test_without_a_report_on_screen_nothing_is_sent(play: Any) -> None:
    sent, _ = play("mount(drawn); heading = null; press('0');")
    assert sent == []


def test_there_is_one_listener_however_often_it_is_drawn(play: Any) -> None:
    assert play("mount(drawn); mount(drawn);")[1] == play("mount(drawn);")[1] > 0
    assert play("mount({ ...drawn, handled: 41 }); press('j');")[0][0]["n"] == 42


def test_a_key_is_heard_while_a_drawing_is_overtaken_by_the_next(play: Any) -> None:
    sent, _ = play("mount(drawn); press('j'); mount(drawn); press('0');")
    assert [one["key"] for one in sent] == ["j", "0"]


@pytest.mark.parametrize(
    ("used", "scrolled"),
    [("", 1), ("wheel", 0), ("touchmove", 0), ("pointerdown", 0), ("input", 0), ("keydown", 1)],
)
def test_the_next_report_is_read_from_its_beginning_unless_somebody_has_begun_with_it(
    play: Any, used: str, scrolled: int
) -> None:
    """Its data come after its heading; what was done on the report before it, or the last time, does not count."""
    use = "happen({ type: '%s', key: 'z', isTrusted: true, target: { matches: () => false } });"
    counts = play(
        f"""mount(drawn); let times = 0; dialog = {{ scrollTo: () => (times += 1) }};
        {use % "wheel"} heading = {{ id: 'on-desk-FR-2-1' }}; {use % used if used else ""}
        const second = {{ ...drawn, report: 'FR-2' }};
        mount(second); mount(second); const first = times;
        heading = {{ id: 'on-desk-FR-1-2' }}; mount(drawn);
        heading = {{ id: 'on-desk-FR-2-1' }}; mount(second);
        sent.push([first, times - first]);"""
    )[0]
    assert counts == [scrolled, 2]


@pytest.mark.parametrize("then", ["paused();", "happen({ type: 'beforeunload' });"])
def test_a_draft_is_kept_at_a_pause_or_when_the_page_is_left_and_that_saves_no_decision(
    play: Any, then: str
) -> None:
    kept, presses = play(
        f"mount(drawn); write('Half'); write(' a thought'); {then} sent.push([kept, sent.length]);"
    )[0]
    assert (kept, presses) == (["Half a thought"], 0)


def test_no_key_is_heard_on_another_page(play: Any) -> None:
    sent, _ = play("mount(drawn); parentElement.host.isConnected = false; press('j');")
    assert sent == []


@pytest.mark.parametrize("parent", ["{ host: place }", "place"])
def test_a_mark_says_that_keys_are_heard(play: Any, parent: str) -> None:
    """On the element itself, in a shadow tree or not; it is sent here in place of a press."""
    drawing = f"component({{ data: drawn, parentElement: {parent}, setStateValue }});"
    marked = "sent.push(['keys' in place.dataset]);"
    place = "const place = { isConnected: true, dataset: {} };"
    assert play(f"{place} {marked}")[0] == [False]
    assert play(f"{place} {drawing} {marked}")[0] == [True]
