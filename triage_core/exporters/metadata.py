"""What is told about a row beside the trainer's columns: flat text columns, all named meta_*."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triage_core.desk.preferred import Answer
from triage_core.exporters.hygiene import Clean

NAMES = (
    "example_id",
    "row_sha256",
    "report_id",
    "reporter_id",
    "external_id",
    "received_at",
    "content_sha256",
    "group",
    "group_size",
    "technique",
    "verdict",
    "votes",
    "consensus",
    "resolution",
    "clauses",
    "severity",
    "policy_version",
    "harm_types",
    "platform",
    "model",
    "model_version",
    "consent_training",
    "control_tokens",
    "hidden_characters",
    "redactions",
    "answer_by",
)
BY_REPORTERS = ("external_id", "platform", "model", "model_version")
"""What reporters write as they like; the others are names and values of our own."""
HARDLY_TWICE = frozenset(
    f"meta_{name}"
    for name in (
        "example_id",
        "row_sha256",
        "report_id",
        "external_id",
        "received_at",
        "content_sha256",
        "group",
    )
)
"""Columns in which few values stand more than once."""
FIELDS = [pa.field(f"meta_{name}", pa.string()) for name in NAMES]
SCHEMA = pa.schema(FIELDS)
EXAMPLE_ID = "meta_example_id"
ROW_SHA256 = "meta_row_sha256"
REPORT_ID = "meta_report_id"
REPORTER_ID = "meta_reporter_id"


def canonical(value: Any, text: Callable[[Any], str] = encode_basestring_ascii) -> str:
    """A row's value as `json.dumps` writes it with sorted keys, no spaces and ASCII only: what is hashed of a row.

    `text` says how a text is written, which may be anything but a truth value or None.
    """
    if isinstance(value, list):  # of messages
        messages = [f'{{"content":{text(one["content"])},"role":"{one["role"]}"}}' for one in value]
        return f"[{','.join(messages)}]"
    if isinstance(value, dict):
        return "{" + ",".join([f'"{key}":{canonical(value[key], text)}' for key in sorted(value)]) + "}"
    return json.dumps(value) if value is None or isinstance(value, bool) else text(value)


def of_reports(
    facts: pa.Table,
    verdicts: pa.Array,
    others: Mapping[int, Sequence[str]],
    group_sizes: NDArray[np.int64],
    cleaned: Mapping[int, Clean],
    answers: Mapping[int, Answer],
) -> dict[str, pa.Array]:
    """The meta_* columns of n reports, but those that name a row.

    `facts` are those of source.py with the id of each group, where "" says nothing; `verdicts` those in force.
    `others`, the verdicts of whoever else decided, `cleaned` and `answers` are by place, where there are any.
    """
    size = len(facts)
    told = {name: facts[name] for name in NAMES if name in facts.column_names}
    told |= _voted(verdicts, others)
    told |= {"verdict": verdicts, "group_size": pa.array(group_sizes).cast(pa.string())}
    # The hash is of the text as it came in: with the rest of the text at hand, a value written over could be guessed.
    written_over = np.zeros(size, np.bool_)
    written_over[[at for at, one in cleaned.items() if one.redactions]] = True
    told["content_sha256"] = pc.if_else(pa.array(written_over), "", told["content_sha256"])
    kinds = {at: Counter(span.kind for span in one.redactions) for at, one in cleaned.items()}
    told["control_tokens"] = _few(size, {at: " ".join(one.control_tokens) for at, one in cleaned.items()})
    told["hidden_characters"] = _few(size, {at: _counts(one.hidden) for at, one in cleaned.items()})
    told["redactions"] = _few(size, {at: _counts(one) for at, one in kinds.items()})
    approved = {at: one for at, one in answers.items() if one.approved_by and one.content}
    told["answer_by"] = _few(size, {at: "two" if one.by_two else "one" for at, one in approved.items()})
    return told


def of_rows(
    told: Mapping[str, pa.Array], reports: NDArray[np.int64], example_ids: pa.Array, sha256: NDArray[np.uint8]
) -> pa.Table:
    """The metadata of n rows, given which report each is of, its name and its hash (n, 32)."""
    hexed = sha256.tobytes().hex().encode("ascii")
    bounds = np.arange(0, len(hexed) + 1, 64, dtype=np.int32)
    hashes = pa.StringArray.from_buffers(len(sha256), pa.py_buffer(bounds), pa.py_buffer(hexed))
    columns = {"example_id": example_ids, "row_sha256": hashes}
    columns |= {name: column.take(pa.array(reports)) for name, column in told.items()}
    return pa.table([columns[name] for name in NAMES], names=SCHEMA.names).cast(SCHEMA)


def _voted(verdicts: pa.Array, others: Mapping[int, Sequence[str]]) -> dict[str, pa.Array]:
    """How many people gave each verdict, and the share of them who gave the one in force: one person, as a rule."""
    alone = verdicts.dictionary_encode()
    votes = pc.binary_join_element_wise(alone.dictionary, pa.scalar("1"), ":").take(alone.indices)
    if not others:
        return {"votes": votes, "consensus": pa.repeat(pa.scalar("1.00"), len(verdicts))}
    places = list(others)
    won = verdicts.take(pa.array(places)).to_pylist()
    counted = [Counter([one, *others[at]]) for at, one in zip(places, won, strict=True)]
    shares = [f"{one[verdict] / one.total():.2f}" for one, verdict in zip(counted, won, strict=True)]
    several = _few(len(verdicts), dict(zip(places, map(_counts, counted), strict=True)))
    agreed = _few(len(verdicts), dict(zip(places, shares, strict=True)))
    return {
        "votes": pc.if_else(pc.equal(several, ""), votes, several),
        "consensus": pc.if_else(pc.equal(agreed, ""), "1.00", agreed),
    }


def _few(size: int, texts: Mapping[int, str]) -> pa.Array:
    """A column of "" with a few texts in it, by place."""
    if not any(texts.values()):
        return pa.repeat(pa.scalar(""), size)
    numbers = np.zeros(size, np.int64)
    numbers[list(texts)] = np.arange(1, len(texts) + 1)
    return pa.array(["", *texts.values()]).take(pa.array(numbers))


def _counts(found: Mapping[Any, int]) -> str:
    return " ".join(f"{name}:{count}" for name, count in sorted(found.items()))
