"""Rows keep their hashes from one release to the next: who built a dataset can build it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hostile_corpus import HOSTILE
from tests.making import EVERYBODY, FLAW, POLICY, Clock, bring, decide, make_report, open_store
from triage_core.errors import Refused
from triage_core.exporters.build import ExportRequest, build
from triage_core.exporters.profiles import PROFILES
from triage_core.store import Store

# The first 16 digits of content_sha256, taken before rows were put together as columns. Those of bad_user hold words
# of the policy, and those of eval depend on the draw of the sides.
KNOWN = {
    "kto": "1e982d1294829d17",
    "preference": "c057cc211272472b",
    "sft": "b404b4b88e7f99ef",
    "classifier": "91f0b3b63950d17a",
    "reward": "0d7557a78180995c",
    "bad_user": "57353612d7831cbc",
    "prompt_only": "9422b9fb18bd1595",
    "eval": "558c4c44736f544e",
}
ROLES = ("user", "assistant", "user", "user", "assistant", "assistant", "system", "tool", "user", "assistant")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Flaws and expected behaviour, conversations of one to ten turns, hostile texts, blank ones, personal data."""
    opened = open_store(tmp_path_factory.mktemp("stays") / "store", Clock())
    texts = [*HOSTILE.values(), "Write to ann@example.org", " \n", "\u2003", "Plain words, and more."]
    for number, text in enumerate(texts):
        said = [texts[(number * 7 + at) % len(texts)] for at in range(number % len(ROLES))]
        turns = [
            {"role": role, "content": content}
            for role, content in zip(ROLES, [f"Question {number}: {text}", *said], strict=False)
        ]
        line = make_report(turns=turns, consent_training="safety_and_bad_user", external_id=f"name {number}")
        (report_id,) = bring(opened, line)
        answers = ("", f"Better: {text}", said[-1] if said else "")
        decision = replace(FLAW, better_answer=answers[number % 3])
        if number % 4 == 0:
            decision = replace(decision, clauses=("EXP-1",), inputs=None)
        try:
            decide(opened, report_id, decision)
        except Refused:
            decide(opened, report_id, replace(decision, better_answer=""))
    with opened.write(EVERYBODY, "test") as work:
        work.cursor.execute("UPDATE assessments SET reproduction_log = 'seen' WHERE assessment_id % 2 = 0")
    yield opened
    opened.close()


@pytest.mark.parametrize("profile", PROFILES)
def test_the_rows_of_a_profile_keep_their_hashes(store: Store, tmp_path: Path, profile: str) -> None:
    made = build(store, POLICY, EVERYBODY, ExportRequest(profile, tmp_path, per_group=0, reporter_share=1))
    assert made["content_sha256"][:16] == KNOWN[profile], made["rows"]
