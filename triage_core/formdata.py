"""The public form's fields as the flaw-report/1 JSON that the one validator reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[str, Sequence[str]]
TEXTS = ("what_is_wrong", "contact", "credit_name", "expected")
CHOICES = ("disclosure_intent", "credit_wish", "consent_training", "consent_share_peers")


def to_report_json(values: Values) -> dict[str, Any]:
    """A sent form as a JSON object; empty fields are left out, a browser's CRLF becomes LF."""
    report: dict[str, Any] = {}
    system = {name: _one(values, name) for name in ("platform", "model", "version")}
    if any(system.values()):
        report["system"] = [{name: value for name, value in system.items() if value}]
    turns = [
        {"role": role, "content": content}
        for role, name in (("user", "user_turn"), ("assistant", "assistant_turn"))
        if (content := _one(values, name, strip=False)).strip()
    ]
    if turns:
        report["turns"] = turns
    if values.get("harm_types"):
        report["harm_types"] = list(values["harm_types"])
    for name in (*TEXTS, *CHOICES):
        if value := _one(values, name):
            report[name] = value
    if _one(values, "illegal_minor_content"):
        report["illegal_minor_content"] = True
    if _one(values, "wants_reward"):
        report["wants_reward"] = True
    for name in ("tries", "successes"):
        if value := _one(values, name):
            # What is no number goes on as text, so that the validator names the field.
            report[name] = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value
    return report


def _one(values: Values, name: str, *, strip: bool = True) -> str:
    value = (values.get(name) or [""])[0].replace("\r\n", "\n")
    return value.strip() if strip else value
