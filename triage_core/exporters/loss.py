"""Where the loss falls in a row: which messages a trainer only reads, and which it learns to say, or not to say.

So it is with TRL's trainers: a prompt, and the words of the template that open an answer, are read; the text of
the answer and the token that ends it carry the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Effect(StrEnum):
    """What training does with a message."""

    READ = "read"
    LEARNT = "learnt"
    MORE_LIKELY = "more_likely"
    LESS_LIKELY = "less_likely"
    SCORED_HIGHER = "scored_higher"
    SCORED_LOWER = "scored_lower"


ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "kto": "A row labelled true makes the answer more likely, one labelled false less likely.",
        "preference": "The chosen answer becomes more likely than the rejected one.",
        "sft": "The answer is learnt word for word; the prompt is only read.",
        "reward": "The model reads each conversation whole and scores it at its last token: the chosen one higher.",
        "bad_user": "The attacker's turn is learnt; what stands before it is only read.",
        "classifier": "The texts are read; what is learnt are the labels.",
        "prompt_only": "The prompt is read. The loss falls on answers that the model in training gives itself.",
        "eval": "Nothing is learnt from these rows: they only ask.",
    }
)

_LAST: Mapping[str, Mapping[str, Effect]] = MappingProxyType(
    {
        "preference": {"chosen": Effect.MORE_LIKELY, "rejected": Effect.LESS_LIKELY},
        "sft": {"completion": Effect.LEARNT},
        "reward": {"chosen": Effect.SCORED_HIGHER, "rejected": Effect.SCORED_LOWER},
        "bad_user": {"completion": Effect.LEARNT},
    }
)


def effects(profile: str, row: Mapping[str, object], column: str) -> list[Effect]:
    """What training does with each message of a column of messages."""
    messages = row[column]
    assert isinstance(messages, list)
    read = [Effect.READ] * len(messages)
    if profile == "kto" and column == "completion":
        return [Effect.MORE_LIKELY if row["label"] else Effect.LESS_LIKELY]
    last = _LAST.get(profile, {}).get(column)
    return read if last is None else [*read[:-1], last]
