"""Datasets: what would be built and what is left out, building by those who may, and the built versions."""

from __future__ import annotations

import json

import pytest

from tests.hostile_corpus import HOSTILE
from tests.pages.conftest import EVERYTHING
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.errors import Refused
from triage_core.exporters import nearest, revoke
from triage_core.exporters.gate import MEANING, Reason
from triage_core.model import Exposure, Generality, Harm, Reliability, SeverityInputs, Uplift
from ui.datasets import parts, versions

ML = {"role": "ML engineer"}
INPUTS = SeverityInputs(Harm.H3, Exposure.SELF, Generality.RETARGETABLE, Reliability.RELIABLE, Uplift.YES)


@pytest.fixture
def flaw(receive, opened):
    """`flaw("what the user wrote")` is a confirmed flaw whose reporter agrees to training."""

    def confirm(words: str, **fields) -> str:
        report_id = receive(words, **{"consent_training": "any_safety_training", **fields})
        decision = Decision(("IN-1",), INPUTS, better_answer="I would rather not.")
        triage.assess(opened.store, opened.policy, EVERYTHING, report_id, decision, approve=True)
        return report_id

    return confirm


def left_out(screen) -> dict[str, int]:
    table = next(block.value for block in screen.markdown if "Left out because" in block.value)
    cells = [line.strip("| ").split(" | ") for line in table.split("\n")[2:]]
    return {reason: int(count) for count, reason in cells}


def build_button(screen):
    return next(button for button in screen.button if button.label.startswith("Build"))


def test_empty_store_says_what_to_do_next(visit, rendered):
    assert "No reports yet" in rendered(visit("datasets", **ML))


def test_what_would_be_built_and_why_the_rest_is_left_out(visit, receive, flaw):
    flaw("one")
    receive("two", consent_training="any_safety_training")
    receive("three")
    screen = visit("datasets", **ML)
    assert screen.subheader[0].value == "1 row from 3 reports"
    assert left_out(screen) == {MEANING[Reason.UNDECIDED]: 1, MEANING[Reason.NO_CONSENT]: 1}
    assert build_button(screen).label == "Build 1 row"
    assert screen.code[0].value.strip() == "one"


def test_no_row_yet_says_what_is_missing(visit, receive):
    receive("one")
    screen = visit("datasets", **ML)
    assert "No report can become a row yet" in screen.info[0].value
    assert build_button(screen).disabled
    assert left_out(screen) == {MEANING[Reason.NO_CONSENT]: 1}


def test_what_is_refused_until_reports_are_compared_is_asked_again(visit, flaw, rendered, index, monkeypatch):
    def refuse(*_):
        raise Refused("split", "is a near-copy of another, " * 12 + "else `index`")

    flaw("one")
    with monkeypatch.context() as patched:
        patched.setattr(parts.exports, "preview", refuse)
        screen = visit("datasets", **ML)
        index()
        (fault,) = visit("datasets", **ML).error
    said = rendered(screen)
    assert not screen.error, "what only takes its time is no fault"
    assert "Not yet" in said
    assert "This cannot be built" in fault.value
    assert "else" in said
    assert "index" in said
    assert "1 report to be compared" in said
    assert "to be compared" not in rendered(visit("datasets", **ML))


def test_a_build_appears_in_the_list(visit, flaw, opened, rendered, monkeypatch):
    near = {"highest": 0.9, "train": "FR-1", "test": "FR-2", "near_from": 0.85, "test_reports_near": 1}
    counts = dict.fromkeys(("test_reports", "test_reports_compared", "training_reports_compared"), 1)
    monkeypatch.setattr(nearest, "to_json", lambda *_: {**near, **counts, "exact": True, "without_vector": 0})
    flaw("one")
    flaw("two")
    screen = visit("datasets", profile="sft", **ML)
    screen = build_button(screen).click().run()
    assert not screen.exception
    assert (opened.settings.store / "datasets" / "sft" / "1" / "manifest.json").is_file()
    assert "sft 1" in rendered(screen)
    assert "2 rows" in rendered(screen)
    assert "training report 0.900, " in rendered(screen)
    assert "1 of 1 test reports, each with 1 of train; 0 have no vector yet" in rendered(screen)
    (download,) = screen.get("link_button")
    assert download.proto.label == "Download"
    assert download.proto.url.startswith("/download/datasets/sft/1?ticket=")


def test_a_profile_filters_and_a_name_go_into_the_build(visit, flaw, opened):
    flaw("one", system=[{"platform": "Chat"}])
    flaw("two", system=[{"platform": "Agent"}])
    screen = visit("datasets", **ML)
    screen.multiselect(key="only_product").select("Agent").run()
    screen.text_input(key="name").input("agents").run()
    assert build_button(screen).label == "Build 1 row"
    build_button(screen).click().run()
    assert (opened.settings.store / "datasets" / "agents" / "1").is_dir()


def test_a_bad_name_is_refused_by_its_rule_and_what_was_built_stays(visit, flaw, rendered):
    flaw("one")
    screen = build_button(visit("datasets", **ML)).click().run()
    screen.text_input(key="name").input("../../etc").run()
    assert "lower-case letters" in screen.error[0].value
    assert not [button for button in screen.button if button.label.startswith("Build")]
    assert "kto 1" in rendered(screen)
    assert "1 group, 0 on both sides" in rendered(screen)


def test_a_version_that_is_taken_is_refused(visit, flaw):
    flaw("one")
    screen = visit("datasets", **ML)
    screen.text_input(key="dataset_version").input("7").run()
    build_button(screen).click().run()
    build_button(screen).click().run()
    assert "Nothing was changed" in screen.toast[-1].value


@pytest.mark.parametrize("profile", ["kto", "classifier"])
@pytest.mark.parametrize("name", ["markdown image", "unicode tags", "code fence break"])
def test_hostile_rows_are_shown_as_text(visit, flaw, rendered, profile, name):
    flaw(HOSTILE[name])
    screen = visit("datasets", profile=profile, **ML)
    assert len(screen.code) == 2
    assert "attacker.invalid" not in rendered(screen)
    assert HOSTILE["unicode tags"][-5:] not in screen.code[0].value


def test_the_loss_is_marked_for_each_message(visit, flaw, rendered):
    flaw("one")
    said = rendered(visit("datasets", profile="preference", **ML))
    assert said.count("Read, no loss") == 1
    assert "Made more likely" in said
    assert "Made less likely" in said
    assert "carries the loss" in said
    said = rendered(visit("datasets", profile="prompt_only", **ML))
    assert "Made" not in said
    assert "the model in training gives itself" in said


def test_limits_on_texts_and_groups_go_into_the_build(visit, flaw, opened):
    flaw("write to ann@example.org")
    flaw("two")
    screen = visit("datasets", **ML)
    screen.selectbox(key="personal_data").select("refuse").run()
    assert left_out(screen) == {MEANING[Reason.PERSONAL_DATA]: 1}
    screen.number_input(key="per_group").set_value(0).run()
    screen.number_input(key="reporter_share").set_value(50).run()
    build_button(screen).click().run()
    account = json.loads((opened.settings.store / "datasets" / "kto" / "1" / "manifest.json").read_text())
    assert account["hygiene"]["personal_data"] == "refuse"
    assert account["dedup"]["reports_per_group"] == 0
    assert account["reporter_cap"]["share"] == 0.5


def test_the_reports_behind_a_reason(visit, flaw, receive):
    flaw("one")
    left = receive("two")
    screen = visit("datasets", **ML)
    screen.selectbox(key="behind").select(Reason.NO_CONSENT).run()
    assert left in screen.button(key=f"behind-{left}").label


def test_two_versions_are_compared(visit, flaw, rendered, monkeypatch):
    flaw("one")
    screen = build_button(visit("datasets", **ML)).click().run()
    assert not any("Compare" in one.label for one in screen.expander)
    flaw("two")
    build_button(visit("datasets", **ML)).click().run()
    with monkeypatch.context() as patched:
        patched.setattr(versions.difference, "of_versions", None)
        screen = visit("datasets", **ML)
        assert not screen.exception, "nothing is compared before somebody asks"
    screen.session_state["compare"] = True
    screen.run()
    assert {metric.label: metric.value for metric in screen.metric} == {
        "Added": "1", "Removed": "0", "Changed": "0",
    }  # fmt: skip
    screen.selectbox(key="compare-later").select(("kto", "1")).run()
    screen.selectbox(key="compare-earlier").select(("kto", "2")).run()
    assert [metric.value for metric in screen.metric] == ["0", "1", "0"]
    assert "hold the same rows" not in rendered(screen)
    screen.selectbox(key="compare-earlier").select(("kto", "1")).run()
    assert "hold the same rows" in rendered(screen)


def test_a_version_is_planned_and_an_old_one_retired(visit, flaw, opened, rendered):
    flaw("one")
    for _ in range(2):
        build_button(visit("datasets", **ML)).click().run()
    screen = visit("datasets", **ML)
    screen.number_input(key="plan-kto-2").set_value(7).run()
    screen = screen.button(key="save-plan-kto-2").click().run()
    assert "Built again every 7 days" in rendered(screen)
    assert screen.button(key="retire-kto-1").disabled
    screen.checkbox(key="sure-kto-1").check().run()
    screen = screen.button(key="retire-kto-1").click().run()
    assert not (opened.settings.store / "datasets" / "kto" / "1").exists()
    assert screen.checkbox(key="sure-kto-1").disabled
    screen.text_input(key="dataset_version").set_value("1").run()
    screen = build_button(screen).click().run()
    screen = screen.checkbox(key="sure-kto-1").check().run()
    screen.button(key="retire-kto-1").click().run()
    assert not (opened.settings.store / "datasets" / "kto" / "1").exists(), "also when it was built again"
    screen.checkbox(key="sure-kto-2").check().run()
    screen.button(key="retire-kto-2").click().run()
    assert (opened.settings.store / "datasets" / "kto" / "2").is_dir(), "the latest stays"


def test_a_reporter_is_taken_out_and_what_came_of_it_is_told(visit, flaw, case, rendered):
    hers, too = (flaw(words, contact="ann@example.org") for words in ("one", "two"))
    his = flaw("three", contact="bob@example.org")
    for words in ("two", "four"):
        flaw(words)
    for profile in ("kto", "sft"):
        build_button(visit("datasets", profile=profile, **ML)).click().run()
    build_button(visit("datasets", **ML)).click().run()
    screen = visit("datasets", **ML)
    offered = [one.key for one in screen.button if one.label == "Take a reporter out"]
    assert offered == ["withdraw-kto-2", "withdraw-sft-1"], "from the latest versions"
    screen = screen.button(key="withdraw-kto-2").click().run()
    who = screen.selectbox(key="withdraw_who")
    reporter = who.options[0].split(",")[0]
    words = [one.split(", ")[1] for one in who.options]
    assert words == ["2 rows", "1 row"], "who left no name is in no list"
    screen = who.select(who.options[0]).run()
    assert screen.button(key="withdraw_do").disabled, "until it is confirmed"
    screen = screen.checkbox(key="withdraw_sure").check().run()
    screen = screen.button(key="withdraw_do").click().run()
    assert not screen.exception
    said = rendered(screen)
    assert f"The consent to training of 2 reports of ` {reporter} ` has ended." in said
    assert "**` kto ` ` 3 `** 2 rows gone since version ` 2 `, 1 row of others added; it holds 3 rows" in said
    assert "**` sft ` ` 2 `** 2 rows gone since version ` 1 `, 1 row of others added; it holds 3 rows" in said
    assert [case(one)["consent_training"] for one in (hers, too, his)] == [
        "none", "none", "any_safety_training",
    ]  # fmt: skip


def test_a_dataset_that_is_refused_without_a_reporter_is_named(visit, flaw, rendered, monkeypatch):
    def refuse(*_):
        raise Refused("split", "a near-copy")

    flaw("one", contact="ann@example.org")
    build_button(visit("datasets", **ML)).click().run()
    assert visit("datasets", role="Reviewer").button(key="withdraw-kto-1").disabled
    screen = visit("datasets", **ML).button(key="withdraw-kto-1").click().run()
    screen.selectbox(key="withdraw_who").select_index(0).run()
    screen.checkbox(key="withdraw_sure").check().run()
    with monkeypatch.context() as patched:
        patched.setattr(revoke.exports, "build_changed", refuse)
        screen = screen.button(key="withdraw_do").click().run()
    assert "The consent to training of 1 report of" in rendered(screen)
    assert screen.error[0].value == "` kto ` could not be built without them: ` split: a near-copy `"
