"""E-mail read as reports: text parts and their character sets, files that stay shut, headers that try tricks."""

from __future__ import annotations

import base64
import random
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.other_files import SENTINEL
from triage_core import importers
from triage_core.importers import Line, mail
from triage_core.model import TrainingConsent

HEADERS = (
    b"From: Ada Reporter <ada@example.org>\r\n"
    b"To: flaws@example.com\r\n"
    b"Subject: A rude parrot\r\n"
    b"Date: Mon, 01 Jan 2001 00:00:00 +0000\r\n"
    b"Message-ID: <one@example.org>\r\n"
)
BODY = b"The parrot was rude to me.\r\n\r\nPlease look into it.\r\n"
SAID = "The parrot was rude to me.\n\nPlease look into it."


@pytest.fixture
def lines(tmp_path: Path) -> Any:
    def read(content: bytes, name: str = "mail.eml", format: str = "auto") -> list[Line]:
        path = tmp_path / name
        path.write_bytes(content)
        return list(importers.read(path, format))

    return read


@pytest.fixture
def one(lines: Any) -> Any:
    def read(content: bytes) -> Any:
        (line,) = lines(content)
        assert line.report is not None, line.error
        return line.report

    return read


def said(report: Any) -> list[tuple[str, str]]:
    return [(str(turn.role), turn.content) for turn in report.turns]


def typed(body: bytes, *headers: bytes) -> bytes:
    return HEADERS + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def test_a_message_becomes_a_report_that_can_be_answered(one: Any) -> None:
    report = one(typed(BODY))
    assert said(report) == [("user", SAID)]
    assert report.contact == "ada@example.org"
    assert report.external_id == "email:one@example.org"
    assert report.what_is_wrong == "Sent by: e-mail\nSubject: A rude parrot"
    assert report.submitted_at is None, "a sender could write an early date"
    assert report.consent_training is TrainingConsent.NONE
    assert (report.credit_name, report.system, dict(report.extra)) == ("", (), {})


def test_a_transcript_in_a_message_is_split(one: Any) -> None:
    body = b"User: Say something nice.\r\nAssistant: Nobody should read it.\r\n"
    assert said(one(typed(body))) == [
        ("user", "Say something nice."),
        ("assistant", "Nobody should read it."),
    ]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("Le perroquet a été grossier.".encode("latin-1"), [b"Content-Type: text/plain; charset=iso-8859-1"]),
        ("Le perroquet a été grossier.".encode(), [b"Content-Type: text/plain; charset=utf-8"]),
        ("Le perroquet a été grossier.".encode(), []),
        ("Le perroquet a été grossier.".encode("latin-1"), []),
        ("Le perroquet a été grossier.".encode(), [b"Content-Type: text/plain; charset=no-such-set"]),
        ("Le perroquet a été grossier.".encode(), [b"Content-Type: text/plain; charset=us-ascii"]),
        ("Le perroquet a été grossier.".encode(), [b"Content-Type: text/plain; charset=zlib"]),
        ("Le perroquet a été grossier.".encode(), [b"Content-Type: text/plain; charset=punycode"]),
        (
            base64.encodebytes("Le perroquet a été grossier.".encode()),
            [b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: base64"],
        ),
        (
            b"Le perroquet a =E9t=E9 gros=\r\nsier.",
            [
                b"Content-Type: text/plain; charset=windows-1252",
                b"Content-Transfer-Encoding: quoted-printable",
            ],
        ),
    ],
)
def test_character_sets_and_encodings(one: Any, body: bytes, headers: list[bytes]) -> None:
    assert said(one(typed(body, *headers))) == [("user", "Le perroquet a été grossier.")]


def test_files_are_counted_and_never_opened(one: Any) -> None:
    message = EmailMessage()
    message["From"], message["Message-ID"] = "ada@example.org", "<files@example.org>"
    message.set_content("See the picture.")
    message.add_alternative(f"<p>{SENTINEL}</p>", subtype="html")
    message.add_attachment(SENTINEL.encode(), maintype="image", subtype="png", filename="parrot.png")
    message.add_attachment(f"{SENTINEL} as text", filename="notes.txt")
    inner = EmailMessage()
    inner["Subject"] = SENTINEL
    inner.set_content(SENTINEL)
    message.add_attachment(inner)
    report = one(bytes(message))
    assert said(report) == [("user", "See the picture.")]
    assert report.what_is_wrong == "Sent by: e-mail\nFiles that were not opened: 3"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"Just some words, no mail at all.\n", "message"),
        (typed(b"<p>Rude.</p>", b"Content-Type: text/html"), "text"),
        (typed(b" \r\n"), "text"),
        (typed(b"GIF89a", b"Content-Type: image/gif"), "text"),
        (typed(b"nul\x00"), "turns[0].content"),
        (typed(b"x" * 60_000), "turns[0].content"),
    ],
)
def test_what_holds_no_text_is_refused(lines: Any, content: bytes, field: str) -> None:
    (line,) = lines(content)
    assert line.error.field == field


@pytest.mark.parametrize(
    ("header", "contact"),
    [
        (b"From: ada@example.org", "ada@example.org"),
        (b"From: =?utf-8?B?QWRh?= <ada@example.org>", "ada@example.org"),
        (b'From: "boss@example.com" <ada@example.org>', "ada@example.org"),
        (b"From: Ada\r\n <ada@example.org>", "ada@example.org"),
        (b"From: \xc3\x84da <ada@example.org>", "ada@example.org"),
        (b"From: ada@example.org\r\nFrom: eve@example.org", ""),
        (b"From: =?utf-8?B?YWRhQGV4YW1wbGUub3Jn?=", ""),
        (b"From: ada@example.org\rBcc: eve@example.org", "ada@example.org"),
        (b"From: <ada@example.org\x00>", ""),
        (b"From: " + b"a" * 300 + b"@example.org", ""),
        (b"From: ada@example.org <eve@example.org>", ""),
        (b"From: ada@example.org, eve@example.org", ""),
        (b"From: us: ada@example.org, eve@example.org;", ""),
        (b"From: nobody", ""),
        (b"From:", ""),
    ],
)
def test_only_one_plain_address_becomes_the_contact(one: Any, header: bytes, contact: str) -> None:
    assert one(header + b"\r\nMessage-ID: <a@b>\r\n\r\n" + BODY).contact == contact


def test_subjects_that_try_tricks_stay_one_line(one: Any) -> None:
    word = base64.b64encode(b"Rude\r\nBcc: eve@example.org\x00\x1b[31m").decode()
    headers = f"From: ada@example.org\r\nSubject: =?utf-8?B?{word}?=\r\n =?latin-1?Q?_=E9?= =?x?B?!?=\r\n\r\n"
    report = one(headers.encode() + BODY)
    assert report.what_is_wrong.startswith("Sent by: e-mail\nSubject: Rude Bcc: eve@example.org [31m é")
    assert report.what_is_wrong.count("\n") == 1


def test_a_message_without_one_plain_id_goes_by_its_hash(one: Any) -> None:
    names = set()
    for given in (b"", b"Message-ID: <a b>\r\n", b"Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n"):
        content = b"From: ada@example.org\r\n" + given + b"\r\n" + BODY
        report = one(content)
        assert report.external_id.startswith("email:sha256:")
        assert one(content).external_id == report.external_id
        names.add(report.external_id)
    assert len(names) == 3


def test_a_mailbox_holds_its_messages(lines: Any) -> None:
    first = typed(b"One.\n\n>From the parrot\n>>From me\n").replace(b"\r\n", b"\n")
    second = typed(b"Two.\n\nFrom here on it was rude.\n").replace(b"\r\n", b"\n").replace(b"<one@", b"<two@")
    begins = b"From ada@example.org Thu Jan  1 00:00:00 2026\n"
    found = lines(begins + first + b"\n" + begins + b"\n" + begins + second, "box.mbox")
    assert [line.number for line in found] == [1, 2]
    assert [said(line.report)[0][1] for line in found] == [
        "One.\n\nFrom the parrot\n>From me",
        "Two.\n\nFrom here on it was rude.",
    ]
    assert [line.key for line in found] == ["id:email:one@example.org", "id:email:two@example.org"]
    assert [line.key for line in lines(first)] == [found[0].key], "as a message of its own it is the same one"


def test_one_message_holds_no_second_one(lines: Any) -> None:
    found = lines(
        typed(b"One.\n\nFrom eve@example.org Thu Jan  1 00:00:00 2026\nFrom: eve@example.org\n\nTwo.\n")
    )
    assert len(found) == 1
    assert "Two." in said(found[0].report)[0][1]


def test_messages_over_a_cap_are_refused_and_reading_goes_on(
    lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "MAX_MESSAGE_BYTES", 1_000)
    monkeypatch.setattr(mail, "MAX_MESSAGE_LINES", 50)
    begins = b"From ada@example.org Thu Jan  1 00:00:00 2026\n"
    bodies = [b"x" * 2_000, b"xxxxxxxxx\n" * 100, b"\n" * 60, BODY]
    found = lines(b"\n".join(begins + HEADERS + b"\n" + body + b"\n" for body in bodies), "box.mbox")
    assert [(line.number, line.error and line.error.field) for line in found] == [
        (1, "message"),
        (2, "message"),
        (3, "message"),
        (4, None),
    ]


def test_parts_within_parts_end(lines: Any) -> None:
    inner = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(2_000)
    )
    (line,) = lines(b"From: ada@example.org\n" + inner + b"Content-Type: text/plain\n\nhello\n")
    assert line.error.field in ("message", "text")


def test_a_message_of_very_many_parts_is_refused(lines: Any) -> None:
    parts = b"--b\nContent-Type: text/html\n\nhi\n" * 1_001
    (line,) = lines(typed(parts, b"Content-Type: multipart/mixed; boundary=b"))
    assert "1,000 parts" in line.error.rule


def test_long_headers_are_passed_over(one: Any) -> None:
    semicolons = b'Content-Type: text/plain; x="' + b";" * 1_000_000
    words = b"Subject: " + b"=?=?" * 250_000
    report = one(b"From: ada@example.org\n" + semicolons + b"\n" + words + b"\n\nThe parrot was rude.\n")
    assert said(report) == [("user", "The parrot was rude.")]


def test_no_spoilt_message_stops_the_reading(lines: Any) -> None:
    message = EmailMessage()
    message["From"], message["Message-ID"], message["Subject"] = "ada@example.org", "<a@b>", "Rüde"
    message.set_content("It was rüde.")
    message.add_attachment(b"GIF", maintype="image", subtype="gif", filename="föö.gif")
    whole = bytes(message)
    pieces = [
        b"=?",
        b"?=",
        b"=?utf-8?b?",
        b"\r\n ",
        b";",
        b'"',
        b"\\",
        b"(",
        b"<",
        b"*0*=utf-8''%",
        b"\xff",
        b"\x00",
    ]
    chance = random.Random(7)
    for _ in range(400):
        spoilt = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(spoilt))
            spoilt[at : at + chance.randint(0, 3)] = chance.choice(pieces)
        for line in lines(bytes(spoilt)):
            assert (line.report is None) != (line.error is None)


def test_a_subject_that_is_broken_is_kept_as_it_is(one: Any) -> None:
    report = one(b"From: ada@example.org\r\nSubject: =?utf-8?b?abcde?=\r\n\r\n" + BODY)
    assert "=?utf-8?b?abcde?=" in report.what_is_wrong


def test_a_message_of_very_deep_parts_is_refused_before_it_is_parsed(lines: Any) -> None:
    parts = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(101)
    )
    (line,) = lines(b"From: ada@example.org\r\n" + parts + b"\r\nHello\r\n")
    assert line.error is not None
    assert line.error.field == "message"
