"""Why something was refused, in the words of the screen: its labels for fields, its names for outcomes and acts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import LiteralString

from triage_core.access import MAY
from triage_core.errors import Conflict, FlawdeskError, Refused
from ui.hostile import plain
from ui.words import RESOLUTION, REWARD_KIND, STATUS, TRIGGER

WHOLE: LiteralString = ""
"""For what is told by the rule alone: that is a sentence."""
LABEL: Mapping[str, LiteralString] = {
    "advisory": "Advisory",
    "amount": "Amount",
    "answer": "Better answer",
    "approve": WHOLE,
    "archive": "Archive",
    "assignee": WHOLE,
    "batch": WHOLE,
    "better_answer": "Better answer",
    "canonical": WHOLE,
    "child": WHOLE,
    "claim": WHOLE,
    "clause": "Clauses of the guidance",
    "clauses": "Clauses of the guidance",
    "cluster": WHOLE,
    "consent": "Consent",
    "content": "Better answer",
    "cosine_limit": "Highest cosine of a test and a training report",
    "dataset": WHOLE,
    "draft": WHOLE,
    "email": "E-mail address",
    "embargo": "Embargo",
    "embargo_end": "End",
    "event": WHOLE,
    "every_days": "Build again every so many days",
    "exploitation": "Exploitation",
    "external_id": "External id",
    "file": "File",
    "format": "Format",
    "grouping": "The cluster",
    "harm": WHOLE,
    "keep": WHOLE,
    "kind": "Kind",
    "layout": "Layout",
    "line": "Line",
    "look": WHOLE,
    "members": WHOLE,
    "name": "Name",
    "note": "Note",
    "out": "Folder",
    "override_reason": "Reason of another level",
    "peer": WHOLE,
    "peer_key": WHOLE,
    "per_group": "Reports of one group of duplicates",
    "profile": "Profile",
    "reason": "Reason",
    "report": WHOLE,
    "reporter": WHOLE,
    "reporter_share": "Share of one reporter",
    "reports": "Reports",
    "reproduction_log": "Reproduction log",
    "resolution": "Outcome",
    "revision": WHOLE,
    "reward": "Reward",
    "rows": "Rows",
    "severity": "Severity",
    "split": WHOLE,
    "status": "State",
    "text": "Ask the reporter",
    "title": "Title",
    "tlp": "TLP",
    "tracking_key": WHOLE,
    "trigger": WHOLE,
    "turn": "Instead of the answer at turn",
    "until": WHOLE,
    "version": "Version",
}
_NAMED: Mapping[str, LiteralString] = {**STATUS, **TRIGGER, **RESOLUTION, **REWARD_KIND}


def why(error: FlawdeskError, limit: int = 200) -> LiteralString:
    """The label of the field as it is read on screen, and the rule; where the rule is a sentence, the rule alone.

    What has no label, such as a key of a policy file, is called by its name.
    """
    if not isinstance(error, Refused):
        return plain(str(error), limit)
    # A value with a line below is never a word of somebody's own.
    rule = re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda found: _NAMED.get(found[0], found[0]), error.rule)
    if isinstance(error, Conflict):  # what somebody else has done: no field is wrong
        return plain(rule, limit)
    if error.field in MAY:  # the name of a command
        return f"This act: {plain(rule, limit)}"
    if error.field not in LABEL:
        return plain(f"{error.field}: {rule}", limit)
    if LABEL[error.field]:
        return f"{LABEL[error.field]}: {plain(rule, limit)}"
    return plain(rule, limit)
