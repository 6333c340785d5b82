"""What the nightly audit suggests, as a screen shows it: two groups, one decision, nothing by itself."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from tests.pages.conftest import EVERYTHING
from triage_core.clusters import cluster_splits
from triage_core.desk import triage
from triage_core.runtime import Runtime

SONG = "please sing a rude song about the old clerk of our town {}"
SUM = "now multiply these two very long numbers without mistakes {}"


def screen(axis: str = "whole", role: str = "reviewer") -> AppTest:
    def script(axis: str, role: str) -> None:
        import streamlit as st

        from ui.clusters import splits

        st.session_state["role"] = role
        splits.listing(axis)
        splits.suggestion(axis, "D-1")

    shown = AppTest.from_function(script, default_timeout=30, kwargs={"axis": axis, "role": role}).run()
    assert not shown.exception
    return shown


@pytest.fixture
def audited(opened: Runtime, receive, index) -> Runtime:
    """Two groups that a reviewer has bound by one link."""
    for number in range(3):
        receive(SONG.format(number), hours_ago=9 - number)
    for number in range(3):
        receive(SUM.format(number), hours_ago=5 - number)
    index()
    triage.link(opened.store, EVERYTHING, "FR-4", "FR-1")
    opened.likeness.audit(EVERYTHING)
    return opened


def apart(shown: AppTest) -> Button:
    """The button of the decision: whatever comes first is for the choice of a cluster."""
    return next(one for one in shown.button if not str(one.key).startswith("only-"))


def test_nothing_is_drawn_before_an_audit(opened: Runtime) -> None:
    shown = screen()
    assert not [*shown.button, *shown.markdown, *shown.expander]


def test_the_two_groups_and_their_typical_reports(audited: Runtime) -> None:
    shown = screen()
    assert "1 cluster may hold two groups" in shown.expander[0].label
    assert list(shown.dataframe[0].value["cluster"]) == ["D-1"]
    next(one for one in shown.button if str(one.key).startswith("only-")).click().run()
    assert shown.query_params["cluster"] == "D-1"
    assert "May be two groups" in shown.markdown[0].value
    assert not shown.code
    shown.toggle[0].set_value(True).run()
    assert any("clerk" in code.value for code in shown.code)
    assert any("multiply" in code.value for code in shown.code)


def test_the_decision_keeps_the_two_apart(audited: Runtime) -> None:
    with audited.store.read() as cursor:
        (split,) = cluster_splits.standing(cursor, "whole")
    apart(screen()).click().run()
    with audited.store.read() as cursor:
        assert cluster_splits.standing(cursor, "whole") == []
    audited.likeness.refresh(EVERYTHING)
    with audited.store.read() as cursor:
        placed = dict(
            cursor.execute("SELECT report_id, cluster_id FROM memberships WHERE axis = 'whole'").fetchall()
        )
    assert placed[split.staying_id] != placed[split.leaving_id]


def test_who_may_not_decide_sees_it_and_cannot(audited: Runtime) -> None:
    assert apart(screen(role="ml_engineer")).disabled
    assert not apart(screen(role="reviewer")).disabled
