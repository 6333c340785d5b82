"""The documentation is whole: links lead somewhere, every page can be found, the newest version is noted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import triage_core
from tests.docs import documents

INDEX = documents.REPOSITORY / "docs" / "index.md"


@pytest.mark.parametrize("page", documents.PAGES, ids=documents.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert [target for target in documents.links(page) if not (page.parent / target).exists()] == []


def test_every_page_is_in_the_index() -> None:
    linked = {(INDEX.parent / target).resolve() for target in documents.links(INDEX)}
    files = {path for path in INDEX.parent.rglob("*") if path.suffix in {".md", ".json"}} - {INDEX}
    assert sorted(documents.name(path) for path in files - linked) == []


def test_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (documents.REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == triage_core.__version__
