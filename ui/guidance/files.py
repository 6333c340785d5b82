"""A policy as files: download a version or a draft, put files into a draft, and take an earlier revision again."""

from __future__ import annotations

import io
import zipfile
import zlib

import streamlit as st

from triage_core.errors import Refused
from triage_core.guidance import policy_drafts
from triage_core.guidance.policy_drafts import LONGEST_FILE, Draft, State
from triage_core.guidance.policy_text import FILES, Texts
from ui import row_buttons, session
from ui.hostile import inline
from ui.words import moment

MOST_BYTES = 4 * LONGEST_FILE  # a character takes at most four bytes
ARCHIVE = ".zip"
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def download(texts: Texts, name: str) -> None:
    """A button for the three files as one archive; `name` goes into its own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in texts.by_file().items():
            archive.writestr(file, text)
    st.download_button(
        "Download the three files",
        packed.getvalue(),
        f"policy-{name}.zip",
        "application/zip",
        icon=":material/download:",
        key="download-policy",
        on_click="ignore",
    )


def draw(draft: Draft) -> None:
    """Download, upload and the revisions of a draft."""
    download(draft.texts, f"draft-{draft.draft_id}")
    if draft.state in (State.OPEN, State.APPROVED):
        # The revision in the key empties the box after an upload was taken.
        key = f"upload-{draft.draft_id}-{draft.revision}"
        st.file_uploader(
            "Files in place of the draft's",
            type=["toml", "csv", "zip"],
            accept_multiple_files=True,
            key=key,
            help="policy.toml, severity.csv or priority.csv: one or several, by these names, or the archive of a"
            " download with them in it.",
        )
        st.button(
            "Put into the draft",
            icon=":material/upload:",
            disabled=not st.session_state.get(key),
            on_click=_take,
            args=(draft.draft_id, draft.revision, key),
        )
        st.caption("What the check of the policy refuses is named with its row or key, and changes nothing.")
    _revisions(draft)


def read_files(uploaded: list[tuple[str, bytes]]) -> dict[str, str]:
    """The texts of uploaded files by their names, archives unpacked. Raises Refused naming one that cannot be read."""
    found: list[tuple[str, bytes]] = []
    for name, content in uploaded:
        found += _unpacked(content) if name.lower().endswith(ARCHIVE) else [(name, content)]
    files: dict[str, str] = {}
    for name, content in found:
        if name not in FILES:
            raise Refused("file", f"{inline(name)!r} is none of {', '.join(FILES)}")
        if name in files:
            raise Refused(name, "is there twice")
        if len(content) > MOST_BYTES:
            raise Refused(name, f"at most {LONGEST_FILE:,} characters")
        try:
            files[name] = content.decode("utf-8-sig")  # spreadsheets save CSV with a byte order mark
        except UnicodeDecodeError as error:
            raise Refused(name, f"is not UTF-8 at byte {error.start:,}") from None
    return files


def _unpacked(content: bytes) -> list[tuple[str, bytes]]:
    """The files of an archive by name, each read no further than one byte beyond what `read_files` takes."""
    if len(content) > len(FILES) * MOST_BYTES:
        raise Refused("archive", f"at most {len(FILES) * MOST_BYTES:,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = archive.infolist()
            if not 1 <= len(inside) <= len(FILES):
                raise Refused(
                    "archive", f"holds {len(inside):,} files; it may hold {', '.join(FILES)} and no other"
                )
            if any(info.compress_type not in PACKED for info in inside):
                raise Refused(
                    "archive", "is packed in a way that is not read here: pack it as an ordinary ZIP"
                )
            found = []
            for info in inside:
                with archive.open(info) as file:
                    found.append((info.filename, file.read(MOST_BYTES + 1)))
            return found
    # A password, and what only a newer ZIP knows, are errors of run time to the reader.
    except (zipfile.BadZipFile, zlib.error, ArithmeticError, EOFError, RuntimeError, ValueError):
        raise Refused("archive", "cannot be read as a ZIP archive without a password") from None


def _take(draft_id: int, revision: int, key: str) -> None:
    session.command("The draft holds the files", _replace, draft_id, revision, key)


def _replace(draft_id: int, revision: int, key: str) -> None:
    files = read_files([(file.name, file.getvalue()) for file in st.session_state.get(key) or []])
    store = session.current().store
    policy_drafts.replace(store, session.actor(), draft_id, files, seen_revision=revision)


def _revisions(draft: Draft) -> None:
    st.subheader("Revisions", anchor=False)
    rows = session.read(policy_drafts.revisions, draft.draft_id)
    key = f"again-{draft.draft_id}-{draft.revision}"
    numbers = tuple(str(row["revision"]) for row in rows)
    editable = draft.state in (State.OPEN, State.APPROVED)
    earlier = [number for number in numbers if editable and number != str(draft.revision)]
    if number := row_buttons.pressed(key, numbers):
        store = session.current().store
        session.command(
            "That revision again", policy_drafts.take_again, store, session.actor(), draft.draft_id, int(number),
            seen_revision=draft.revision,
        )  # fmt: skip
        st.rerun()
    st.dataframe(
        {
            "again": [["Take again"] if number in earlier else [] for number in numbers],
            "number": numbers,
            "when": [moment(row["done_at"]) for row in rows],
            "who": [inline(row["actor_id"]) for row in rows],
            "what": [inline(row["what"].replace("_", " "), 200) for row in rows],
        },
        column_config={
            "again": st.column_config.ButtonColumn("", width=110, pinned=True, type="tertiary", key=key),
            "number": st.column_config.TextColumn("Revision", width=80),
            "when": st.column_config.TextColumn("When", width=140),
            "who": st.column_config.TextColumn("Who", width=160),
            "what": st.column_config.TextColumn("What", width="large"),
        },
        hide_index=True,
        height="content",
        key=f"table-{key}",
        alt="Revisions of the draft, newest first, with a button that takes one again",
    )
    row_buttons.as_menu("Take a revision again", key, numbers, {number: number for number in earlier})
