"""Reports of AVID, as JSON or JSON Lines, read leniently: hardly a field is filled by every writer.

AVID tells of a flaw and holds no conversation, so the description stands in the place of one.
Scores, taxonomies and who is credited are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from triage_core.channel.reportformat import MAX_SYSTEMS
from triage_core.errors import Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.jsonfile import inner, listed, rows
from triage_core.importers.toolreport import Document, Entry, Record

BEGINS = re.compile(rb'\[?\s*\{\s*"data_type": ?"AVID"')

# What is no number yet (AVID-2026-R-1234 in all reports of a file) names nothing.
_NUMBERED = re.compile(r"AVID-\d{4}-[RV]\d+")


def records(stream: BinaryIO) -> Iterator[Record]:
    """Each report, as its number in the file and what it is here or what refused it."""
    try:
        yield from toolreport.reports(rows(stream), _documents)
    except Refused as error:
        yield 1, error


def _documents(report: Entry) -> Iterator[Document]:
    affects, problem = inner(report, "affects"), inner(report, "problemtype")
    number = contents.text(inner(report, "metadata").get("report_id"))
    title = contents.text(inner(problem, "description").get("value"))
    artifacts = [
        contents.text(found.get("name")) for found in listed(affects, "artifacts") if isinstance(found, dict)
    ]
    deployers = [contents.text(deployer) for deployer in listed(affects, "deployer")]
    # Of several, the file does not say who deploys what.
    platform = deployers[0] if len(deployers) == len(artifacts) == 1 else ""
    yield {
        "external_id": toolreport.name_of("avid", number) if _NUMBERED.fullmatch(number) else None,
        "system": [{"platform": platform, "model": name} for name in artifacts[:MAX_SYSTEMS]],
        "turns": [
            {"role": "user", "content": contents.text(inner(report, "description").get("value")) or title}
        ],
        "what_is_wrong": toolreport.words(
            [
                ("AVID", title),
                ("Class", contents.text(problem.get("classof"))),
                ("Systems in all", str(len(artifacts)) if len(artifacts) > MAX_SYSTEMS else ""),
                *(
                    ("See", contents.text(found.get("url")))
                    for found in listed(report, "references")
                    if isinstance(found, dict)
                ),
            ]
        ),
    }
