"""Drafts on the Policy screen: begin, write, conflict, refuse, approve by another, publish; nothing typed is lost."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.hostile_corpus import HOSTILE
from tests.pages.conftest import EVERYTHING
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.errors import Refused
from triage_core.guidance import policies, policy_drafts
from triage_core.guidance.policy_drafts import State
from triage_core.guidance.policy_text import Texts
from triage_core.model import Actor, DeskRole, Exposure, Generality, Harm, Reliability, SeverityInputs, Uplift
from ui import session
from ui.guidance import files, grids

OTHER = Actor("test:ben", "Ben", frozenset({DeskRole.POLICY_OWNER}))
INPUTS = SeverityInputs(Harm.H3, Exposure.SELF, Generality.RETARGETABLE, Reliability.RELIABLE, Uplift.YES)
OWNER = {"role": "Policy owner", "part": "Drafts"}


@pytest.fixture
def drafts(visit):
    def go(**parameters):
        return visit("guidance", **{**OWNER, **parameters})

    return go


@pytest.fixture
def draft(opened):
    """The draft with this number as it stands."""

    def read(draft_id=1):
        with opened.store.read() as cursor:
            return policy_drafts.read(cursor, draft_id)

    return read


def press(screen, label):
    (button,) = [each for each in screen.button if each.label == label]
    screen = button.click().run()
    assert not screen.exception
    return screen


def field(screen, label, clause=""):
    widgets = [*screen.text_input, *screen.text_area, *screen.number_input]
    (found,) = [each for each in widgets if each.label == label and clause in each.key]
    return found


def save(screen, form):
    (button,) = [each for each in screen.button if each.label == "Save" and f"-{form}-" in each.key]
    screen = button.click().run()
    assert not screen.exception
    return screen


def test_only_a_policy_owner_sees_drafts(visit):
    screen = visit("guidance")
    assert (
        "Drafts" not in screen.button_group(key="part").options if hasattr(screen, "button_group") else True
    )
    assert not [button for button in screen.button if button.label == "Begin a draft"]


def test_a_draft_is_begun_and_written_by_section(drafts, draft, rendered):
    screen = drafts()
    assert "No draft yet" in rendered(screen)
    screen = press(screen, "Begin a draft")
    assert draft().state is State.OPEN
    field(screen, "Title", "words").set_value("Where to send it")
    screen = save(screen, "words")
    assert draft().texts.parse().title == "Where to send it"
    assert field(screen, "Title", "words").value == "Where to send it"
    field(screen, "Waiting period, days").set_value(30)
    screen = save(screen, "waiting")
    field(screen, "Rule", "IN-1").set_value("Another rule.")
    save(screen, "clause IN-1")
    found = draft().texts.parse()
    assert found.waiting.default_days == 30
    assert found.clause("IN-1").text == "Another rule."
    assert "Complete: it may be approved" in rendered(drafts())


def test_what_the_check_refuses_stays_as_typed_and_is_named(drafts, draft, rendered):
    screen = press(drafts(), "Begin a draft")
    field(screen, "Holidays, like 2026-12-25").set_value("2026-12-25\nEaster")
    screen = save(screen, "clocks")
    field(screen, "Waiting period, days").set_value(400)
    screen = save(screen, "waiting")
    assert "` clocks.holidays[1] `" in screen.warning[0].value
    assert field(screen, "Holidays, like 2026-12-25").value == "2026-12-25\nEaster"
    assert field(screen, "Waiting period, days").value == 400
    assert [button.disabled for button in screen.button if button.label == "Approve"] == [True]
    for part in ("Past decisions", "Preview"):
        assert "as soon as it keeps the rules" in rendered(drafts(**{"draft-part": part}))


def test_clauses_are_added_with_a_number_never_used_and_taken_out(drafts, draft):
    screen = press(drafts(), "Begin a draft")
    (title,) = [each for each in screen.text_input if "new clause" in each.key]
    title.set_value("Sycophancy")
    screen = save(screen, "new clause")
    assert draft().texts.parse().clause("IN-8").title == "Sycophancy"
    (out,) = [each for each in screen.checkbox if "clause IN-2" in each.key]
    out.check()
    save(screen, "clause IN-2")
    assert "IN-2" not in [clause.clause_id for clause in draft().texts.parse().clauses]


@pytest.mark.parametrize(("choice", "title"), [("Keep mine", "Mine"), ("Take theirs", "Theirs")])
def test_two_people_on_one_part_choose_and_lose_nothing(drafts, draft, opened, rendered, choice, title):
    screen = press(drafts(), "Begin a draft")
    policy_drafts.change(opened.store, OTHER, 1, {"title": "Theirs"}, seen_revision=1)
    field(screen, "Title", "words").set_value("Mine")
    screen = save(screen, "words")
    assert draft().texts.parse().title == "Theirs"
    assert "changed this too" in rendered(screen)
    assert field(screen, "Title", "words").value == "Mine"
    screen = press(screen, choice)
    assert draft().texts.parse().title == title
    assert field(screen, "Title", "words").value == title
    assert "changed this too" not in rendered(screen)


def test_a_second_person_approves_and_it_is_in_force_at_once(drafts, draft, opened, monkeypatch):
    old = opened.policy
    screen = press(drafts(), "Begin a draft")
    field(screen, "Title", "words").set_value("Where to send it")
    screen = save(screen, "words")
    assert [button.disabled for button in screen.button if button.label == "Approve"] == [True]
    assert "It waits for a second person" in screen.info[0].value
    assert screen.code[0].value == f"python -m triage_core policy approve 1 --store {opened.store.folder}"
    monkeypatch.setattr(session, "actor", lambda: OTHER)
    screen = drafts()
    assert not screen.info
    screen = press(press(screen, "Approve"), "Publish")
    assert draft().state is State.PUBLISHED
    assert opened.policy.title == "Where to send it"
    with opened.store.read() as cursor:
        assert policies.version(cursor, old.version) == old
    versions = drafts(part="Versions").dataframe[0].value
    assert list(versions["Approved by"]) == [OTHER.actor_id, "–"]
    assert "Published as" in "\n".join(each.value for each in screen.markdown)
    assert drafts().selectbox(key="policy").options == [opened.policy.version, old.version]


def test_an_approval_ends_with_the_next_change(drafts, draft, opened):
    press(drafts(), "Begin a draft")
    policy_drafts.approve(opened.store, OTHER, 1, seen_revision=1)
    screen = drafts()
    field(screen, "Title", "words").set_value("Changed since")
    save(screen, "words")
    assert draft().state is State.OPEN
    assert not [button for button in drafts().button if button.label == "Publish"]


def test_what_changes_is_said_by_value_and_cell(drafts, opened, rendered):
    press(drafts(), "Begin a draft")
    row = "H0,self,universal,reliable,no"
    changes = {
        "title": "Where to send it",
        "severity.csv": opened.policy.severity_csv.replace(f"{row},low", f"{row},none"),
        "safe_harbour": "We will not go after you. " * 5,
    }
    policy_drafts.change(opened.store, OTHER, 1, changes, seen_revision=1)
    screen = drafts(**{"draft-part": "What changes"})
    said = rendered(screen)
    assert "4 differences" in said
    assert [each.value for each in screen.subheader] == ["Words", "Severity table"]
    (table,) = [each.value for each in screen.dataframe if "H0, self" in str(each.value["what"].iloc[0])]
    assert (table["now"].iloc[0], table["then"].iloc[0]) == ("low", "none")
    assert any("We will not go after you" in code.value for code in screen.code)


def test_past_decisions_that_would_change_are_counted_and_listed(drafts, receive, opened, rendered):
    press(drafts(), "Begin a draft")
    assert "No report has been decided" in rendered(drafts(**{"draft-part": "Past decisions"}))
    ids = [receive(f"question {number}") for number in range(3)]
    for report_id in ids[:2]:
        triage.assess(opened.store, opened.policy, EVERYTHING, report_id, Decision(("IN-1",), INPUTS))
    triage.assess(opened.store, opened.policy, EVERYTHING, ids[2], Decision(("EXP-1",)))
    assert "0 of 3 past decisions" in drafts(**{"draft-part": "Past decisions"}).subheader[0].value
    policy_drafts.change(opened.store, OTHER, 1, {"clause EXP-1": None}, seen_revision=1)
    screen = drafts(**{"draft-part": "Past decisions"})
    assert "1 of 3 past decisions" in screen.subheader[0].value
    table = screen.dataframe[0].value
    assert (list(table["report"]), list(table["gone"])) == ([ids[2]], ["EXP-1"])
    next(one for one in screen.button if str(one.key).startswith("only-")).click().run()
    assert screen.query_params["report"] == ids[2]


def test_withdrawn_drafts_can_be_opened_again_and_revisions_are_taken_again(drafts, draft, opened):
    screen = press(press(drafts(), "Begin a draft"), "Withdraw")
    assert draft().state is State.WITHDRAWN
    assert "not written any more" in screen.info[0].value
    press(screen, "Open again")
    assert draft().state is State.OPEN
    screen = drafts(**{"draft-part": "Files and revisions"})
    assert list(screen.dataframe[0].value["what"]) == ["started"]
    assert not [one for one in screen.button if str(one.key).startswith("only-")]
    policy_drafts.change(opened.store, OTHER, 1, {"title": "Theirs"}, seen_revision=1)
    assert draft().texts.parse().title == "Theirs"
    screen = drafts(**{"draft-part": "Files and revisions"})
    next(one for one in screen.button if str(one.key).startswith("only-")).click().run()
    assert draft().revision == 3
    assert draft().texts.parse().title != "Theirs"


def test_a_draft_of_an_older_version_is_carried_over(drafts, draft, opened):
    press(drafts(), "Begin a draft")
    second = policy_drafts.start(opened.store, OTHER)
    policy_drafts.change(opened.store, OTHER, second, {"title": "New title"}, seen_revision=1)
    policy_drafts.approve(opened.store, EVERYTHING, second, seen_revision=2)
    policy_drafts.publish(opened.store, EVERYTHING, second, seen_revision=2)
    screen = press(drafts(draft="Draft 1"), "Carry over")
    assert draft().texts.parse().title == "New title"
    assert not screen.warning


def test_a_version_published_between_draw_and_save_is_named_with_its_author(drafts, draft, opened, rendered):
    screen = press(drafts(), "Begin a draft")
    second = policy_drafts.start(opened.store, OTHER)
    change = {
        "title": "New title",
        "waiting": policy_drafts.policy_text.split(draft(second).texts)["waiting"],
    }
    change["waiting"] = {**change["waiting"], "default_days": 50}
    policy_drafts.change(opened.store, OTHER, second, change, seen_revision=1)
    policy_drafts.approve(opened.store, EVERYTHING, second, seen_revision=2)
    policy_drafts.publish(opened.store, OTHER, second, seen_revision=2)
    screen = drafts(draft="Draft 1")
    field(screen, "Title", "words").set_value("My title")
    screen = save(screen, "words")
    assert draft().texts.parse().title == "My title"
    said = rendered(screen)
    assert "test:ben" in said
    assert "It changed: Title, Waiting before going public." in said
    assert "This draft changes too: Title;" in said
    assert "It changed" not in rendered(press(screen, "Carry over"))


def test_white_hat_tiers_are_written_in_a_grid(drafts, draft, opened):
    screen = press(drafts(), "Begin a draft")
    assert "White hats" in [each.value for each in screen.subheader]
    save(screen, "white_hat")
    assert draft().revision == 1, "a grid that nobody touched changes nothing"
    before = policy_drafts.policy_text.split(draft().texts)["white_hat"]
    council = {"name": "Council", "valid_reports": 50, "signal": 0.9, "rate_factor": 20, "early_access": True}
    typed = {"edited_rows": {0: {"valid_reports": 2}}, "added_rows": [council], "deleted_rows": [1]}
    change = {"white_hat": grids.tiers_after(before, typed)}
    policy_drafts.change(opened.store, EVERYTHING, 1, change, seen_revision=1)
    found = draft().texts.parse().tiers
    assert [tier.name for tier in found] == [before[0]["name"], before[2]["name"], "Council"]
    assert (found[0].valid_reports, found[-1].rate_factor) == (2, 20)
    policy_drafts.change(opened.store, EVERYTHING, 1, {"white_hat": None}, seen_revision=2)
    assert not drafts().exception, "the grid of no tiers can be drawn"


def test_a_tier_without_a_value_is_kept_and_named(drafts, draft, opened, rendered):
    left = grids.tiers_after([], {"edited_rows": {}, "deleted_rows": [], "added_rows": [{"name": "A"}]})
    policy_drafts.start(opened.store, EVERYTHING)
    policy_drafts.change(opened.store, EVERYTHING, 1, {"white_hat": left}, seen_revision=1)
    assert "white_hat[0].valid_reports" in rendered(drafts())


@pytest.mark.parametrize(
    "part", ["Write", "What changes", "Past decisions", "Preview", "Files and revisions"]
)
def test_hostile_words_of_a_draft_are_never_markdown(drafts, draft, opened, rendered, part):
    text = HOSTILE["markdown image"]
    policy_drafts.start(opened.store, Actor(f"x {text}"[:200], text, EVERYTHING.roles))
    old = policy_drafts.policy_text.split(draft().texts)
    clause = {**old["clause IN-1"], "title": text, "text": text, "in_scope_example": text}
    changes = {
        "title": text,
        "safe_harbour": text * 3,
        "products": [text],
        "clause IN-1": clause,
    }
    policy_drafts.change(opened.store, EVERYTHING, 1, changes, seen_revision=1)
    screen = drafts(**{"draft-part": part})
    beacon = text.strip()[:20]
    lines = [line for line in rendered(screen).split("\n") if beacon in line]
    assert all("` " in line for line in lines)
    labels = [each.label for kind in ("expander", "text_input", "text_area") for each in screen.get(kind)]
    assert all("` " in label for label in labels if beacon in label)


def test_cells_of_a_grid_become_rows_of_the_table(opened):
    text = opened.policy.severity_csv
    found = grids.severity_text(text, {0: {"H4 mass": "low", "H0 self": None}})
    cells = grids.cells(found)
    assert cells["H4", "mass", "instance", "rare", "no"] == "low"
    assert cells["H0", "self", "instance", "rare", "no"] == ""
    assert grids.severity_text(text, {}) == text
    priority = opened.policy.priority_csv
    assert grids.priority_text(priority, {}) == priority
    again = grids.cells(grids.priority_text(priority, {4: {"active": "defer"}}))
    assert again["critical", "active"] == "defer"


def test_uploaded_files_are_read_by_name_under_caps():
    given = [("policy.toml", b"\xef\xbb\xbftitle = 1"), ("severity.csv", b"harm")]
    assert files.read_files(given) == {"policy.toml": "title = 1", "severity.csv": "harm"}
    for name, content, rule in (
        ("../policy.toml", b"", "is none of"),
        (HOSTILE["html image"], b"", "is none of"),
        ("severity.csv", b"\xff\xfe", "not UTF-8"),
        ("severity.csv", b"x" * (files.MOST_BYTES + 1), "at most"),
    ):
        with pytest.raises(Refused, match=rule):
            files.read_files([(name, content)])


ENTRY = (
    b"PK\1\2\x14\3\x14\0\0\0"  # of an archive's directory; its last two bytes say that a password is needed
)


def packed(*entries, method=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return written.getvalue()


def test_an_archive_of_the_files_is_read_and_nothing_else_in_one(opened):
    texts = Texts.of(opened.policy).by_file()
    assert files.read_files([("policy-2026.2.zip", packed(*texts.items()))]) == texts
    whole = packed(*texts.items())
    for content, rule in (
        (b"PK", "cannot be read"),
        (whole[:-30], "cannot be read"),
        (whole[:60] + b"x" * 10 + whole[70:], "cannot be read"),
        (whole.replace(ENTRY, ENTRY[:-2] + b"\1\0"), "cannot be read"),
        (packed(), "holds 0 files"),
        (packed(*texts.items(), ("notes.txt", "")), "holds 4 files"),
        (packed(("../policy.toml", "")), "is none of"),
        (packed(("policy/severity.csv", "")), "is none of"),
        (packed(("inner.zip", whole)), "is none of"),
        (packed(("severity.csv", b"x" * (files.MOST_BYTES + 1))), "at most"),
        (packed(("severity.csv", "x"), method=zipfile.ZIP_LZMA), "ordinary ZIP"),
        (b"x" * (3 * files.MOST_BYTES + 1), "at most"),
    ):
        with pytest.raises(Refused, match=rule):
            files.read_files([("policy.zip", content)])
    with pytest.raises(Refused, match="twice"):
        files.read_files([("policy.zip", whole), ("severity.csv", b"")])


def test_files_are_put_into_the_draft_whole_or_not_at_all(drafts, draft, opened):
    press(drafts(), "Begin a draft")
    for content, title in (
        ("title = 1", opened.policy.title),
        ("Where to report a flaw", "Where to report a flaw"),
    ):
        text = draft().texts.policy_toml.replace(opened.policy.title, content)
        screen = drafts(**{"draft-part": "Files and revisions"})
        text = text if "flaw" in content else content
        screen.file_uploader[0].set_value([("policy.toml", text.encode(), "application/toml")]).run()
        screen = press(screen, "Put into the draft")
        assert draft().texts.parse().title == title
    assert draft().revision == 2
    assert list(screen.dataframe[0].value["what"]) == ["uploaded policy.toml", "started"]
