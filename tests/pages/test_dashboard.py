"""The dashboard: who one is, and which screens that opens."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from triage_core.model import DeskRole
from ui.words import ROLE

EVERY = (
    "inbox", "review", "duplicates", "clusters", "disclosure", "rewards", "activity", "trends", "guidance", "datasets",
)  # fmt: skip


def screens(visit, role: str) -> set[str]:
    found = set()
    for name in EVERY:
        screen: AppTest = visit("inbox", role=ROLE[role])
        try:
            screen.switch_page(f"pages/{name}.py")
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
        (DeskRole.DISCLOSURE_LEAD, READING | EVERYBODY),
        (DeskRole.OPERATOR, EVERYBODY),
    ],
)
def test_a_role_opens_its_screens_and_no_other(visit, role, expected):
    assert screens(visit, role) == expected


def test_banner_says_that_sign_in_is_missing(visit):
    screen = visit("inbox")
    assert "Sign-in is not built yet" in screen.caption[0].value
    assert screen.selectbox(key="role").value == DeskRole.REVIEWER


def test_an_invented_role_is_nobody_else(visit):
    assert visit("inbox", role="Administrator").selectbox(key="role").value == DeskRole.REVIEWER
