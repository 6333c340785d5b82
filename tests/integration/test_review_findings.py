"""What a hostile reading of the product found: each test states a promise that was once broken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from typer.testing import CliRunner

from tests.making import EVERYBODY, FLAW, MEDIUM, POLICY, Clock, bring, make_report, open_runtime, open_store
from triage_core import api, audit, cli, runtime
from triage_core.channel import intake, reportformat
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.errors import Conflict, Refused, StoreError
from triage_core.lifecycle import Trigger
from triage_core.middleware import Guard
from triage_core.model import Channel, Resolution
from triage_core.operations import Emit, imports, installation, likeness
from triage_core.runtime import Runtime
from triage_core.store import Store


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    made = open_runtime(tmp_path / "store")
    yield made
    made.close()


@pytest.fixture
def client(opened: Runtime) -> Iterator[TestClient]:
    async def fail(request: Request) -> Response:
        raise ZeroDivisionError

    runtime.use(opened)
    routes = [Route("/report/broken", fail), *api.routes]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, public_paths=api.PUBLIC_PATHS)])
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as made:
        yield made
    runtime.use(None)


def line(name: str, words: str = "", **fields: Any) -> dict[str, Any]:
    return {"external_id": name, "turns": [{"role": "user", "content": words or f"About {name}"}], **fields}


def write_lines(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in lines))
    return path


# The store


def test_a_crash_between_the_very_first_commit_and_its_anchor_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path, Clock())
    with monkeypatch.context() as crash:
        crash.setattr(audit.Anchor, "append", lambda *_: None)
        with store.write(EVERYBODY, "first") as work:
            work.event("thing.happened", "FR-1", {})
    store.close()
    again = Store(tmp_path, Clock())
    assert again.verify() == 1
    again.close()


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_truncated_database_is_a_store_error(tmp_path: Path, share: float) -> None:
    made = open_runtime(tmp_path)
    bring(made.store, *(line(f"r{n}", f"{n} " * 500) for n in range(200)))
    made.close()
    file = tmp_path / "flawdesk.duckdb"
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with pytest.raises(StoreError):
        open_runtime(tmp_path)


def test_an_anchor_that_is_no_anchor_is_a_store_error(tmp_path: Path) -> None:
    open_runtime(tmp_path).close()
    (tmp_path / "anchor.log").write_text("three words here\n")
    with pytest.raises(StoreError):
        open_runtime(tmp_path)


def test_a_store_where_a_file_stands_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError):
        open_runtime(tmp_path / "taken")


def test_verify_notices_a_report_that_was_changed_behind_the_stores_back(tmp_path: Path) -> None:
    made = open_runtime(tmp_path)
    bring(made.store, line("a", "What was really said"))
    with made.store.write(EVERYBODY, "tamper") as work:
        work.cursor.execute("UPDATE reports SET turns = [{'role': 'user', 'content': 'Something else'}]")
    with pytest.raises(StoreError):
        installation.verify(made, {}, Emit())
    made.close()


# Intake


def test_a_date_at_the_end_of_time_refuses_its_own_line_alone(opened: Runtime, tmp_path: Path) -> None:
    last = line("last", submitted_at="9999-12-31T23:59:59Z")
    file = write_lines(tmp_path / "lines.jsonl", line("before"), last, line("after"))
    refused: list[dict[str, Any]] = []
    done = imports.import_files(opened, {"files": [str(file)]}, Emit(item=refused.append))
    assert (done["stored"], done["refused"]) == (2, 1)
    assert [item["line"] for item in refused] == [2]
    assert "submitted_at" in refused[0]["reason"]


def test_a_conflict_names_the_key_that_was_sent(opened: Runtime) -> None:
    one = reportformat.parse(make_report("One", external_id="a"))
    other = reportformat.parse(make_report("Another", external_id="b"))
    intake.receive(opened.store, POLICY, one, Channel.API, "my key")
    with pytest.raises(Conflict) as refusal:
        intake.receive(opened.store, POLICY, other, Channel.API, "my key")
    assert refusal.value.field == "idempotency_key"


def test_a_stranger_cannot_take_the_name_of_an_imported_report(opened: Runtime) -> None:
    stranger = reportformat.parse(make_report("From outside", external_id="ticket-7"))
    intake.receive(opened.store, POLICY, stranger, Channel.API)
    (imported,) = bring(opened.store, line("ticket-7"))
    with opened.store.read() as cursor:
        assert triage.find(cursor, "ticket-7") == imported


def test_an_external_id_that_looks_like_a_report_id_is_found_by_its_own_option(opened: Runtime) -> None:
    bring(
        opened.store, line("first", "Alpha alpha"), line("FR-1", "Omega omega"), line("third", "Omega omegas")
    )
    likeness.index(opened, {}, Emit())
    best = likeness.similar(opened, {"external_id": "FR-1", "k": 1}, Emit())
    assert [item["report_id"] for item in best] == ["FR-3"]


# Decisions


def test_a_linked_pair_is_not_kept_apart_in_whatever_order_it_was_imported(opened: Runtime) -> None:
    late = line("late", submitted_at="2026-02-02T00:00:00Z")
    early = line("early", submitted_at="2026-01-01T00:00:00Z")
    child, canonical = bring(opened.store, late, early)
    triage.link(opened.store, EVERYBODY, child, canonical)
    with pytest.raises(Conflict):
        triage.keep_apart(opened.store, EVERYBODY, child, canonical)


def test_a_duplicate_is_no_canonical_report(opened: Runtime) -> None:
    first, second, third = bring(opened.store, line("a"), line("b"), line("c"))
    triage.link(opened.store, EVERYBODY, second, first)
    with pytest.raises(Refused) as refusal:
        triage.link(opened.store, EVERYBODY, third, second)
    assert first in refusal.value.rule


@pytest.mark.parametrize("resolution", [Resolution.OUT_OF_SCOPE, Resolution.EXPECTED_BEHAVIOUR])
def test_scope_is_no_shield_without_a_clause_that_says_so(opened: Runtime, resolution: Resolution) -> None:
    (report_id,) = bring(opened.store, line("a"))
    with pytest.raises(Refused):
        triage.assess(opened.store, POLICY, EVERYBODY, report_id, Decision(("IN-1",), MEDIUM, resolution))


def test_what_belongs_to_the_authority_goes_there_whatever_else_is_cited(opened: Runtime) -> None:
    (report_id,) = bring(opened.store, line("a"))
    case = triage.assess(opened.store, POLICY, EVERYBODY, report_id, Decision(("OOS-1", "RTE-2")))
    assert case["resolution"] == Resolution.REROUTED


def test_a_report_is_accepted_by_an_assessment_only(opened: Runtime) -> None:
    (report_id,) = bring(opened.store, line("a"))
    triage.move(opened.store, EVERYBODY, report_id, Trigger.TRIAGE)
    with pytest.raises(Refused):
        triage.move(opened.store, EVERYBODY, report_id, Trigger.ACCEPT)


@pytest.mark.parametrize("answer", ["half a \udc80 pair", "a NUL \x00"])
def test_what_a_reviewer_writes_keeps_the_rules_of_text(opened: Runtime, answer: str) -> None:
    (report_id,) = bring(opened.store, line("a"))
    decision = Decision(FLAW.clauses, FLAW.inputs, better_answer=answer)
    with pytest.raises(Refused) as refusal:
        triage.assess(opened.store, POLICY, EVERYBODY, report_id, decision)
    assert refusal.value.field == "better_answer"


# HTTP


def test_a_form_that_is_shown_again_keeps_what_the_reporter_agreed_to(client: TestClient) -> None:
    chosen = {"consent_share_peers": "no", "consent_training": "classifier_only", "credit_wish": "handle"}
    page = client.post("/report", data={"platform": "Kite", "tries": "many", **chosen}).text
    for name, value in chosen.items():
        select = re.search(rf'<select name="{name}"[^>]*>(.*?)</select>', page, re.DOTALL)
        assert select is not None
        assert re.findall(r'value="(\w+)"\s+selected', select.group(1)) == [value]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/report", {"host": "elsewhere.example"}, 403),
        ("/report", {"origin": "https://elsewhere.example"}, 403),
        ("/report/broken", {}, 500),
    ],
)
def test_refusals_and_faults_carry_the_content_policy(
    client: TestClient, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("content-security-policy", "").startswith("default-src 'none'")


# The command line


def invoke(tmp_path: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "--store", str(tmp_path / "store"), "--json"])
    assert result.exception is None or isinstance(result.exception, Refused | SystemExit), result.exception
    return result


def test_every_command_takes_a_store(tmp_path: Path, repository: Path) -> None:
    assert invoke(tmp_path, "policy", "check", str(repository / "data")).exit_code == 0


def test_a_better_answer_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_bytes(b"\xff\xfe")
    result = invoke(tmp_path, "assess", "FR-1", "--clause", "OOS-1", "--better-answer", str(file))
    assert "better" in str(result.exception)


def test_an_output_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    result = invoke(tmp_path, "export", "--profile", "kto", "--out", str(tmp_path / "taken"))
    assert isinstance(result.exception, Refused)
    assert result.exception.field == "out"
