"""PyRIT: a seed dataset in YAML.

PyRIT takes every value of such a file for a Jinja template of its own. A value is therefore one Jinja
string literal, with everything escaped that Jinja reads, inside one YAML string, with everything escaped
that YAML reads. Keys that PyRIT does not know are refused by it, so that there are no others.
"""

from __future__ import annotations

import re

from triage_core.exporters.packs.base import Pack, prompt_text, told
from triage_core.exporters.rows import Row

_JINJA = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "{": "\\x7b",
    "}": "\\x7d",
    "%": "\\x25",
    "#": "\\x23",
}
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\]')


def jinja_literal(text: str) -> str:
    """A template that renders to exactly this text."""
    return '{{ "' + "".join(_JINJA.get(character, character) for character in text) + '" }}'


def yaml_string(text: str) -> str:
    """A double-quoted YAML string of ASCII; unlike JSON, YAML wants one escape for a character beyond U+FFFF."""
    return '"' + _UNSAFE.sub(lambda found: _yaml_escape(found.group()), text) + '"'


def _yaml_escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _encode(row: Row) -> bytes:
    about = ", ".join(f"{name} {value}" for name, value in told(row).items())
    lines = (
        f"- value: {yaml_string(jinja_literal(prompt_text(row)))}",
        f"  name: {yaml_string(row['id'])}",
        "  data_type: text",
        f"  harm_categories: [{yaml_string(row['category'])}]",
        f"  description: {yaml_string(about)}",
    )
    return ("\n".join(lines) + "\n").encode("ascii")


PACK = Pack(
    "A PyRIT seed dataset", "yaml", _encode, head=b"dataset_name: flaw_reports\ndata_type: text\nseeds:\n"
)
