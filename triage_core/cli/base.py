"""What every command of the command line shares: options, where the store is, asking one operation, showing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any

import typer

from triage_core import control, operations, runtime, settings
from triage_core.cli.output import (
    Bar,
    err,
    print_imported,
    print_item,
    print_json,
    print_note,
    print_pairs,
    print_refused,
)
from triage_core.errors import FlawdeskError, Refused, StoreBusy
from triage_core.operations.base import Emit
from triage_core.store import STORE_FILE

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _folder(name: str) -> Path:
    if not name:  # as of a variable that is not set; the present folder has a name
        raise typer.BadParameter("must name a folder")
    return Path(name)


StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store", parser=_folder, metavar="DIR", help="Folder of the store (FLAWDESK_STORE; data/run)."
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on stdout, and nothing else.")
]


def run(
    operation: str,
    params: dict[str, Any],
    store: Path | None,
    as_json: bool,
    draw: Callable[[Any], None],
    *,
    item: Callable[[Any], None] = print_item,
    lines: bool = False,
    progress: bool = True,
    alone: bool = False,
    begins: bool = True,
) -> Any:
    """Ask the operation here, or (unless `alone`) of the server that holds the store; prints and gives the result.

    Where there is no store a new one is begun, unless `begins` is false: then Refused is raised.
    """
    chosen = settings_for(store)
    with Bar(progress) as bar:
        emit = Emit(progress=bar, item=item, note=print_note)
        is_new = not (chosen.store / STORE_FILE).exists()
        if is_new and not begins:
            raise Refused("store", f"there is no {STORE_FILE} in {chosen.store}")
        try:
            opened = runtime.Runtime(chosen)
        except StoreBusy as busy:
            if alone:
                raise Refused("store", "held by a server: end it and repeat; what is done is kept") from busy
            result = _remote(chosen.store, operation, params, emit)
        else:
            if is_new:  # else a mistyped folder looks like an empty desk
                print_note(f"there was no store in {chosen.store}: a new one is begun")
            try:
                result = operations.run(opened, operation, params, emit)
            finally:
                opened.close()
    if not lines:
        show(result, as_json, draw)
    return result


def _remote(folder: Path, operation: str, params: dict[str, Any], emit: Emit) -> Any:
    answers = control.call(folder, operation, params)
    err.print("[dim]a server holds this store: asking it[/dim]")
    for message in answers:
        if "progress" in message:
            emit.progress(*message["progress"])
        elif "item" in message:
            emit.item(message["item"])
        elif "note" in message:
            emit.note(message["note"])
        elif "error" in message:
            raise Refused(message["error"]["field"], message["error"]["rule"])
        else:
            return message["result"]
    raise FlawdeskError("the server ended before it answered; what it acknowledged is stored")


def run_import(
    operation: str, params: dict[str, Any], store: Path | None, as_json: bool, *, alone: bool = False
) -> None:
    """Run an import and show its counts with the lines that it refused.

    There may be as many of these as the files have lines: until the end they are kept in a file.
    """
    with TemporaryFile("w+", encoding="utf-8") as refused:
        try:
            result = run(
                operation,
                params,
                store,
                as_json,
                print_pairs,
                item=lambda line: print_item(line, refused),
                lines=True,
                alone=alone,
            )
        except BaseException:  # what came before it was done, and refused, all the same
            refused.seek(0)
            print_refused(refused)
            raise
        refused.seek(0)
        print_imported(result, refused, as_json)


def show(result: Any, as_json: bool, draw: Callable[[Any], None]) -> None:
    if as_json:
        print_json(result)
    else:
        draw(result)


def settings_for(store: Path | None, demo: bool = False) -> settings.Settings:
    found = settings.from_environment()
    return replace(found, store=store.resolve() if store else found.store, demo=demo or found.demo)


def contents(path: Path | None, option: str) -> str:
    """The text of a file, "" without one. Raises Refused for a file that holds none.

    What editors add is no part of it: a byte order mark, CR before LF, and the end of the last line.
    Else a trainer could tell better answers from those that models gave by how they end.
    """
    if path is None:
        return ""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(option, f"{path.name} must be text in UTF-8") from error
    if not text.strip():
        raise Refused(option, f"{path.name} is empty")
    return text.removesuffix("\n")


def one_of(option: str, word: str, *words: str) -> str:
    if word not in words:
        raise typer.BadParameter(", ".join(words), param_hint=option)
    return word
