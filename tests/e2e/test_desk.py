"""The reviewer's desk by keys, in a real browser: what is decided is what was on screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TooLate

from benchmarks import desk_keys
from tests.browser import Server, running_server, wait_until_settled
from triage_core import control
from ui.words import SEVERITY_INPUTS

pytestmark = pytest.mark.browser

CHOSEN = "[aria-checked='true'], [aria-pressed='true'], [kind$='Active']"
SLOW_MS = 90_000  # the worker reads the reports first, on a machine that may be busy


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on sixty reports in families of three."""
    folder = tmp_path_factory.mktemp("desk")
    desk_keys.fill(folder)
    with running_server(folder) as server:
        yield server


def open_desk(page: Page, server: Server, report_id: str) -> Locator:
    """Review with this report on the desk; gives its heading."""
    page.goto(f"{server.url}/review?report={report_id}&sort=Oldest%20first")
    heading = page.get_by_role("heading", name=report_id, exact=True)
    heading.wait_for(timeout=SLOW_MS)
    page.locator("[class*='st-key-candidate-']").wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    page.locator("[data-keys]").wait_for(state="attached", timeout=SLOW_MS)
    return heading


def said(page: Page, words: str) -> None:
    page.get_by_test_id("stToast").filter(has_text=re.compile(words)).first.wait_for()


def test_the_bar_stands_at_the_foot_of_the_window(desk: Server, page: Page) -> None:
    open_desk(page, desk, "FR-2")
    bar = page.get_by_role("button", name="Save decision")
    expect(page.get_by_test_id("stBottomBlockContainer")).to_have_css("padding-bottom", "15px")
    box, window = bar.bounding_box(), page.viewport_size
    assert box is not None
    assert window is not None
    assert window["height"] - box["y"] - box["height"] < 40, "no more of the window is left free"


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1440, 900)])
def test_a_laptop_shows_all_that_a_decision_needs(desk: Server, page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_desk(page, desk, "FR-2")
    bar = page.get_by_test_id("stBottom").bounding_box()
    needed = {"conversation": page.get_by_test_id("stCode").first}
    needed |= {
        name: page.locator(f"[class*='st-key-{name}-FR-2-']").first
        for name in ("candidate", "clauses", *SEVERITY_INPUTS, "exploitation")
    }
    assert bar is not None
    for name, element in needed.items():
        box = element.bounding_box()
        assert box is not None, name
        # Of a conversation the beginning is enough: more than its first line.
        foot = box["y"] + (min(box["height"], 60) if name == "conversation" else box["height"])
        assert 0 <= box["y"] < foot <= bar["y"], f"{name} is in view"
    save = page.get_by_role("button", name="Save decision").bounding_box()
    assert save is not None
    assert bar["y"] <= save["y"] < save["y"] + save["height"] <= height


def test_one_reviews_with_keys_alone(desk: Server, page: Page, screenshot: Callable[[str], None]) -> None:
    heading = open_desk(page, desk, "FR-2")
    screenshot("review-1440")
    page.keyboard.press("j")
    page.get_by_role("heading", name="FR-3", exact=True).wait_for()
    wait_until_settled(page)
    page.keyboard.press("k")
    heading.wait_for()
    wait_until_settled(page)
    page.keyboard.press("3")
    expect(page.locator(".st-key-harm-FR-2-1").locator(CHOSEN)).to_have_text("H3", timeout=SLOW_MS)
    page.keyboard.press("l")
    page.get_by_text(re.compile("Claimed by you")).wait_for()  # the message says "is claimed"
    page.keyboard.press("h")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("j")  # a dialog has the keys to itself
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    heading.wait_for()
    wait_until_settled(page)
    page.keyboard.press("0")
    said(page, "FR-2 is decided")
    page.get_by_role("heading", name="FR-3", exact=True).wait_for()
    page.get_by_role("button", name=re.compile("Undo assessed FR-2")).wait_for()
    wait_until_settled(page)  # keys offer what the whole page shows, which comes after the button
    page.keyboard.press("u")
    said(page, "is undone")
    heading.wait_for()


def tab_to(page: Page, there: Locator, back: bool = False) -> None:
    """Press Tab until this has the focus; a button shows it by a frame."""
    for _ in range(80):
        if there.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab" if back else "Tab")
    expect(there).to_be_focused()
    frame = "element => [getComputedStyle(element).boxShadow, getComputedStyle(element).outlineStyle]"
    assert there.evaluate(frame) != ["none", "none"] or there.get_attribute("type") == "text"


def choose_row(page: Page, label: str) -> str:
    """Press the second row of the menu below a table by Tab, arrows and Enter; gives the first word of its name."""
    inside = page.locator("[role='menu']:focus, [role='menu'] :focus")  # an arrow before that goes elsewhere
    row = page.locator("[role='menuitem']:focus")
    # A menu whose rows become other rows gives the focus back: one asks again.
    for _ in range(5):
        tab_to(page, page.get_by_role("button", name=label))
        page.keyboard.press("Enter")
        try:
            inside.wait_for(timeout=5_000)
            page.keyboard.press("ArrowDown")
            name = row.inner_text(timeout=5_000).split()[0]
            break
        except TooLate:
            page.keyboard.press("Escape")
    else:
        raise AssertionError(f"the menu {label!r} never kept the focus")
    page.keyboard.press("Enter")
    return name


def test_another_report_is_read_from_its_beginning(desk: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 500})
    open_desk(page, desk, "FR-20")
    main = page.get_by_test_id("stMain")
    main.evaluate("it => it.scrollTo(0, it.scrollHeight)")
    assert main.evaluate("it => it.scrollTop") > 100
    page.keyboard.press("j")
    heading = page.get_by_role("heading", name="FR-21", exact=True)
    heading.wait_for()
    expect(heading).to_be_in_viewport(ratio=1)
    assert main.evaluate("it => it.scrollTop") == 0


def test_the_bar_keeps_its_height_when_there_is_something_to_undo(desk: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    open_desk(page, desk, "FR-24")
    save = page.get_by_role("button", name="Save decision")
    stood = save.bounding_box()
    assert stood is not None
    page.keyboard.press("n")
    said(page, "are not duplicates")
    page.get_by_role("button", name=re.compile("Undo said not to be a duplicate FR-2")).wait_for()
    wait_until_settled(page)
    now = save.bounding_box()
    assert now is not None
    assert now["y"] == stood["y"], "the mouse finds the button where it was"


def test_a_laptop_shows_in_one_row_what_one_filters_by_and_no_level_is_cut(desk: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{desk.url}/inbox?severity=Critical&state=Any%20state&only=Embargo%20ends%20within%207%20days")
    page.get_by_text("No report fits these filters").wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    fields = page.locator("[data-testid='stMultiSelect'], [data-testid='stSelectbox']")
    fields.get_by_text("Critical", exact=True).wait_for()
    cut = """all => all.flatMap(one => [...one.querySelectorAll("*")])
      .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "hidden")
      .map(one => one.textContent)"""
    assert fields.evaluate_all(cut) == []
    last = page.get_by_role("button", name=re.compile("More"))
    tops = [one.evaluate("one => one.getBoundingClientRect().bottom") for one in (fields.last, last)]
    assert abs(tops[0] - tops[1]) < 10


def test_rows_of_tables_are_pressed_without_a_mouse(desk: Server, page: Page) -> None:
    list(control.call(desk.store, "assess", {"report": "FR-50", "clauses": ["EXP-1"]}))
    page.goto(f"{desk.url}/inbox?sort=Oldest%20first")
    following = page.get_by_role("button", name="Next page")
    following.wait_for(timeout=SLOW_MS)
    tab_to(page, following)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"page=2\b"))
    wait_until_settled(page)
    report_id = choose_row(page, "Open a report")
    page.get_by_role("heading", name=report_id, exact=True).wait_for(timeout=SLOW_MS)
    page.wait_for_url(re.compile(r"sort=Oldest"))  # the filters come along
    page.goto(f"{desk.url}/clusters")
    page.get_by_role("button", name="Show a cluster").wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    cluster_id = choose_row(page, "Show a cluster")
    page.wait_for_url(re.compile(rf"cluster={cluster_id}\b"))
    page.goto(f"{desk.url}/activity")
    field = page.get_by_role("textbox", name="Report")
    field.wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    tab_to(page, field)
    page.keyboard.type("FR-50")
    page.keyboard.press("Enter")
    page.get_by_text("1 event, newest first").wait_for()
    wait_until_settled(page)
    tab_to(page, page.get_by_role("button", name="Undo an event"))  # the only one: no menu
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name=re.compile("Undo it$"))
    undo.wait_for()
    wait_until_settled(page)
    tab_to(page, undo, back=True)
    page.keyboard.press("Enter")
    said(page, "is undone")


def choose_the_suggested(page: Page) -> None:
    """Press it until it is chosen: the first votes, which may come just then, move the button away."""
    clauses = page.get_by_test_id("stMultiSelect").first
    for _ in range(3):
        page.get_by_role("button", name="Choose it").click()
        with suppress(AssertionError):
            expect(clauses).to_contain_text("OOS-1", timeout=10_000)
            return
    raise AssertionError("the suggested clause was not chosen")


def test_what_is_typed_is_no_command_and_is_saved_with_the_decision(desk: Server, page: Page) -> None:
    heading = open_desk(page, desk, "FR-5")
    choose_the_suggested(page)
    note = page.get_by_label("Note, which the reporter may read")
    note.click()
    page.keyboard.type("just say no: jkl0dnsu")
    heading.wait_for()
    page.keyboard.press("Control+Enter")
    said(page, "FR-5 is decided")
    open_desk(page, desk, "FR-5")
    expect(page.get_by_label("Note, which the reporter may read")).to_have_value("just say no: jkl0dnsu")


def test_a_draft_survives_a_reload(desk: Server, page: Page) -> None:
    open_desk(page, desk, "FR-8")
    note = page.get_by_label("Note, which the reporter may read")
    note.click()
    waits = page.get_by_text("Ctrl+Enter to apply")
    for words in ("Half a", " thought"):
        page.keyboard.type(words)
        waits.wait_for()
        waits.wait_for(state="detached")  # taken at the pause
    expect(note).to_be_focused()
    page.wait_for_timeout(500)
    wait_until_settled(page)
    page.reload()
    page.get_by_text("Your draft of this report is back").wait_for()
    expect(note).to_have_value("Half a thought")


def test_a_colleague_s_change_is_seen_within_seconds_without_a_reload(desk: Server, page: Page) -> None:
    open_desk(page, desk, "FR-11")
    list(control.call(desk.store, "assess", {"report": "FR-11", "clauses": ["EXP-1"]}))
    page.get_by_text("Changed since you opened it").wait_for(timeout=20_000)
    page.keyboard.press("0")
    said(page, "Nothing was changed.*FR-11 was changed by cli:")
    # The press has drawn the page again: what the colleague decided is on screen.
    page.get_by_text("Expected behaviour", exact=True).first.wait_for()


def test_back_and_forward_put_the_report_of_the_address_on_the_desk(desk: Server, page: Page) -> None:
    open_desk(page, desk, "FR-40")
    for going, report_id in (
        (lambda: page.keyboard.press("j"), "FR-41"),
        (lambda: page.keyboard.press("j"), "FR-42"),
        (page.go_back, "FR-41"),
        (page.go_back, "FR-40"),
        (page.go_forward, "FR-41"),
        (lambda: page.keyboard.press("j"), "FR-42"),
    ):
        going()
        page.get_by_role("heading", name=report_id, exact=True).wait_for()
        wait_until_settled(page)
        assert f"report={report_id}" in page.url


def test_the_desk_at_900_and_in_the_dark(desk: Server, page: Page, screenshot: Callable[[str], None]) -> None:
    page.emulate_media(color_scheme="dark")
    open_desk(page, desk, "FR-14")
    screenshot("review-1440-dark")
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_timeout(300)
    screenshot("review-900-dark")
    bar = page.get_by_test_id("stBottom")
    for name in ("Next", "Save decision", "Undo"):
        expect(bar.get_by_role("button", name=re.compile(name)).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_came_of_a_decision_for_many_stands_in_place_of_its_form(desk: Server, page: Page) -> None:
    page.goto(f"{desk.url}/inbox")
    page.get_by_role("button", name=re.compile("^Decide on all")).click(timeout=SLOW_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Close as duplicates", exact=True).click()
    field = dialog.get_by_label("Duplicates of the report")
    field.fill("FR-60")  # the newest: all others came before it
    field.press("Enter")
    dialog.get_by_role("button", name=re.compile("^Close as duplicates: ")).click()
    dialog.get_by_text("Done on 0 reports").wait_for()
    expect(dialog.get_by_text("What is done")).to_have_count(0)


# The last in this file, since what it decides changes what is suggested.
def test_what_is_opened_comes_into_view(desk: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 500})
    page.goto(f"{desk.url}/clusters")
    page.get_by_role("button", name="Show a cluster").wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    shown = page.get_by_role("heading", name=re.compile("^Cluster "))
    expect(shown).not_to_be_in_viewport()
    cluster_id = choose_row(page, "Show a cluster")
    page.wait_for_url(re.compile(rf"cluster={cluster_id}\b"))
    expect(shown).to_be_in_viewport()
    for number in range(24, 36):
        list(control.call(desk.store, "assess", {"report": f"FR-{number}", "clauses": ["EXP-1"]}))
    page.goto(f"{desk.url}/activity")
    page.get_by_role("button", name="Undo an event").wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    page.get_by_test_id("stMain").evaluate("it => it.scrollTo(0, it.scrollHeight)")
    choose_row(page, "Undo an event")
    expect(page.get_by_role("heading", name=re.compile("^Undo event"))).to_be_in_viewport()
