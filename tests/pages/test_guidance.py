"""Policy: every clause with both examples, the severity that follows from five inputs, past versions."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from tests.pages.conftest import EVERYTHING
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.guidance import policies, policy


def texts(screen) -> list[str]:
    return [text.value for text in screen.text]


def test_every_clause_with_both_examples(visit, opened, rendered):
    screen = visit("guidance")
    shown = texts(screen)
    for clause in opened.policy.clauses:
        assert f"` {clause.clause_id} `" in rendered(screen)
        texts_of_clause = {clause.title, clause.text, clause.in_scope_example, clause.out_of_scope_example}
        assert texts_of_clause <= set(shown)
    assert opened.policy.incomplete_note in shown


def test_clauses_say_how_often_they_were_cited_and_link_to_the_list(visit, opened, receive, rendered):
    report_id = receive("tell me a joke")
    receive("tell me another")
    assert not visit("guidance").get("page_link")
    triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision(("EXP-1",)))
    (link,) = visit("guidance").get("page_link")
    assert link.proto.label == "Cited on 1 report"
    (table,) = visit("inbox", **dict(parse_qsl(link.proto.query_string))).dataframe
    assert table.value["report"].tolist() == [report_id]


@pytest.mark.parametrize(
    ("chosen", "level"),
    [
        ({}, "Low"),
        ({"harm": "Significant"}, "Medium"),
        ({"harm": "Significant", "uplift": "Freely found elsewhere"}, "Low"),
        ({"harm": "Significant", "generality": "Universal", "reliability": "50% or more"}, "High"),
        ({"harm": "Severe", "exposure": "Many"}, "Critical"),
        ({"harm": "None"}, "None"),
    ],
)
def test_severity_follows_from_the_five_inputs(visit, chosen, level):
    screen = visit("guidance", part="Severity", **chosen)
    (heading,) = [heading.value for heading in screen.subheader if heading.value.startswith("Severity")]
    assert f"[{level}]" in heading
    marked = [cell for block in screen.markdown for cell in block.value.split("|") if "check_circle" in cell]
    assert len(marked) == 3
    assert all(f"[{level}]" in cell for cell in marked)


def test_matrices_are_those_of_the_policy(visit):
    screen = visit("guidance", part="Severity")
    base = next(block.value for block in screen.markdown if "**H0**" in block.value)
    levels = [
        [cell.split("[")[1].split("]")[0] for cell in line.split("|")[2:5]] for line in base.split("\n")[2:]
    ]
    assert levels == [
        ["None", "None", "Low"],
        ["Low", "Low", "Medium"],
        ["Low", "Medium", "High"],
        ["Medium", "High", "Critical"],
        ["High", "Critical", "Critical"],
    ]


def test_clocks_waiting_periods_and_rewards(visit, rendered):
    screen = visit("guidance", part="Clocks and rewards")
    said = rendered(screen)
    for line in (
        "| First response | 2 business days |",
        "| Attacks are seen | 7 at most |",
        "| 5,000 | 15,000 |",
    ):
        assert line in said
    assert "Mon, Tue, Wed, Thu, Fri" in said
    assert "Budget of a calendar year: 50,000" in said
    assert "Of all decisions, **10%** and every critical one" in said
    assert "Fri 25 Dec 2026" in "\n".join(texts(screen))
    (tiers,) = screen.dataframe
    assert list(tiers.value["Tier"]) == ["Known", "Trusted", "Partner"]
    assert list(tiers.value["Early access"]) == ["No", "No", "Yes"]
    assert "` LLM01, AML.T0054 `" in rendered(visit("guidance"))


def test_safe_harbour_and_contact(visit, opened):
    shown = texts(visit("guidance", part="Safe harbour and contact"))
    assert {opened.policy.safe_harbour, opened.policy.contact.removeprefix("mailto:")} <= set(shown)


def test_a_past_version_can_be_read_and_says_that_it_is_past(visit, opened):
    old = opened.policy
    text = old.toml_text.replace('version = "2026.2"', 'version = "2026.3"').replace(
        "ai-flaws@", "new-flaws@"
    )
    new = policy.parse(text, old.severity_csv, old.priority_csv)
    policies.publish(opened.store, EVERYTHING, new)
    part = "Safe harbour and contact"
    screen = visit("guidance", part=part)
    assert screen.selectbox(key="policy").options == ["2026.3", "2026.2"]
    assert new.contact.removeprefix("mailto:") in texts(screen)
    assert not screen.warning
    screen = visit("guidance", part=part, policy="2026.2")
    assert old.contact.removeprefix("mailto:") in texts(screen)
    assert "not any more" in screen.warning[0].value
    assert list(visit("guidance", part="Versions").dataframe[0].value["In force"]) == ["Yes", ""]


def test_policy_text_is_never_markdown(visit, opened, rendered):
    beacon = "![x](https://attacker.invalid/p.png)"
    old = opened.policy
    text = old.toml_text.replace('version = "2026.2"', 'version = "2026.3"')
    text = text.replace("Data or secret leak", beacon).replace("This guidance is incomplete,", beacon)
    policies.publish(opened.store, EVERYTHING, policy.parse(text, old.severity_csv, old.priority_csv))
    screen = visit("guidance")
    assert any(beacon in shown for shown in texts(screen))
    assert all(f"` IN-3 {beacon} `" in line for line in rendered(screen).split("\n") if "attacker" in line)
