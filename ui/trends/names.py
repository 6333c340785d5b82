"""What the charts of Trends call their series, in which colours, and what each of them counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from triage_core.counted import Counted, Moment
from triage_core.trends import Clock, Dimension
from ui import others
from ui.charts import BLUE, GREY, ORANGE, PINK, TEAL, VIOLET, YELLOW
from ui.words import HARM_TYPE, SEVERITY

BY: Mapping[str, LiteralString] = {
    Dimension.STATE: "State",
    Dimension.SEVERITY: "Severity",
    Dimension.PRODUCT: "Product",
    Dimension.VERSION: "Model version",
    Dimension.CHANNEL: "Door",
    Dimension.HARM: "Harm",
    Dimension.TECHNIQUE: "Technique",
}
STATES: Mapping[str, LiteralString] = {
    "to_decide": "Waiting for a decision",
    "in_work": "Being worked on",
    "closed": "Closed",
}
UNSAID: Mapping[str, LiteralString] = {
    Dimension.PRODUCT: "No product",
    Dimension.VERSION: "No version",
    Dimension.HARM: "No harm",
    Dimension.TECHNIQUE: "Not known",
}
WORDS: Mapping[str, Mapping[str, LiteralString]] = {
    Dimension.STATE: STATES,
    Dimension.SEVERITY: SEVERITY,
    Dimension.CHANNEL: others.DOORS,
    Dimension.HARM: HARM_TYPE,
}
COLOURS = [BLUE, ORANGE, TEAL, VIOLET, YELLOW, PINK, GREY]
HOURS: Mapping[str, LiteralString] = {
    Clock.FIRST_RESPONSE: "First response",
    Clock.TRIAGE: "Triage",
    Clock.FIX: "Fix",
    Clock.BOUNTY: "Reward",
}
CLOCK_COLOURS = [BLUE, ORANGE, TEAL, VIOLET]
CLOCKS: Mapping[str, tuple[Counted, Moment]] = {
    Clock.FIRST_RESPONSE: (Counted.RESPONSE, Moment.RECEIVED),
    Clock.TRIAGE: (Counted.TRIAGE, Moment.RECEIVED),
    Clock.FIX: (Counted.FIX, Moment.FIX_END),
    Clock.BOUNTY: (Counted.BOUNTY, Moment.BOUNTY_END),
}
# What a median is over: what waits has no time yet.
DONE: Mapping[Clock, Counted] = {
    Clock.FIRST_RESPONSE: Counted.ANSWERED,
    Clock.TRIAGE: Counted.TRIAGED,
    Clock.FIX: Counted.FIX_DONE,
    Clock.BOUNTY: Counted.BOUNTY_DONE,
}
OPEN: Mapping[str, LiteralString] = {key: STATES[key] for key in ("to_decide", "in_work")}
KNOWN: Mapping[str, LiteralString] = {Counted.FRESH: "New", Counted.KNOWN: "Known already"}
GROUNDS: Mapping[str, LiteralString] = {
    Counted.BY_CLAUSE: "Cite a clause",
    Counted.BY_LINK: "Name an earlier report",
    Counted.BY_NEITHER: "Neither",
}
FIXES: Mapping[str, LiteralString] = {Counted.FIX_INSIDE: "In target", Counted.FIX_LATE: "Past it"}
SENDERS: Mapping[str, LiteralString] = {
    Counted.NO_CONTACT: "No contact",
    Counted.FIRST_TIME: "New reporter",
    Counted.RETURNING: "Returning reporter",
}
BACK: Mapping[str, LiteralString] = {"reopened": "Reopened", "regression": "Came in again after the fix"}
