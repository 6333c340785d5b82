"""Every screen opens for every role on a store that has seen a long story, with a card of each kind open."""

from __future__ import annotations

from contextlib import suppress

import pytest
import streamlit as st

from tests.pages.conftest import EVERYTHING, WordEmbedder
from tests.property.stories import Story
from triage_core import db, runtime
from triage_core.advisories import advising, advisory_board, answering, peers
from triage_core.errors import Refused
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
    "Disclosure lead": ("disclosure", "advisories", "trends", "activity", "inbox", "review"),
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    """Told once: whoever only looks changes nothing, which is asserted in the end."""
    folder = tmp_path_factory.mktemp("story")
    story = Story(folder, 5)
    for _ in range(120):
        story.step()
    _tell_peers(story)
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


def _tell_peers(story: Story) -> None:
    """Of whatever may be told: one peer accepts, another one is left to answer."""
    _, key = peers.add(story.store, EVERYTHING, "Heron")
    peers.add(story.store, EVERYTHING, "Ibis")
    with story.store.read() as cursor:
        reports = [row["report_id"] for row in db.rows(cursor, "SELECT report_id FROM reports ORDER BY seq")]
    for report_id in reports:
        with suppress(Refused):
            advising.open_advisory(
                story.store, EVERYTHING, report_id, "A title of ours", "It reaches others", ["Heron", "Ibis"]
            )
    with story.store.read() as cursor:
        told = advisory_board.told_to(cursor, peers.of_key(cursor, key), story.clock())
    assert len(told) > 3
    for one in told:
        with suppress(Refused):
            answering.accept(
                story.store,
                key,
                one.advisory_id,
                one.stub.embargo_end if one.stub else None,
                now=story.clock(),
            )


@pytest.mark.parametrize("role", ROLES)
def test_every_screen_opens(opened, visit, rendered, role):
    with opened.store.read() as cursor:
        reports = [row["report_id"] for row in db.rows(cursor, "SELECT report_id FROM reports ORDER BY seq")]
        numbers = [
            row["n"] for row in db.rows(cursor, "SELECT DISTINCT reward_no AS n FROM rewards ORDER BY 1")
        ]
        advisories = [
            row["n"] for row in db.rows(cursor, "SELECT advisory_id AS n FROM advisories ORDER BY 1")
        ]
        kinds = db.rows(cursor, "SELECT max(seq) AS seq FROM events GROUP BY kind ORDER BY 1")
    cards = {
        "review": [{"report": name} for name in reports],
        "disclosure": [{"embargo": name} for name in reports] + [{"show": "over"}, {"show": "should_end"}],
        "advisories": [{"advisory": str(number)} for number in advisories] + [{"show": "closed"}],
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
