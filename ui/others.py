"""Reports with any value but the named ones: as the two fields of the Inbox that ask for them, and in the address."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import LiteralString

from ui.words import HARM_TYPE

NONE_NAMED: LiteralString = "(none named)"
"""What stands in a field for the value of reports that name none."""
NOTHING: LiteralString = "none"
KINDS: Mapping[str, LiteralString] = {
    NOTHING: "Nothing",
    "product": "Products",
    "version": "Model versions",
    "channel": "Doors",
    "source": "Sources",
    "harm": "Harms",
    "technique": "Techniques",
}
DOORS: Mapping[str, LiteralString] = {"form": "Form", "api": "Report button", "import": "Import"}
_WORDS: Mapping[str, Mapping[str, LiteralString]] = {"channel": DOORS, "source": DOORS, "harm": HARM_TYPE}


def named(text: str) -> str:
    """The value that a field asks for by this text, "" for none named."""
    return "" if text == NONE_NAMED else text


def without(kind: str, values: Sequence[str]) -> dict[str, str]:
    """The two fields that ask for a value of this kind that is none of these, "" for none named."""
    text, words = io.StringIO(), _WORDS.get(kind, {})
    written = [words.get(value, value) or NONE_NAMED for value in values]
    csv.writer(text, lineterminator="", quoting=csv.QUOTE_ALL).writerow(written)
    return {"other": kind, "without": text.getvalue()}


def left_out(kind: str, text: str) -> list[str]:
    """The values that a field leaves out: parted by commas, in quotation marks where one holds a comma itself."""
    values = {words: value for value, words in _WORDS.get(kind, {}).items()}
    try:
        written = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:  # somebody's own words, broken in two lines
        written = [text]
    return [values.get(one, named(one)) for one in written]
