"""Reports that came by e-mail: one message (.eml), or a mailbox (mbox).

The text part is the conversation, split where it is a transcript; the subject says what is wrong.
Attachments and HTML are never opened. The sender becomes the contact, so that the report can be
answered; the date is not taken over, for a sender could write an early one.
"""

from __future__ import annotations

import codecs
import email
import hashlib
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses
from typing import BinaryIO

from triage_core.channel.reportformat import parse
from triage_core.errors import InvalidReport, Refused
from triage_core.importers import contents, toolreport
from triage_core.importers.lines import capped
from triage_core.importers.toolreport import Record
from triage_core.model import FlawReport

MAX_MESSAGE_BYTES = 30_000_000
MAX_MESSAGE_LINES = 500_000  # what parsing takes grows with them, times the depth of the parts
MAX_HEADER_CHARACTERS = 2_000  # what reading one takes grows with their square
MAX_PARTS = 1_000
MAX_MULTIPARTS = 100

_MOST_BEGINNING = 200
_BEGINS = re.compile(rb"From \S+ .*\d\d:\d\d.*\d{4}")
_QUOTED = re.compile(rb">+From ")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_ADDRESS = re.compile(r"[^\s@<>(),;:\"\\\[\]\x00-\x1f\x7f]+@[\w.-]+")
_MESSAGE_ID = re.compile(r"<([\x21-\x3b\x3d\x3f-\x7e]+)>")
# Codecs that are no character set: slow on purpose, or a language of escapes.
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})


class _Short(Compat32):
    """The policy of old, which reads whatever comes, where the newer one fails on some broken headers.

    A header that is too long is read as empty: none of those that matter here is.
    """

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        long = sum(map(len, sourcelines)) > MAX_HEADER_CHARACTERS
        name, text = super().header_source_parse(sourcelines[:1] if long else sourcelines)
        return name[:MAX_HEADER_CHARACTERS], "" if long else text


_POLICY = _Short()


def records(stream: BinaryIO) -> Iterator[Record]:
    """Each message, as its number in the mailbox and the report or what refused it."""
    for number, raw in enumerate(_messages(stream), 1):
        yield number, raw if isinstance(raw, Refused) else _report(raw)


def _messages(stream: BinaryIO) -> Iterator[bytes | Refused]:
    """The bytes of each message; only a mailbox has lines that begin one."""
    message: list[bytes] = []
    size, count = 0, 0
    blank, mailbox = True, False
    for number, line in capped(stream, MAX_MESSAGE_BYTES):
        if line is not None and blank and (mailbox or number == 1) and _begins(line):
            mailbox = True
            if count:
                yield _whole(message, size, count)
            message, size, count, blank = [], 0, 0, False
            continue
        if count or line is None or line.strip():  # what stands before the first header is no message
            count += 1
            size += MAX_MESSAGE_BYTES + 1 if line is None else len(line)
            if size <= MAX_MESSAGE_BYTES and count <= MAX_MESSAGE_LINES and line is not None:
                message.append(line[1:] if mailbox and _QUOTED.match(line) else line)
            else:
                message.clear()
        blank = line is not None and not line.strip()
    if count:
        yield _whole(message, size, count)


def _begins(line: bytes) -> bool:
    return len(line) <= _MOST_BEGINNING and _BEGINS.match(line) is not None


def _whole(lines: list[bytes], size: int, count: int) -> bytes | Refused:
    if size > MAX_MESSAGE_BYTES or count > MAX_MESSAGE_LINES:
        rule = f"must be at most {MAX_MESSAGE_BYTES:,} bytes and {MAX_MESSAGE_LINES:,} lines long"
        return InvalidReport("message", rule)
    return b"".join(lines)


def _report(raw: bytes) -> FlawReport | Refused:
    try:
        # Before it is parsed, which takes a time that grows with the depth times the lines.
        if raw.lower().count(b"multipart/") > MAX_MULTIPARTS:
            raise InvalidReport("message", f"must have at most {MAX_MULTIPARTS} parts that have parts")
        message = email.message_from_bytes(raw, policy=_POLICY)
        if not _headers(message, "From") and not _headers(message, "Message-ID"):
            raise InvalidReport("message", "must have the headers of an e-mail message")
        body, files = _read(message)
        if not body.strip():
            raise InvalidReport(
                "text", "is missing: only the text part of a message is read, no HTML and no files"
            )
        subject = _subject(message)
        told = [("Subject", subject), ("Files that were not opened", str(files) if files else "")]
        document = {
            "external_id": _name(message, raw),
            "contact": _sender(message),
            "turns": contents.pasted(body),
            "what_is_wrong": toolreport.words([("Sent by", "e-mail"), *told]),
        }
        return parse(document, imported=True)
    except InvalidReport as error:
        return error
    except RecursionError:
        return InvalidReport("message", "must not be nested so deeply")
    except (MessageError, ValueError, LookupError, AttributeError, TypeError):
        return InvalidReport("message", "must be a sound e-mail message")


def _read(message: Message) -> tuple[str, int]:
    """The text of a message, its parts apart by a blank line, and how many files there are beside it."""
    texts: list[str] = []
    files = 0
    for number, part in enumerate(_parts(message), 1):
        if number > MAX_PARTS:
            raise InvalidReport("message", f"must have at most {MAX_PARTS:,} parts")
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment" or part.get_filename():
            files += 1
        elif kind == "text/plain":
            texts.append(_text(part))
        elif kind != "text/html":  # the same once more, for programs that show it
            files += 1
    return "\n\n".join(filter(None, texts)).strip("\n"), files


def _parts(message: Message) -> Iterator[Message]:
    """The innermost parts in order; a message that is attached is one part, and stays shut."""
    if message.get_content_maintype() != "multipart" or not message.is_multipart():
        yield message
        return
    for part in message.get_payload():
        if isinstance(part, Message):
            yield from _parts(part)


def _text(part: Message) -> str:
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes):
        return ""
    charset = part.get_content_charset()
    return _decoded(body, charset).replace("\r\n", "\n")


def _decoded(body: bytes, charset: str | None) -> str:
    """The text in the character set that is named; where that fails, in UTF-8, else in Latin-1, which takes any."""
    for name in (charset, "utf-8"):
        if name:
            try:
                if codecs.lookup(name).name.replace("_", "-") not in _NO_CHARSETS:
                    return body.decode(name)
            except (LookupError, ValueError):
                continue
    return body.decode("latin-1")


def _subject(message: Message) -> str:
    """The subject in one line, whatever an encoded word hides in it."""
    header = "".join(_headers(message, "Subject")[:1])
    try:
        encoded = decode_header(header)
    except MessageError:  # an encoded word that is broken is words like others
        encoded = [(header, None)]
    pieces = []
    for piece, charset in encoded:
        pieces.append(_decoded(piece, charset) if isinstance(piece, bytes) else piece)
    return " ".join(_CONTROL.sub(" ", "".join(pieces)).split())


def _sender(message: Message) -> str | None:
    """The address of the one sender; None where there is none or several could be meant."""
    senders = _headers(message, "From")
    if len(senders) != 1:
        return None
    addresses = [address for _, address in getaddresses(senders)]
    if len(addresses) != 1 or len(addresses[0]) > 254 or not _ADDRESS.fullmatch(addresses[0]):
        return None
    return addresses[0]


def _name(message: Message, raw: bytes) -> str | None:
    """What a second import knows the message by: its Message-ID, else the hash of its bytes."""
    ids = _headers(message, "Message-ID")
    given = _MESSAGE_ID.fullmatch(ids[0].strip()) if len(ids) == 1 else None
    if given:
        return toolreport.name_of("email", given[1])
    return toolreport.name_of("email", "sha256", hashlib.sha256(raw).hexdigest())


def _headers(message: Message, name: str) -> list[str]:
    """The headers of this name, each in one line; bytes beyond ASCII are read like those of a text."""
    found = []
    for header, text in message.raw_items():
        if header.lower() == name.lower():
            plain = _decoded(str(text).encode("utf-8", "surrogateescape"), None)
            found.append(re.sub(r"\r?\n[ \t]*", " ", plain))
    return found
