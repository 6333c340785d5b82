"""The dashboard: who one is, and which screens that opens."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import EVERYTHING
from triage_core import db
from triage_core.channel import intake, reportformat
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.model import Channel, DeskRole
from ui.words import ROLE

EVERY = (
    "inbox", "review", "duplicates", "clusters", "disclosure", "advisories", "rewards", "activity", "trends",
    "guidance", "datasets", "health",
)  # fmt: skip


@pytest.fixture
def start(opened, repository):
    """`start("Reviewer")` is what somebody of this role sees who comes without naming a screen."""

    def begin(role: str) -> AppTest:
        found = AppTest.from_file(str(repository / "dashboard.py"), default_timeout=30)
        found.query_params["role"] = role
        found.run()
        assert not found.exception
        return found

    return begin


def screens(start, role: str) -> set[str]:
    found = set()
    for name in EVERY:
        try:
            start(ROLE[role]).switch_page(f"pages/{name}.py")
        except ValueError:
            continue
        found.add(name)
    return found


READING = {"inbox", "review", "duplicates", "clusters", "disclosure", "activity", "datasets"}
EVERYBODY = {"trends", "guidance"}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (DeskRole.REVIEWER, READING | EVERYBODY | {"rewards"}),
        (DeskRole.POLICY_OWNER, READING | EVERYBODY | {"rewards"}),
        (DeskRole.ML_ENGINEER, READING | EVERYBODY),
        (DeskRole.DISCLOSURE_LEAD, READING | EVERYBODY | {"advisories"}),
        (DeskRole.OPERATOR, EVERYBODY | {"health", "advisories"}),
    ],
)
def test_a_role_opens_its_screens_and_no_other(start, role, expected):
    assert screens(start, role) == expected


def test_banner_says_that_sign_in_is_missing(visit):
    screen = visit("inbox")
    assert "Sign-in is not built yet" in screen.caption[0].value
    assert screen.selectbox(key="role").value == DeskRole.REVIEWER


def test_an_invented_role_is_nobody_else(start):
    assert start("Administrator").selectbox(key="role").value == DeskRole.REVIEWER


@pytest.mark.parametrize(
    ("role", "title"),
    [
        (DeskRole.REVIEWER, "Inbox"),
        (DeskRole.POLICY_OWNER, "Trends"),
        (DeskRole.ML_ENGINEER, "Datasets"),
        (DeskRole.DISCLOSURE_LEAD, "Disclosure"),
        (DeskRole.OPERATOR, "Health"),
    ],
)
def test_a_role_begins_where_its_work_is(start, role, title):
    assert start(ROLE[role]).title[0].value == title


SCREENS = ("inbox", "review", "duplicates", "clusters", "activity", "datasets", "trends")


def test_what_is_under_embargo_is_told_on_no_screen_to_those_who_only_learn_from_it(opened, visit, index):
    for words in ("zanzibar ferry times", "zanzibar ferry prices", "something else entirely"):
        line = {
            "turns": [{"role": "user", "content": words}, {"role": "assistant", "content": "As you wish."}],
            "what_is_wrong": f"It told me {words}.",
            "harm_types": ["other"],
            "disclosure_intent": "yes",
            "system": [{"platform": "Kite"}],
        }
        intake.receive(opened.store, opened.policy, reportformat.parse(line), Channel.FORM)
    index()

    def told(role: DeskRole) -> dict[str, str]:
        """All that is sent to the browser, table cells included."""
        trees = {name: visit(name, role=ROLE[role]).main for name in SCREENS}
        return {
            name: "".join(str(getattr(node, "proto", "")) for node in tree) for name, tree in trees.items()
        }

    engineer, reviewer = told(DeskRole.ML_ENGINEER), told(DeskRole.REVIEWER)
    assert [name for name, shown in engineer.items() if "zanzibar" in shown] == []
    assert "Under embargo until" in engineer["inbox"]
    assert "Under embargo until" in engineer["review"]
    assert all("zanzibar" in reviewer[name] for name in ("inbox", "review", "clusters"))


def test_a_link_to_a_screen_of_another_role_says_whose_it_is(start, monkeypatch):
    navigation, hidden = st.navigation, set()

    def linked(pages, **how):
        navigation(pages, **how)
        hidden.update(page.url_path for page in pages if page.visibility == "hidden")
        (chosen,) = (page for page in pages if page.url_path == "rewards")
        chosen._can_be_called = True  # as for a browser that asks for /rewards
        return chosen

    monkeypatch.setattr(st, "navigation", linked)
    screen = start("ML engineer")
    assert screen.title[0].value == "Rewards"
    assert "Reviewer or Policy owner. You act as ML engineer" in screen.info[0].value
    # "": where the role begins
    assert hidden == {"advisories", "second_look", "rewards", "answers", "gaps", "health", ""}


@pytest.mark.parametrize("role", ROLE.values())
def test_links_lead_only_where_the_role_may_go(visit, receive, opened, rendered, role):
    for number in range(30):
        receive(f"number {number}", hours_ago=24 * 60)
    new = [receive(f"new {number}", hours_ago=1) for number in range(6)]
    triage.assess(opened.store, opened.policy, EVERYTHING, new[0], Decision(("EXP-1",)))
    whole = {"axis": "whole", "cluster_id": "W-1"}
    with opened.store.write(EVERYTHING, "index") as work:
        db.insert(work.cursor, "clusters", [{**whole, "representative_id": "FR-1", "size": 7, "label": ""}])
        members = [{**whole, "report_id": name, "model_id": ""} for name in ("FR-1", *new)]
        db.insert(work.cursor, "memberships", members)
    trends = visit("trends", role=role)  # with every link that it may have, or it would have raised
    assert "Cluster ` W-1 `" in rendered(trends) or [
        one for one in trends.get("page_link") if "W-1" in one.proto.label
    ]
    policy = visit("guidance", role=role)
    reads = role != "Operator"
    for screen in (trends, policy):
        assert any(one.proto.page == "inbox" for one in screen.get("page_link")) == reads
    assert ("Cited on 1 report" in rendered(policy)) != reads
    linked = {one.proto.page for one in trends.get("page_link")}
    both = {"second_look", "rewards"}
    assert linked & both == (both if role in {"Reviewer", "Policy owner"} else set())
    trends.session_state["numbers-sources"] = True
    assert ("to get the link to its list" in rendered(trends.run())) == reads
