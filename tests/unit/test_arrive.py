"""The script that brings an opened card into view, run by the Node that comes with Playwright."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

SCRIPT = Path(__file__).resolve().parents[2] / "ui" / "assets" / "arrive.js"
PAGE = """
import arrive from "./arrive.mjs";
globalThis.requestAnimationFrame = (then) => then();
const scrolled = [];
for (const opening of [1, 1, 1, 2, 2]) {
  const card = { style: {}, scrollIntoView: () => scrolled.push(opening) };
  arrive({ data: { opening }, parentElement: { host: card } });
}
console.log(JSON.stringify(scrolled));
"""


def test_each_opening_scrolls_once_however_often_the_page_runs(tmp_path: Path) -> None:
    (tmp_path / "arrive.mjs").write_text(SCRIPT.read_text())
    (tmp_path / "page.mjs").write_text(PAGE)
    node = compute_driver_executable()[0]
    done = subprocess.run([node, tmp_path / "page.mjs"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [1, 2]
