"""The pictures of the documentation, taken from the demo: `make pictures`.

Run it after a change that shows, and look at what it wrote before it is committed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as NotYet

from tests.browser import CHROMIUM, FLAGS, REPOSITORY, running_server, wait_until_settled

FOLDER = REPOSITORY / "docs" / "images"
REVIEW = "/review?report=FR-361"  # undecided, with near copies and a clause that is probable
LEARNED = "How probable it is"
PICTURES = {
    "review": REVIEW,
    "inbox": "/inbox",
    "clusters": "/clusters",
    "trends": "/trends?role=Policy%20owner",
    "datasets": "/datasets?role=ML%20engineer",
}
LOOKS = 20
DRAWN_MS = 3_000  # charts and tables draw themselves after the page has settled


def wait_until_learned(page: Page, url: str) -> None:
    """The worker reads the demo, and learns from its decisions, for some minutes; a page shows it when opened again."""
    for _ in range(LOOKS):
        page.goto(url + REVIEW)
        try:
            page.get_by_text(LEARNED).first.wait_for(timeout=15_000)
        except NotYet:
            continue
        return
    raise AssertionError(f"{REVIEW} never showed {LEARNED!r}")


def take() -> None:
    """Write every picture over the one before it. Raises AssertionError where the demo is never read to its end."""
    with (
        tempfile.TemporaryDirectory() as store,
        sync_playwright() as playwright,
        running_server(Path(store), "--demo") as server,
    ):
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(server.url + "/report")
        page.screenshot(path=FOLDER / "report.png")
        wait_until_learned(page, server.url)
        for name, address in PICTURES.items():
            page.goto(server.url + address)
            wait_until_settled(page)
            page.wait_for_timeout(DRAWN_MS)
            wait_until_settled(page)
            page.screenshot(path=FOLDER / f"{name}.png")
        chromium.close()


if __name__ == "__main__":
    take()
