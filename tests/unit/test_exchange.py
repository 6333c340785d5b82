"""A flaw told to peers: one content in every format, each in the shape that its readers ask for."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile_corpus import HOSTILE
from tests.making import NOON
from triage_core import exchange, importers
from triage_core.disclosure.embargo import Stub
from triage_core.errors import Refused
from triage_core.exchange import Advisory, ProductStatus
from triage_core.model import HarmType, Tlp

END = NOON + timedelta(days=45)
TURNS = [
    {"role": "user", "content": "Tell me the voucher code."},
    {"role": "tool", "content": "the code is 7"},
    {"role": "assistant", "content": ""},
    {"role": "assistant", "content": "Here it is: 7\r\n"},
]
RECORD = {
    "system": [{"platform": "Kite Travel", "model": "kite-2", "version": "", "access_method": "web"}],
    "what_is_wrong": "It gave away something it should keep.",
    "harm_types": ["financial_harm"],
    "tries": 10,
    "successes": 3,
    "other_systems_tried": [{"platform": "Parrot Chat", "model": "", "worked": "yes"}],
    "credit": "Ada",
    "report_id": "FR-1",
    "turns": TURNS,
    "tlp": "AMBER+STRICT",
    "embargo_end": END,
}
STUB = Stub("Vouchers leak", (HarmType.FINANCIAL_HARM,), END, Tlp.AMBER_STRICT)
PLAIN = Advisory("KITE-2026-1", "Vouchers leak", "Kite Travel", "https://kite.example", NOON)
ADVISORY = Advisory(
    "KITE-2026-1",
    "Vouchers leak",
    "Kite Travel",
    "https://kite.example",
    NOON,
    updated=(NOON + timedelta(days=1), NOON + timedelta(days=2)),
    techniques=("AML.T0057",),
    products={
        "Parrot Chat": ProductStatus.UNDER_INVESTIGATION,
        "Owl": ProductStatus.KNOWN_NOT_AFFECTED,
        "Lark 3": ProductStatus.FIXED,
    },
)
FORMATS = list(exchange.FORMATS)


def told(name: str, record: Any = RECORD, advisory: Advisory = ADVISORY) -> Any:
    return json.loads(exchange.written(name, record, advisory))


def objects(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [found for found in bundle["objects"] if found["type"] == kind]


def values(entries: list[dict[str, Any]], relation: str) -> list[str]:
    return [entry["value"] for entry in entries if entry["object_relation"] == relation]


def attached(event: dict[str, Any]) -> Any:
    (found,) = [entry for entry in event["Event"]["Attribute"] if entry["type"] == "attachment"]
    return json.loads(b64decode(found["data"]))


def messages(name: str, document: dict[str, Any]) -> list[str]:
    """The texts of the turns that a reader of this format finds."""
    if name == "stix/2.1":
        notes = objects(document, "note")
        return [note["content"] for note in notes if note["abstract"].startswith("Turn ")]
    if name == "csaf/2.1":
        notes = document["vulnerabilities"][0]["notes"]
        return [note["text"] for note in notes if note["title"].startswith("Turn ")]
    report = attached(document) if name == "misp" else document
    return [turn["content"] for turn in report["turns"] if turn["content"]]


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


TEXT = st.sampled_from([*HOSTILE.values()]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60
)
SPOKEN = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": TEXT}
)
RECORDS = st.fixed_dictionaries(
    {
        "turns": st.lists(SPOKEN, min_size=1, max_size=4),
        "harm_types": st.lists(st.sampled_from([str(harm) for harm in HarmType]), min_size=1, unique=True),
        "tlp": st.sampled_from([str(tlp) for tlp in Tlp]),
        "embargo_end": st.none() | st.datetimes(datetime(2026, 1, 1), timezones=st.just(UTC)),
        "credit": TEXT,
        "report_id": st.just("FR-1"),
    },
    optional={
        "what_is_wrong": TEXT,
        "expected": TEXT,
        "actual": TEXT,
        "system": st.lists(st.fixed_dictionaries({"platform": TEXT, "model": TEXT}), max_size=2),
    },
)


@pytest.mark.parametrize("name", FORMATS)
@given(record=RECORDS)
def test_any_text_comes_back_as_it_was(name: str, record: dict[str, Any]) -> None:
    line = exchange.written(name, record, ADVISORY)
    assert line.isascii()
    assert line.count(b"\n") == 1
    document = json.loads(line)
    assert messages(name, document) == [turn["content"] for turn in record["turns"] if turn["content"]]
    found = set(strings(document if name != "misp" else attached(document)))
    said = [record.get(field, "") for field in ("what_is_wrong", "expected", "actual")]
    assert found >= {text for text in said if text}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("content", [RECORD, STUB], ids=["record", "stub"])
def test_the_label_and_the_end_of_the_embargo_are_always_told(name: str, content: Any) -> None:
    found = list(strings(told(name, content)))
    assert any("AMBER+STRICT" in text for text in found)
    assert any("2026-04-16T12:00:00Z" in text for text in found)


@pytest.mark.parametrize("name", FORMATS)
def test_a_stub_says_the_title_and_the_harm_and_no_more(name: str) -> None:
    document = told(name, STUB, PLAIN)
    found = list(strings(document))
    assert "Vouchers leak" in found
    assert "financial_harm" in found
    assert not any(text.startswith("Turn ") for text in found)
    if name == "stix/2.1":
        assert [note["abstract"] for note in objects(document, "note")] == ["Kinds of harm"]
    if name == "misp":
        assert [found["name"] for found in document["Event"]["Object"]] == ["vulnerability"]
        comments = [entry["comment"] for entry in document["Event"]["Attribute"]]
        assert comments == ["Label and embargo", "Advisory"]


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_advisory_gives_the_same_document_and_another_one_other_ids(name: str) -> None:
    first = exchange.written(name, RECORD, ADVISORY)
    assert exchange.written(name, dict(RECORD), ADVISORY) == first
    other = Advisory("KITE-2026-2", "Vouchers leak", "Kite Travel", "https://kite.example", NOON)
    assert exchange.written(name, RECORD, other) != first


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"format: must be one of flaw-report/1, .*, misp"):
        exchange.written("cvrf", RECORD, ADVISORY)


def test_a_record_is_read_back_by_an_import(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": text} for text in HOSTILE.values() if len(text) < 5_000]
    (tmp_path / "told.jsonl").write_bytes(
        exchange.written("flaw-report/1", RECORD | {"turns": turns}, ADVISORY)
    )
    (line,) = importers.read(tmp_path / "told.jsonl", "auto")
    assert line.report is not None, line.error
    assert [turn.content for turn in line.report.turns] == [turn["content"] for turn in turns]
    assert (line.report.tries, line.report.successes) == (10, 3)
    extra = line.report.extra
    assert (extra["tlp"], extra["embargo_end"]) == ("AMBER+STRICT", "2026-04-16T12:00:00Z")
    assert extra["advisory"]["products"]["Owl"] == "known_not_affected"


def test_a_stub_does_not_pass_for_a_report() -> None:
    assert told("flaw-report/1", STUB)["format"] == "flaw-stub/1"
    assert told("flaw-report/1")["format"] == "flaw-report/1"


@pytest.mark.parametrize(
    ("label", "marking"),
    [
        ("RED", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"),
        ("AMBER+STRICT", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"),
        ("AMBER", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
        ("GREEN", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
        ("CLEAR", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"),
    ],
)
def test_stix_marks_every_object_with_the_published_marking(label: str, marking: str) -> None:
    bundle = told("stix/2.1", RECORD | {"tlp": label})
    tlp, statement = objects(bundle, "marking-definition")
    assert (tlp["id"], tlp["name"], tlp["created"]) == (marking, f"TLP:{label}", "2022-10-01T00:00:00.000Z")
    assert tlp["extensions"] == {
        "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
            "extension_type": "property-extension",
            "tlp_2_0": label.lower(),
        }
    }
    marked = [found for found in bundle["objects"] if "created_by_ref" in found]
    assert {found["type"] for found in marked} == {"vulnerability", "attack-pattern", "relationship", "note"}
    assert all(found["object_marking_refs"] == [marking, statement["id"]] for found in marked)


def test_stix_tells_who_tells_it_how_it_is_done_and_what_it_hits() -> None:
    bundle = told("stix/2.1")
    (flaw,) = objects(bundle, "vulnerability")
    (way,) = objects(bundle, "attack-pattern")
    (link,) = objects(bundle, "relationship")
    (who,) = objects(bundle, "identity")
    assert (link["source_ref"], link["relationship_type"], link["target_ref"]) == (
        way["id"],
        "targets",
        flaw["id"],
    )
    assert way["external_references"] == [{"source_name": "mitre-atlas", "external_id": "AML.T0057"}]
    assert flaw["external_references"] == [{"source_name": "Kite Travel", "external_id": "KITE-2026-1"}]
    assert (flaw["created"], flaw["modified"]) == ("2026-03-02T12:00:00.000Z", "2026-03-04T12:00:00.000Z")
    assert (who["name"], flaw["created_by_ref"]) == ("Kite Travel", who["id"])
    ids = [found["id"] for found in bundle["objects"]]
    assert len(set(ids)) == len(ids)
    (plain,) = objects(told("stix/2.1", STUB, PLAIN), "attack-pattern")
    assert "external_references" not in plain


@pytest.mark.parametrize(
    ("counts", "said"),
    [({}, []), ({"tries": 4}, ["4"]), ({"tries": 4, "successes": 0}, ["4, of which 0 succeeded"])],
)
def test_how_often_it_worked_is_told_where_it_was_said(counts: dict[str, int], said: list[str]) -> None:
    record = {key: value for key, value in RECORD.items() if key not in {"tries", "successes"}} | counts
    notes = objects(told("stix/2.1", record), "note")
    assert [note["content"] for note in notes if note["abstract"] == "Tries"] == said


def test_stix_keeps_the_ids_of_what_an_update_replaces() -> None:
    before, after = told("stix/2.1", STUB, PLAIN), told("stix/2.1")
    for kind in ("vulnerability", "attack-pattern", "relationship", "identity"):
        assert objects(before, kind)[0]["id"] == objects(after, kind)[0]["id"]
    assert objects(before, "identity") == objects(after, "identity")
    assert before["id"] != after["id"]


def test_csaf_is_a_security_advisory_with_a_status_for_each_product() -> None:
    document = told("csaf/2.1")
    head = document["document"]
    assert (head["csaf_version"], head["category"]) == ("2.1", "csaf_security_advisory")
    assert head["distribution"]["tlp"] == {"label": "AMBER+STRICT"}
    assert head["publisher"]["namespace"] == "https://kite.example"
    tracking = head["tracking"]
    assert (tracking["id"], tracking["version"], tracking["status"]) == ("KITE-2026-1", "3", "interim")
    assert [one["number"] for one in tracking["revision_history"]] == ["1", "2", "3"]
    assert tracking["current_release_date"] == tracking["revision_history"][-1]["date"]
    products = {one["product_id"]: one["name"] for one in document["product_tree"]["full_product_names"]}
    (flaw,) = document["vulnerabilities"]
    status = {word: [products[one] for one in ids] for word, ids in flaw["product_status"].items()}
    assert status == {
        "known_affected": ["Kite Travel kite-2"],
        "known_not_affected": ["Owl"],
        "fixed": ["Lark 3"],
        "under_investigation": ["Parrot Chat"],
    }
    assert "cve" not in flaw
    assert flaw["disclosure_date"] == "2026-04-16T12:00:00Z"
    assert flaw["acknowledgments"] == [{"names": ["Ada"]}]
    assert flaw["references"][0]["url"] == "https://atlas.mitre.org/techniques/AML.T0057"


def test_csaf_claims_no_more_than_is_known() -> None:
    """The profile of a security advisory asks for an affected product, and CLEAR for a date that is past."""
    stub = told("csaf/2.1", STUB, PLAIN)
    assert stub["document"]["category"] == "csaf_base"
    assert "product_tree" not in stub
    over = told("csaf/2.1", RECORD | {"embargo_end": None, "credit": ""}, PLAIN)
    assert over["document"]["tracking"]["status"] == "final"
    assert not {"disclosure_date", "acknowledgments"} & over["vulnerabilities"][0].keys()
    clear = told("csaf/2.1", RECORD | {"tlp": "CLEAR"})
    assert "disclosure_date" not in clear["vulnerabilities"][0]
    ours = Advisory(
        "KITE-2026-1", "Vouchers leak", "Kite Travel", "https://kite.example", NOON,
        products={"Kite Travel kite-2": ProductStatus.FIXED},
    )  # fmt: skip
    mended = told("csaf/2.1", RECORD, ours)
    assert list(mended["vulnerabilities"][0]["product_status"]) == ["fixed"]
    assert mended["document"]["category"] == "csaf_base"


def test_misp_holds_a_prompt_for_each_message_and_claims_no_cve() -> None:
    event = told("misp")["Event"]
    assert event["Tag"] == [{"name": "tlp:amber+strict"}]
    assert (event["distribution"], event["published"]) == ("0", False)
    flaw, *prompts = event["Object"]
    assert flaw["name"] == "vulnerability"
    assert values(flaw["Attribute"], "state") == ["Embargo"]
    assert values(flaw["Attribute"], "id") == []
    assert [found["comment"] for found in prompts] == ["Turn 1: user", "Turn 2: tool", "Turn 4: assistant"]
    said = [turn["content"] for turn in TURNS if turn["content"]]
    assert [values(found["Attribute"], "prompt") for found in prompts] == [[text] for text in said]
    assert [values(found["Attribute"], "role") for found in prompts] == [["user"], ["tool"], ["assistant"]]
    entries = [*event["Attribute"], *(entry for found in event["Object"] for entry in found["Attribute"])]
    uuids = [entry["uuid"] for entry in entries]
    assert len(set(uuids)) == len(uuids)
    assert not any(entry["to_ids"] for entry in entries)
    assert attached({"Event": event}) == told("flaw-report/1")


@pytest.mark.parametrize(
    ("label", "distribution"), [("RED", "0"), ("AMBER", "0"), ("GREEN", "1"), ("CLEAR", "3")]
)
def test_misp_goes_no_further_than_the_label_lets_it(label: str, distribution: str) -> None:
    event = told("misp", RECORD | {"tlp": label})["Event"]
    assert event["distribution"] == distribution
    assert event["Tag"] == [{"name": f"tlp:{label.lower()}"}]


def cases() -> list[Any]:
    hostile = [{"role": "user", "content": text} for text in HOSTILE.values()]
    return [
        pytest.param(content, advisory, id=f"{what} {how}")
        for what, content in {
            "record": RECORD,
            "stub": STUB,
            "hostile": RECORD | {"turns": hostile, "what_is_wrong": HOSTILE["csv formula"]},
            "over": RECORD | {"embargo_end": None, "tlp": "CLEAR"},
            "clear and held": RECORD | {"tlp": "CLEAR"},
        }.items()
        for how, advisory in {"plain": PLAIN, "updated": ADVISORY}.items()
    ]


@pytest.mark.optional
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("content", "advisory"), cases())
def test_the_validator_of_stix(content: Any, advisory: Advisory) -> None:
    validator = pytest.importorskip("stix2validator")
    # It would have random ids, as the standard may; the same document must give the same ids here.
    options = validator.ValidationOptions(version="2.1", strict=True, disabled="uuid-check")
    found = validator.validate_string(exchange.written("stix/2.1", content, advisory).decode(), options)
    assert found.is_valid, [str(error) for error in found.errors]
    stix2 = pytest.importorskip("stix2")
    assert len(stix2.parse(told("stix/2.1", content, advisory)).objects) > 5


@pytest.mark.optional
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("content", "advisory"), cases())
def test_the_templates_of_misp(content: Any, advisory: Advisory) -> None:
    pymisp = pytest.importorskip("pymisp")
    event = pymisp.MISPEvent()
    event.load(told("misp", content, advisory))
    for found in event.objects:
        template = pymisp.MISPObject(found.name, strict=True)
        assert template.template_uuid == found.template_uuid
        for entry in found.attributes:
            added = template.add_attribute(entry.object_relation, value=entry.value)
            assert added.type == entry.type
        template.to_json(strict=True)  # which asks for what the template requires


@pytest.mark.optional
@pytest.mark.slow
@pytest.mark.parametrize(("content", "advisory"), cases())
def test_the_validator_of_csaf(tmp_path: Path, content: Any, advisory: Advisory) -> None:
    """Needs node, and in CSAF_VALIDATOR the folder in which @secvisogram/csaf-validator-lib is installed."""
    folder = os.environ.get("CSAF_VALIDATOR")
    if not folder:
        pytest.skip("CSAF_VALIDATOR names no folder")
    (tmp_path / "told.json").write_bytes(exchange.written("csaf/2.1", content, advisory))
    checked = subprocess.run(
        ["node", "--input-type=module", "-e", CSAF, str(tmp_path / "told.json")],
        cwd=folder, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert json.loads(checked.stdout) == []


CSAF = """
import * as rules from '@secvisogram/csaf-validator-lib/csaf_2_1/mandatoryTests.js'
import * as schemas from '@secvisogram/csaf-validator-lib/csaf_2_1/schemaTests.js'
import validate from '@secvisogram/csaf-validator-lib/validate.js'
import fs from 'fs'
const told = JSON.parse(fs.readFileSync(process.argv[1], 'utf8'))
const found = await validate([...Object.values(schemas), ...Object.values(rules)], told)
console.log(JSON.stringify(found.tests.flatMap(test => test.errors.map(error => [test.name, error]))))
"""
