"""The form at /report: empty, split, checked, sent. It works without a script.

Which button was pressed stands in `do`: split a pasted conversation, add a turn, check, or send.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from triage_core import runtime
from triage_core.api.base import HttpError, address, body_of, form_values, http_error, page
from triage_core.api.callers import find, limit, limit_reporter
from triage_core.channel import hints, intake, reportformat, transcript
from triage_core.channel.formdata import all_turns, missing, place, title, to_report_json, with_turns
from triage_core.channel.hints import Hint
from triage_core.errors import InvalidReport, Refused, StoreError
from triage_core.model import (
    Channel,
    CreditWish,
    DisclosureIntent,
    HarmType,
    PeerConsent,
    TrainingConsent,
    Tristate,
    Turn,
    TurnRole,
    Worked,
)

# Each byte of a text stands as three in URL encoding, at most: any script may fill what the API takes as JSON.
MAX_FORM_BYTES = 3 * reportformat.MAX_BODY_BYTES
JUST_SPLIT = "what you pasted stands here in turns now: see who spoke when, then send it"
EMPTY_TURNS = {"turn_role": [str(TurnRole.USER), str(TurnRole.ASSISTANT)], "turn_content": ["", ""]}
Form = Mapping[str, list[str]]


async def report_form(request: Request) -> Response:
    """The empty form."""
    return _form(EMPTY_TURNS)


async def post_form(request: Request) -> Response:
    """A sent form: the receipt, or the form again with what was asked for or is to be mended."""
    values: Form = EMPTY_TURNS
    try:
        caller = await find(request)
        body = await body_of(request, MAX_FORM_BYTES)
        values = EMPTY_TURNS | form_values(body)
        limit(caller)  # who is over it gets back what was typed
        do = (values.get("do") or ["send"])[0]
        if do in ("send", "check") and _is_pasted(values):  # none of it is left out
            values = _split(values)
            if do == "send":
                raise InvalidReport("turns", JUST_SPLIT)
        match do:
            case "split":
                return _form(_split(values), focus="turn-0")
            case "add":
                return _add_turn(values)
            case "check":
                return _checked(values)
        return await _sent(request, values, body)
    except HttpError as error:
        if error.field == "body":  # of which nothing was read that could stand in the form again
            error.rule += ". Your browser's way back leads to what you wrote"
        return _form(values, error)
    except Refused as error:
        return _form(values, http_error(error))
    except StoreError:
        return _form(
            values, HttpError(503, "server", "cannot store anything now; please send it again later")
        )


routes = [
    Route("/report", report_form, methods=["GET"]),
    Route("/report", post_form, methods=["POST"]),
]


async def _sent(request: Request, values: Form, body: bytes) -> Response:
    report = reportformat.parse(to_report_json(values))
    await limit_reporter(report.contact)
    # Each form that was handed out has a key of its own, so the same body again is the same sending
    # (a second click); whoever goes back and changes the form sends another report.
    key = hashlib.sha256(body).hexdigest() if values.get("form_key") else None
    opened = runtime.current()
    incoming = intake.incoming(report, Channel.FORM, key)
    receipt = await opened.committer.receive_soon(opened.policy, incoming)
    return page(
        "receipt.html",
        200 if receipt.already_known else 201,
        receipt=receipt,
        address=address(request),
        rerouted=report.illegal_minor_content,
        public=report.disclosure_intent is DisclosureIntent.ALREADY,
        wished=report.embargo_wish or report.planned_date,
    )


def _is_pasted(values: Form) -> bool:
    """Whether a conversation stands there that nobody has split; of illegal material none is asked for."""
    return bool((values.get("transcript") or [""])[0].strip()) and not values.get("illegal_minor_content")


def _split(values: Form) -> Form:
    """The form with the pasted conversation as turns, behind those that are filled already."""
    turns = [turn for turn in _turns(values) if turn.content.strip()]
    found = transcript.split((values.get("transcript") or [""])[0])
    if not found:
        raise InvalidReport("transcript", "is empty: paste the conversation first")
    if len(turns) + len(found) > reportformat.MAX_TURNS:
        raise InvalidReport("transcript", f"has too many turns: {reportformat.MAX_TURNS} with those above")
    return with_turns(values, [*turns, *found])


def _add_turn(values: Form) -> Response:
    turns = _turns(values)
    if len(turns) >= reportformat.MAX_TURNS:
        raise InvalidReport("turns", f"at most {reportformat.MAX_TURNS}")
    last = turns[-1].role if turns else TurnRole.ASSISTANT
    follows = TurnRole.ASSISTANT if last is TurnRole.USER else TurnRole.USER
    kept = {name: given for name, given in values.items() if name != "transcript"}
    added = with_turns(kept, [*turns, Turn(follows, "")]) | {"transcript": values.get("transcript", [""])}
    return _form(added, focus=f"turn-{len(turns)}")


def _turns(values: Form) -> list[Turn]:
    """All turns of the form, the empty ones too."""
    rows = all_turns(values)
    if not {role for role, _ in rows} <= set(TurnRole):
        raise InvalidReport("turns", f"the speaker must be one of {', '.join(TurnRole)}")
    return [Turn(TurnRole(role), content) for role, content in rows]


def _checked(values: Form) -> Response:
    """Nothing is stored: the nearest clause, and the first thing that sending would refuse."""
    error = None
    try:
        reportformat.parse(to_report_json(values))
    except Refused as refused:
        error = http_error(refused)
    account = "\n".join(values.get("what_is_wrong") or [])
    hint = hints.nearest(runtime.current().policy, account)
    return _form(values, error, 200, hint=hint, checked=True)


def _form(
    values: Form,
    error: HttpError | None = None,
    status: int | None = None,
    *,
    hint: Hint | None = None,
    checked: bool = False,
    focus: str = "",
) -> Response:
    turns = list(zip(values.get("turn_role", ()), values.get("turn_content", ()), strict=False))
    wrong = place(error.field, values) if error else ""
    # All at once: whoever is in a hurry does not send a form five times.
    empty = missing(values) if error and error.status == 422 else ()
    return page(
        "report.html",
        status or (error.status if error else 200),
        values=values,
        turns=turns,
        simple=[role for role, _ in turns] == EMPTY_TURNS["turn_role"],
        error=error,
        wrong=wrong,
        named=title(wrong),
        missing={each: title(each) for each in empty if each != wrong},
        focus=focus,
        hint=hint,
        checked=checked,
        form_key=(values.get("form_key") or [secrets.token_urlsafe(16)])[0],
        harm_types=list(HarmType),
        intents=list(DisclosureIntent),
        credits=list(CreditWish),
        training=list(TrainingConsent),
        sharing=list(PeerConsent),
        roles=list(TurnRole),
        guesses=[Tristate.UNKNOWN, Tristate.YES, Tristate.NO],
        worked=[Worked.UNTESTED, Worked.YES, Worked.NO],
    )
