"""The public data sets as the likeness benchmarks use them: texts with the labels of each axis.

The data are not part of the project; every loader raises SystemExit with the folder's name where they are absent.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SLOT = "[INSERT PROMPT HERE]"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts, and per axis one label a text (None: alike to no other)."""

    name: str
    texts: list[str]
    labels: dict[str, list[Any]]
    requests: list[list[tuple[int, int]] | None] = field(default_factory=list)


def rows(path: str) -> list[dict[str, Any]]:
    """The lines of one JSONL file of the data folder."""
    file = DATA / path
    if not file.is_file():
        raise SystemExit(f"needs the public data sets: {path} is not in {DATA.name}/")
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def half(items: list[Any], fold: int) -> list[Any]:
    """Every second item: folds 0 and 1 share none; fold -1 is all of them."""
    return items if fold < 0 else items[fold::2]


def templates(fold: int = -1) -> list[dict[str, Any]]:
    return half(rows("template_x_payload/templates_dev.jsonl"), fold)


def payloads(fold: int = -1) -> list[dict[str, Any]]:
    return half(rows("template_x_payload/payloads.jsonl"), fold)


def behaviours(fold: int = -1) -> list[str]:
    return half(sorted({row["behavior"] for row in rows("jbb_artifacts/prompts_dev.jsonl")}), fold)


def composed(fold: int, each: int, of: int, seed: int = 0) -> Corpus:
    """Every template of the fold with `each` of the fold's first `of` payloads."""
    draw = random.Random(f"{seed}/{fold}/{each}/{of}")
    texts, techniques, requests, spans = [], [], [], []
    for template in templates(fold):
        before, _, after = template["text"].partition(SLOT)
        for payload in draw.sample(payloads(fold)[:of], each):
            texts.append(before + payload["text"] + after)
            spans.append([(len(before), len(before) + len(payload["text"]))])
            techniques.append(template["technique_id"])
            requests.append(payload["payload_id"])
    return Corpus(f"composed {each} a wrapper", texts, {"technique": techniques, "request": requests}, spans)


def attacks(fold: int = -1) -> Corpus:
    """The prompts of the attack methods for the fold's behaviours; spans where the goal stands in the prompt."""
    wanted = set(behaviours(fold))
    kept = [row for row in rows("jbb_artifacts/prompts_dev.jsonl") if row["behavior"] in wanted]
    spans: list[list[tuple[int, int]] | None] = []
    for row in kept:
        prompt, goal, found, at = row["prompt"].lower(), row["goal"].lower(), [], -1
        while (at := prompt.find(goal, at + 1)) >= 0:
            found.append((at, at + len(goal)))
        spans.append(found if found and row["method"] != "PAIR" else None)
    return Corpus(
        "attack methods",
        [row["prompt"] for row in kept],
        {"technique": [row["method"] for row in kept], "request": [row["behavior"] for row in kept]},
        spans,
    )


def families(fold: int = -1) -> Corpus:
    """Jailbreaks as people posted them, with their near-duplicate family; a family stays in one fold."""
    found = rows("wild_jailbreaks/wild_dev.jsonl")
    kept = [
        row
        for at, row in enumerate(found)
        if fold < 0 or (at if row["community_id"] is None else int(row["community_id"])) % 2 == fold
    ]
    labels = [row["community_id"] for row in kept]
    return Corpus("wild families", [row["text"] for row in kept], {"whole": labels, "technique": labels})


def paraphrases(fold: int = -1) -> Corpus:
    found = rows("paraphrase_intents/paraphrases_dev.jsonl")
    kept = [row for row in found if fold < 0 or int(row["cluster"]) % 2 == fold]
    labels = [row["cluster"] for row in kept]
    return Corpus("paraphrases", [row["text"] for row in kept], {"whole": labels, "request": labels})


def intents(split: str = "test") -> Corpus:
    found = rows(f"cluster_bench/banking_{split}.jsonl")
    labels = [row["label"] for row in found]
    return Corpus("intents", [row["text"] for row in found], {"whole": labels, "request": labels})


def injections() -> Corpus:
    """Short prompt injections; the kinds are broad, so that few share words or meaning."""
    found = rows("prompt_injection_types/en.jsonl")
    kinds = [row["injection_variant"] for row in found]
    return Corpus("prompt injections", [row["user_input"] for row in found], {"technique": kinds})


def bug_times() -> list[str]:
    """When each of `bugs` was reported, ISO 8601."""
    return sorted(row["created"] for row in rows("bug_dups/hadoop_reports.jsonl"))


def bugs() -> tuple[Corpus, dict[int, set[int]]]:
    """Bug reports in order of time, and for each later one the positions of its earlier duplicates."""
    found = sorted(rows("bug_dups/hadoop_reports.jsonl"), key=lambda row: row["created"])
    place = {row["id"]: at for at, row in enumerate(found)}
    earlier: dict[int, set[int]] = {}
    for pair in rows("bug_dups/hadoop_pairs.jsonl"):
        one, other = place.get(pair["issue_id"]), place.get(pair["duplicate_id"])
        if one is not None and other is not None:
            earlier.setdefault(max(one, other), set()).add(min(one, other))
    texts = [f"{row['title']}\n{row['text'] or ''}".strip() for row in found]
    return Corpus("bug reports", texts, {}), earlier
