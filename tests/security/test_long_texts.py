"""No text holds up the process that reads it: what a report may hold is read in a time that grows with its length.

One expression that goes back over what it has read, or marks that are put in order one by one, would keep the worker,
and every screen with it, for minutes to hours. So the limit here is no measure of speed: it ends a test that hangs.
"""

from __future__ import annotations

import random
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from triage_core import redact, text
from triage_core.channel import hints, spam, transcript
from triage_core.channel.reportformat import MAX_CONVERSATION_CHARACTERS
from triage_core.likeness import decoding, lexical, slots, suggest
from triage_core.model import DisclosureIntent, FlawReport, HarmType, Turn, TurnRole

HANGS_AFTER_S = 150
READERS = {
    "canonical": text.canonical,
    "reveal": text.reveal,
    "segments": lexical.segments,
    "request": lambda said: slots.read(said, slots.shipped()),
    "answer": lambda said: suggest.evidence(_NO_VECTOR, _NO_VECTOR, [(said, said)]),
    "encoded": decoding.find,
    "personal data": lambda said: list(redact.find(said)),
    "transcript": transcript.split,
    "sums": hints.SUM.search,
    "spam": lambda said: spam.suggest(_report(said)),
}
REPEATED = {
    "blanks": " ",
    "lines": "\n",
    "blank lines": "\n ",
    "tabs": "\t",
    "marks": "\u0344\u0301\u0316",
    "kana marks": "\uff9e\u0301",
    "keys": "sk-",
    "digits": "1",
    "numbers": "1 ",
    "hexadecimal": "ab ",
    "spelled": "a...",
    "mail": "a@a.",
    "template": "<|im_end|>  ",
    "quotations": '" ',
}
BEGUN = ("1:11", "12:03 pm - ", "# user", "**user**", "user said")
"""Beginnings of marks, after which a text goes on with one sign to its end."""
_NO_VECTOR = np.zeros((1, 4), np.float32)


def _report(said: str) -> FlawReport:
    return FlawReport(
        system=(),
        turns=(Turn(TurnRole.USER, said),),
        what_is_wrong=said[:5_000],
        harm_types=(HarmType.OTHER,),
        disclosure_intent=DisclosureIntent.NO,
    )


def read_all() -> None:
    """Read the longest text of each kind by every reader; the last character is another one, so that nothing fits."""
    for name, unit in REPEATED.items():
        said = (unit * (MAX_CONVERSATION_CHARACTERS // len(unit)))[:-1] + "x"
        for reader, read in READERS.items():
            print(f"{reader} of {name}", flush=True)
            read(said)
    for begun in BEGUN:
        for sign in " \t\n-*#":
            print(f"transcript of {begun!r} and {sign!r}", flush=True)
            transcript.split(begun + sign * MAX_CONVERSATION_CHARACTERS + "x")


def test_the_longest_texts_are_read() -> None:
    program = "from tests.security.test_long_texts import read_all; read_all()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as reading:
        try:
            told, _ = reading.communicate(timeout=HANGS_AFTER_S)
        except subprocess.TimeoutExpired:
            reading.kill()
            pytest.fail(f"hangs at {reading.communicate()[0].splitlines()[-1]}")
    assert reading.returncode == 0
    assert len(told.splitlines()) == len(REPEATED) * len(READERS) + len(BEGUN) * 6


def test_marks_are_put_in_the_order_that_unicode_says() -> None:
    draw = random.Random(5)
    signs = "e\u0301\u0316\u0344\u0f73\u0345\u0300\u3099\uff9e\uff9fか가한É\u1e9b\ufb01 x\u0f71\u0f72"
    for length in (3, 90, 110, 400):
        for few in (signs, signs[1:10]):
            said = "".join(draw.choices(few, k=length))
            assert text.canonical(said) == _plainly(said)


def _plainly(said: str) -> str:
    while (
        folded := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", said).casefold()).strip()
    ) != said:
        said = folded
    return " ".join(said.split())
