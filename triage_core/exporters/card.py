"""The dataset card: front matter that tells a loader which files are rows, and what people should know."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from triage_core.exporters import metadata
from triage_core.exporters.folder import DATA, METADATA, file_name, schema_of
from triage_core.exporters.gate import MEANING, Reason
from triage_core.exporters.packs import PACKS
from triage_core.exporters.profiles import Profile
from triage_core.exporters.split import Split
from triage_core.guidance.policy import Policy

FILE = "README.md"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def render(profile: Profile, policy: Policy, manifest: Mapping[str, Any]) -> str:
    """The card of a dataset. The columns are named with their types, so that a loader need not guess them.

    `manifest` names the files of rows and metadata already.
    """
    return "\n".join([*_front_matter(profile, manifest), *_body(profile, policy, manifest), ""])


def _front_matter(profile: Profile, manifest: Mapping[str, Any]) -> Iterator[str]:
    layout, format = manifest["layout"], manifest["format"]
    sides = [side for side in Split if manifest["rows"]["split"].get(side)]
    configs = [("default", DATA, schema_of(profile.schema, layout))]
    if layout == "strict":
        configs.append(("metadata", METADATA, metadata.SCHEMA))
    yield from (
        "---",
        f"pretty_name: {json.dumps(manifest['name'])}",
        f"size_categories: [{_size(manifest)}]",
    )
    yield "tags: [ai-flaw-reports, safety]"
    if sides and format not in PACKS:  # a loader refuses a configuration without files
        yield "configs:"
        for name, part, _ in configs:
            yield from (f"- config_name: {name}", "  data_files:")
            for side in sides:
                yield from (f"  - split: {side}", f"    path: {file_name(part, side, format)}")
        yield "dataset_info:"
        for name, part, schema in configs:
            yield f"- config_name: {name}"
            yield f"  description: {json.dumps(_content(part, manifest))}"
            yield "  features:"
            for field in schema:
                yield from _feature(field)
    yield "---"


def _content(part: str, manifest: Mapping[str, Any]) -> str:
    """What a configuration holds, by the hashes of its files.

    `datasets` keeps what it has read under the folder's name (the version) and a hash of this front matter. Were that
    alike in two datasets, as it is for all that share columns, the second would be answered with the rows of the first.
    """
    files = [file for file in manifest["files"] if file["path"].startswith(f"{part}/")]
    told = ", ".join(f"{file['path']} sha256 {file['sha256']}" for file in files)
    return f"{manifest['name']} {manifest['version']}: {told}"


def _feature(field: pa.Field) -> Iterator[str]:
    yield f"  - name: {field.name}"
    if pa.types.is_list(field.type):
        yield "    list:"
        for inner in field.type.value_type:
            yield from (f"    - name: {inner.name}", f"      dtype: {inner.type}")
    else:
        yield f"    dtype: {field.type}"


def _body(profile: Profile, policy: Policy, manifest: Mapping[str, Any]) -> Iterator[str]:
    rows = manifest["rows"]
    sides = ", ".join(f"{rows['split'].get(side, 0):,} {side}" for side in Split)
    yield from ("", f"# {manifest['name']} {manifest['version']}", "", profile.about, "")
    yield f"{rows['total']:,} rows ({sides}) of {manifest['considered']:,} reports, profile `{profile.name}`,"
    yield f"made by {manifest['generator']} under policy {manifest['policy_version']}."
    yield from (
        "",
        "Prompts in these files are hostile by nature: load them as data, never through a template engine.",
    )
    hygiene, found = manifest["hygiene"], manifest["found"]
    yield from (
        f"Control tokens typed as text: {hygiene['control_tokens']}, in {found['control_tokens']['rows']:,} rows.",
        f"Hidden characters: {hygiene['hidden']}, in {found['hidden_characters']['rows']:,} rows.",
        f"Personal data found by pattern: {hygiene['personal_data']}, in {found['personal_data']['rows']:,} rows.",
    )
    yield from _datasheet(manifest)
    if manifest["layout"] == "strict":
        yield from (
            "",
            "## Files",
            "",
            "Row *n* of a data file is described by row *n* of the metadata file of the same split",
        )
        yield "(configuration `metadata`); `meta_row_sha256` is the SHA-256 of the row's canonical JSON."
    if manifest["excluded"]:
        yield from ("", "## Not in here", "", "| reports | why |", "|---|---|")
        for reason, count in manifest["excluded"].items():
            yield f"| {count:,} | {MEANING[Reason(reason)]} |"
    if "subcategory" in profile.schema.names:
        yield from ("", "## Categories", "")
        for clause in policy.clauses:
            yield f"- {clause.clause_id}: {clause.title}. {' '.join(clause.text.split())}"
    yield from ("", "`manifest.json` holds all counts and the SHA-256 of every file.")


def _datasheet(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What somebody asks before they train on it: what for, of what, whose words, how it was divided, what changed."""
    rows, people, leakage = manifest["rows"], manifest["reporters"], manifest["leakage"]
    agreed, cap, split, changed = (manifest[part] for part in ("agreement", "reporter_cap", "split", "diff"))
    yield from ("", "## What it may be used for", "", f"The reporters agreed to {_words(manifest['use'])}.")
    yield "Whoever takes that back is left out of the next version; this one never changes."
    yield from ("", "## What is in it", "", "| what | rows |", "|---|--:|")
    for part in ("label", "severity", "clause", "answer_by"):
        for name, count in rows[part].items():
            yield f"| {_words(part)} {name or 'none'} | {count:,} |"
    largest = people["largest"][0]["share"] if people["largest"] else 0
    repeated = len(people["repeated_wording"])
    yield from ("", "## Whose words, and who decided", "")
    yield f"- Reporters with a name: {people['known']:,}; reports without one: {people['anonymous_reports']:,}."
    yield f"- Most of one reporter: {largest:.1%}; the cap is {cap['share']:.0%} of a side, or {cap['least']}."
    yield f"- Reporters who alone bring the same wording again and again: {repeated:,} (named in the manifest)."
    yield f"- Of all decisions of the desk {agreed['n']:,} were made twice; {agreed['same']:,} of them agree in full."
    yield from ("", "## Train and test", "")
    yield f"- Groups of like reports: {leakage['groups']:,}; on both sides: {leakage['groups_across_splits']:,}."
    yield f"- A new group is test data with a chance of {split['test_share']:.0%}, and stays on its side."
    near = leakage["nearest"]
    if near["highest"] is not None:
        pair = f"{near['highest']:.3f}, {near['test']} with {near['train']}"
        yield f"- Highest cosine of a test and a training report: {pair}."
        yield f"- Test reports with a training report at {near['near_from']} or more: {near['test_reports_near']:,}."
    yield (
        f"- Compared by cosine: {near['test_reports_compared']:,} of {near['test_reports']:,} test reports, each with"
        f" {near['training_reports_compared']:,} of train; without a vector: {near['without_vector']:,}."
    )
    yield f"- Near-copies across that likeness holds for different: {leakage['near_copies_held_different']:,}."
    yield f"- Test rows that share 13 words in a row with train: {leakage['test_rows_sharing_13_words']:,}."
    yield f"- Rows whose near duplicates are not known yet: {leakage['rows_not_indexed']:,}."
    if changed:
        yield from ("", f"## Since version {manifest['parent']}", "")
        yield f"{changed['added']:,} rows added, {changed['removed']:,} removed, {changed['changed']:,} changed."


def _words(name: str) -> str:
    return name.replace("_", " ")


def _size(manifest: Mapping[str, Any]) -> str:
    total = manifest["rows"]["total"]
    return json.dumps(next((name for bound, name in _SIZES if total < bound), "n>1M"))
