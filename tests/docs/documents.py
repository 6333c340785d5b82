"""The project's Markdown pages and the commands that they show."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])

_FENCED = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^(?: {4}|\t)(.+)$", re.MULTILINE)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Command:
    """One command line as a page shows it, without the program itself."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def code(page: Path) -> list[str]:
    """Every line and span of code on a page; a line that ends in a backslash goes on in the next."""
    text = page.read_text().replace("\\\n", " ")
    blocks = _FENCED.findall(text)
    rest = _FENCED.sub("", text)
    return (
        [line for block in blocks for line in block.splitlines()]
        + _INDENTED.findall(rest)
        + _SPAN.findall(rest)
    )


def commands(program: str) -> list[Command]:
    """Each command whose program matches the pattern `program`, on any page, once, in reading order."""
    shown = re.compile(rf"(?:^|[\s/]){program}(.*)")
    found = {}
    for page in PAGES:
        for match in filter(None, map(shown.search, code(page))):
            words = tuple(shlex.split(re.split(r"\s[#|>&;]|\s{2,}", match[1])[0]))
            found.setdefault(words, Command(name(page), words))
    return list(found.values())


def links(page: Path) -> list[str]:
    """The targets of a page's links and images that are files of this repository."""
    targets = (target or image for target, image in _LINK.findall(page.read_text()))
    return [
        target.split("#")[0]
        for target in targets
        if "://" not in target and not target.startswith(("#", "mailto:"))
    ]
