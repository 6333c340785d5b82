"""Every screen opens for every role on a store that has seen a long story, with a card of each kind open."""

from __future__ import annotations

import pytest
import streamlit as st

from tests.pages.conftest import EVERYTHING, WordEmbedder
from tests.property.stories import Story
from triage_core import db, runtime
from triage_core.runtime import Runtime
from triage_core.settings import Settings

pytestmark = pytest.mark.slow
ROLES = {
    "Reviewer": (
        "inbox",
        "review",
        "duplicates",
        "clusters",
        "second_look",
        "answers",
        "activity",
        "rewards",
    ),
    "Policy owner": (
        "guidance",
        "trends",
        "rewards",
        "gaps",
        "second_look",
        "answers",
        "activity",
        "disclosure",
    ),
    "ML engineer": ("datasets", "trends", "activity", "inbox", "review", "disclosure"),
    "Disclosure lead": ("disclosure", "trends", "activity", "inbox", "review"),
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    """Told once: whoever only looks changes nothing, which is asserted in the end."""
    folder = tmp_path_factory.mktemp("story")
    story = Story(folder, 5)
    for _ in range(120):
        story.step()
    story.store.close()
    found = Runtime(Settings(store=folder / "store"), clock=story.clock, embedder=WordEmbedder)
    found.likeness.refresh(EVERYTHING)
    runtime.use(found)
    told = found.store.revision
    yield found
    assert found.store.revision == told
    runtime.use(None)
    found.close()
    st.cache_data.clear()


@pytest.mark.parametrize("role", ROLES)
def test_every_screen_opens(opened, visit, rendered, role):
    with opened.store.read() as cursor:
        reports = [row["report_id"] for row in db.rows(cursor, "SELECT report_id FROM reports ORDER BY seq")]
        numbers = [
            row["n"] for row in db.rows(cursor, "SELECT DISTINCT reward_no AS n FROM rewards ORDER BY 1")
        ]
        kinds = db.rows(cursor, "SELECT max(seq) AS seq FROM events GROUP BY kind ORDER BY 1")
    cards = {
        "review": [{"report": name} for name in reports],
        "disclosure": [{"embargo": name} for name in reports] + [{"show": "over"}, {"show": "should_end"}],
        "rewards": [{"reward": str(number)} for number in numbers]
        + [{"report": name} for name in reports]
        + [{"view": view} for view in ("To propose", "Past the bounty clock", "All rewards", "Reporters")],
        "activity": [{"event": str(row["seq"])} for row in kinds],
    }
    for screen in ROLES[role]:
        for parameters in cards.get(screen, [{}]):
            page = visit(screen, role=role, **parameters)
            assert not page.exception, (screen, parameters)
            assert not page.error, (screen, parameters, [one.value for one in page.error])
