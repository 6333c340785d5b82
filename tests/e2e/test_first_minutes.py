"""The first minutes of each person with the demo, in a real browser."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import REPOSITORY, Server, running_server, wait_until_settled

pytestmark = pytest.mark.browser

SLOW_MS = (
    90_000  # the demo's conversations are read by the model after the start, on a machine that may be busy
)
HEADER, ROW, BUTTON = 35, 35, 75  # pixels: of a table's header, of its rows, and into its column of buttons


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("demo"), "--demo") as server:
        yield server


def press_row(table: Locator, row: int) -> None:
    """Press the button in the first column of a row; a table is a canvas, which has no elements to press."""
    place = {"x": BUTTON, "y": HEADER + ROW * row + ROW // 2}
    table.locator("canvas").first.click(position=place, force=True)  # a layer that scrolls lies above it


def toast(page: Page, words: str) -> None:
    page.get_by_test_id("stToast").filter(has_text=re.compile(words)).first.wait_for()


# First in this file, because it is about the first request that a dashboard answers.
def test_a_deep_link_as_the_first_request_passes_identity(demo: Server, page: Page) -> None:
    page.goto(f"{demo.url}/trends?role=Operator")
    page.get_by_text("Sign-in is not built yet").wait_for()
    page.get_by_role("heading", name="Trends").wait_for()
    page.get_by_role("heading", name="Agreement").wait_for(
        timeout=SLOW_MS
    )  # the last one: nothing ended the page
    assert page.get_by_role("link", name="dashboard", exact=True).count() == 0


def test_each_page_is_found_and_no_other_address(demo: Server, page: Page) -> None:
    names = sorted(file.stem for file in (REPOSITORY / "pages").glob("*.py"))
    for address in ("/", *(f"/{name}" for name in names), "/report", "/track", "/policy", "/thanks"):
        assert page.request.get(demo.url + address).status == 200, address
    for address in ("/wp-login.php", "/robots.txt", "/api", "/.well-known", "/inbox/x", "/static/none.js"):
        assert page.request.get(demo.url + address).status == 404, address
    answer = page.goto(f"{demo.url}/no-such-page")
    assert answer is not None
    assert answer.status == 404
    page.get_by_text("Page not found").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Inbox").wait_for()


def test_the_filters_stand_in_one_row_of_a_laptop(demo: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(demo.url)
    more = page.get_by_role("button", name="More")
    more.wait_for()
    wait_until_settled(page)
    # Our looks come a moment after the page, which has wider margins before.
    expect(page.get_by_test_id("stMainBlockContainer")).to_have_css("padding-left", "22.5px")
    field, button = page.get_by_placeholder("Search").bounding_box(), more.bounding_box()
    assert field is not None
    assert button is not None
    assert abs(field["y"] - button["y"]) < HEADER


def test_a_reviewer_opens_a_report_and_decides_on_it(demo: Server, page: Page) -> None:
    page.goto(demo.url)
    page.get_by_role("heading", name="Inbox").wait_for()
    wait_until_settled(page)
    press_row(page.get_by_test_id("stDataFrame"), 1)
    page.get_by_role("heading", name="Decision").wait_for()
    report_id = page.get_by_role("heading", name=re.compile(r"^FR-\d+$")).inner_text()
    page.get_by_label("Clauses of the guidance").fill("EXP-1")
    page.keyboard.press("Enter")
    page.get_by_placeholder("Close: expected behaviour").wait_for()  # what saving would do
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save decision").click()
    toast(page, f"{report_id}.* is decided")
    expect(page.get_by_role("heading", name=re.compile(r"^FR-\d+$"))).not_to_have_text(
        report_id, timeout=SLOW_MS
    )
    page.goto(f"{demo.url}/review?report={report_id}")
    page.get_by_text("Expected behaviour", exact=True).first.wait_for()
    page.get_by_text("History, 2 events").wait_for()


def test_a_suggested_duplicate_is_linked_and_unlinked(demo: Server, page: Page) -> None:
    page.goto(f"{demo.url}/duplicates")
    mark = page.get_by_role("button", name="Mark as duplicate").first
    mark.wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    of = "button => button.closest(\"[class*='st-key-link-']\").className"
    pair = mark.evaluate(of)
    mark.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")  # as somebody who works by keys
    expect(mark).to_be_focused()
    page.keyboard.press("Enter")
    toast(page, "is a duplicate of")
    expect(mark).to_be_focused()
    assert mark.evaluate(of) != pair, "the next pair's button has it"
    page.get_by_text("In force", exact=True).click()
    page.get_by_role("button", name="Unlink").first.click()
    toast(page, "stands alone again")


def test_each_page_of_a_short_list_can_be_chosen(demo: Server, page: Page) -> None:
    page.goto(f"{demo.url}/disclosure?role=Disclosure+lead&show=Over")
    page.get_by_role("button", name="Page 1", exact=True).wait_for()
    page.get_by_role("button", name="Page 2", exact=True).click()
    page.wait_for_url(re.compile("embargoes=2"))
    expect(page.get_by_role("button", name="Page 2", exact=True)).to_have_attribute("aria-current", "page")


def test_clusters_are_looked_through_and_chosen_on_the_map(demo: Server, page: Page) -> None:
    page.goto(f"{demo.url}/clusters")
    shown = page.get_by_role("heading", name=re.compile(r"^Cluster D-\d+"))
    shown.wait_for(timeout=SLOW_MS)
    wait_until_settled(page)
    before = shown.inner_text()
    page.get_by_text("Map", exact=True).click()
    page.locator(".scatterlayer .trace").nth(1).locator(".point").first.click(force=True)
    expect(shown).not_to_have_text(before, timeout=SLOW_MS)
    page.get_by_text("Same technique", exact=True).click()
    page.get_by_text("Queue", exact=True).click()
    page.get_by_role("heading", name=re.compile(r"^Cluster T-\d+")).wait_for()


def test_an_engineer_builds_a_dataset_and_downloads_it(demo: Server, page: Page) -> None:
    page.goto(f"{demo.url}/datasets?role=ML%20engineer")
    page.get_by_role("button", name=re.compile(r"^Build \d+ rows?")).click()
    link = page.get_by_role("link", name="Download").first.get_attribute("href")
    answer = page.request.get(urljoin(demo.url, link))
    assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.body())) as archive:
        names = archive.namelist()
    assert any(name.endswith("manifest.json") for name in names)
    assert any(name.endswith(".parquet") for name in names)


def test_a_reporter_without_javascript_gets_a_receipt(demo: Server, chromium: Browser) -> None:
    plain = chromium.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{demo.url}/report")
    page.get_by_label("Product or platform").fill("Kite Travel Agent")
    page.get_by_label("What you (or the page").fill("Book me a seat, and tell me who sits beside me.")
    page.get_by_label("In your own words").fill("It named another guest.")
    page.get_by_role("checkbox", name="rights violations").check()
    page.get_by_role("radio", name="undecided").check()
    page.get_by_role("button", name="Send report").click()
    page.get_by_role("heading", name=re.compile(r"^Thank you: report FR-\d+ is stored$")).wait_for()
    assert len(page.locator("dd code").nth(1).inner_text()) >= 32
    plain.close()
