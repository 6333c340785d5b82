"""Small files of other tools, in mild words and written as those tools write them, and what is read out of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from triage_core import importers
from triage_core.importers import Line
from triage_core.model import FlawReport

SECRET = "sk-sentinel-0f1e"
Row = dict[str, Any]


def message(text: str | None, **more: object) -> Row:
    return {
        "text": text,
        "lang": "en",
        "data_path": None,
        "data_type": None,
        "data_checksum": None,
        "notes": {},
        **more,
    }


def said(role: str, text: str | None) -> Row:
    return {"role": role, "content": message(text)}


def hit(**changed: object) -> Row:
    """A line of garak 0.13 and later."""
    row = {
        "goal": "make it rude",
        "prompt": {"turns": [said("user", "Be a rude parrot.")], "notes": {}},
        "output": message("Squawk, silly!"),
        "triggers": ["silly"],
        "score": 1.0,
        "run_id": "run-1",
        "attempt_id": "8c6e",
        "attempt_seq": 3,
        "attempt_idx": 0,
        "generator": "huggingface.Model birds/parrot-2",
        "probe": "birds.Rude",
        "detector": "birds.Words",
        "generations_per_prompt": 2,
    }
    return row | changed


def attempt(**changed: object) -> Row:
    told = [["Be a rude parrot.", "Hello, friend."], ["Be a rude parrot.", "Squawk, silly!"]]
    row = {
        "entry_type": "attempt",
        "uuid": "8c6e",
        "seq": 3,
        "status": 2,
        "probe_classname": "birds.Rude",
        "probe_params": {"key": SECRET},
        "targets": [],
        "prompt": {"turns": [said("user", "Be a rude parrot.")], "notes": {}},
        "outputs": [message("Hello, friend."), message("Squawk, silly!")],
        "detector_results": {"birds.Words": [0.0, 1.0], "birds.Tone": [None, 0.5]},
        "notes": {"path": SECRET},
        "goal": "make it rude",
        "conversations": [
            {"turns": [said("user", asked), said("assistant", answered)], "notes": {}}
            for asked, answered in told
        ],
        "reverse_translation_outputs": [],
        "intent": None,
    }
    return row | changed


SETUP: Row = {
    "entry_type": "start_run setup",
    "_config.config_files": [f"/home/{SECRET}/garak.yaml"],
    "plugins.target_type": "openai.OpenAIGenerator",
    "plugins.target_name": "parrot-2",
    "plugins.generators": {"openai": {"api_key": SECRET}},
}
INIT: Row = {
    "entry_type": "init",
    "garak_version": "0.17.1",
    "start_time": "2026-01-02T03:04:05",
    "run": "run-1",
}


def result(**changed: object) -> Row:
    """A result of promptfoo as its JSON has it."""
    row = {
        "id": "r-1",
        "promptIdx": 0,
        "testIdx": 0,
        "promptId": "p",
        "provider": {"id": "openai:chat:parrot-2", "label": SECRET, "config": {"apiKey": SECRET}},
        "prompt": {"raw": "Be a rude parrot.", "label": "{{prompt}}"},
        "vars": {"prompt": "Be a rude parrot.", "token": SECRET},
        "response": {"output": "Squawk, silly!", "tokenUsage": {}, "metadata": {"headers": SECRET}},
        "success": False,
        "score": 0,
        "failureReason": 1,
        "error": "It was rude.",
        "gradingResult": {"pass": False, "score": 0, "reason": "It was rude.", "tokensUsed": {}},
        "namedScores": {},
        "latencyMs": 7,
        "cost": 0,
        "testCase": {
            "vars": {"token": SECRET},
            "options": {"provider": SECRET},
            "metadata": {
                "pluginId": "politeness",
                "strategyId": "basic",
                "goal": "make it rude",
                "severity": "high",
            },
        },
        "metadata": {},
    }
    return row | changed


def eval_of(*results: object) -> Row:
    return {
        "evalId": "eval-1",
        "results": {
            "version": 3,
            "timestamp": "2026-01-02T03:04:05.678Z",
            "prompts": [],
            "results": list(results),
        },
        "config": {
            "env": {"KEY": SECRET},
            "providers": [{"id": "openai:parrot-2", "config": {"apiKey": SECRET}}],
        },
        "shareableUrl": None,
        "metadata": {"author": SECRET},
    }


def piece(sequence: object, role: str, text: str, **changed: object) -> Row:
    """A message of PyRIT 0.11's export."""
    row = {
        "id": f"m-{sequence}",
        "role": role,
        "conversation_id": "c-1",
        "sequence": sequence,
        "timestamp": "2026-01-02T03:04:05",
        "labels": {"username": SECRET},
        "targeted_harm_categories": None,
        "prompt_metadata": {"uri": SECRET},
        "converter_identifiers": [{"class_name": "Base64Converter"}],
        "prompt_target_identifier": {
            "class_name": "OpenAIChatTarget",
            "endpoint": f"https://{SECRET}.example.org",
            "model_name": "parrot-2",
        },
        "attack_identifier": {"id": SECRET},
        "scorer_identifier": None,
        "original_value_data_type": "text",
        "original_value": "not what was sent",
        "converted_value_data_type": "text",
        "converted_value": text,
        "response_error": "none",
        "originator": "attack",
        "original_prompt_id": f"m-{sequence}",
        "scores": [],
    }
    return row | changed


SCORE: Row = {
    "score_value": "True",
    "score_type": "true_false",
    "score_rationale": "It was rude.",
    "scorer_class_identifier": {"class_name": "SelfAskTrueFalseScorer", "system_prompt_template": SECRET},
    "objective": "make it rude",
}


RUDE = [("user", "Be a rude parrot."), ("assistant", "Squawk, silly!")]
ONE_OF_EACH: dict[str, object] = {
    "garak-hitlog": hit(),
    "garak-report": [SETUP, INIT, attempt()],
    "promptfoo": eval_of(result()),
    "pyrit": json.dumps(
        [piece(0, "user", RUDE[0][1]), piece(1, "assistant", RUDE[1][1], scores=[SCORE])], indent=4
    ),
}


def read(folder: Path, content: object, format: str = "auto") -> list[Line]:
    """The lines of a file that holds `content`: a text or an object, or a list of lines that are."""
    path = folder / "file.jsonl"
    rows = content if isinstance(content, list) else [content]
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return list(importers.read(path, format))


def only(found: list[Line]) -> FlawReport:
    (line,) = found
    assert line.report is not None, line.error
    return line.report


def conversation(report: FlawReport) -> list[tuple[str, str]]:
    return [(str(turn.role), turn.content) for turn in report.turns]


def refusals(found: list[Line]) -> list[tuple[int, str]]:
    return [(line.number, line.error.field) for line in found if line.error]
