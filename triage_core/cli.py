"""The command line: `python -m triage_core COMMAND`. Parses, asks one operation, prints.

With --json, stdout holds the result as JSON and nothing else. Exit status: 0 done, 1 refused input
or a fault of the installation, 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from triage_core import __version__, archive, archive_ray, control, operations, policy, runtime, settings
from triage_core.cli_output import Bar, err, out, print_json, print_pairs, print_rows
from triage_core.errors import FlawdeskError, Refused, StoreBusy
from triage_core.text import reveal

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
policy_app = typer.Typer(no_args_is_help=True, help="Policy files.")
app.add_typer(policy_app, name="policy")

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Folder of the store (FLAWDESK_STORE; data/run)."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on stdout, and nothing else.")
]


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        app(standalone_mode=True)
    except Refused as error:
        err.print(Text(f"refused: {reveal(str(error))}", style="red"))
        sys.exit(1)
    except FlawdeskError as error:
        err.print(Text(f"error: {reveal(str(error))}", style="red"))
        sys.exit(1)


@app.callback(help=f"Flawdesk {__version__}: reports of AI flaws, from the button to the training set.")
def _root() -> None: ...


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    format: Annotated[str, typer.Option(help="auto, flaw-report (JSON lines) or csv.")] = "auto",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read reports from JSON Lines or CSV files; refused lines are named, the rest goes on."""
    _one_of("--format", format, "auto", "flaw-report", "csv")
    params = {"files": [os.path.abspath(path) for path in files], "format": format}

    def show(result: Any) -> None:
        refused = result.pop("refused")
        print_pairs(result)
        if refused:
            print_rows(refused[:50])
            out.print(f"{len(refused)} lines refused" + (", the first 50 shown" if len(refused) > 50 else ""))

    _run("import", params, store, as_json, show)


@app.command()
def index(
    progress: Annotated[bool, typer.Option(help="Show a progress bar on stderr.")] = True,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Show what laying all clusters anew changes.")
    ] = False,
    accept: Annotated[bool, typer.Option("--accept", help="With --rebuild: make the change.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--archive", exists=True, file_okay=False, help="First embed its Parquet files."),
    ] = None,
    engine: Annotated[str, typer.Option(help="With --archive: local or ray.")] = "local",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Embed what is not embedded; update clusters and duplicate suggestions."""
    params: dict[str, Any] = {"rebuild": rebuild, "accept": accept}
    if folder is not None:
        params["archive"] = _built(folder.resolve(), engine, store, progress)
    _run("index", params, store, as_json, print_pairs, progress=progress, alone=folder is not None)


@app.command()
def similar(
    report: Annotated[str | None, typer.Option(help="Id of a stored report.")] = None,
    external_id: Annotated[str | None, typer.Option(help="External id of a stored report.")] = None,
    text: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A text file.")] = None,
    all_reports: Annotated[bool, typer.Option("--all", help="Every report, one JSON line each.")] = False,
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    axis: Annotated[str, typer.Option(help="whole, technique or request.")] = "whole",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The reports most like one report, one text, or (--all) each report."""
    if sum([report is not None, external_id is not None, text is not None, all_reports]) != 1:
        raise typer.BadParameter("give exactly one of --report, --external-id, --text and --all")
    params: dict[str, Any] = {
        "report": report,
        "external_id": external_id,
        "all": all_reports,
        "k": k,
        "axis": _axis(axis),
    }
    if text is not None:
        params["text"] = text.read_text("utf-8", errors="replace")
    if all_reports:
        _run("similar", params, store, True, print_rows, lines=True)
    else:
        _run("similar", params, store, as_json, print_rows)


@app.command()
def explain(
    one: Annotated[str, typer.Argument(metavar="A", help="Id or external id.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Id or external id.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why two reports are alike or not."""
    _run("explain", {"one": one, "other": other}, store, as_json, print_pairs)


@app.command()
def clusters(
    axis: Annotated[str, typer.Option(help="whole, technique or request.")] = "whole",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """One row a report: its cluster and the cluster's representative."""
    _run("clusters", {"axis": _axis(axis)}, store, as_json, print_rows)


@app.command()
def duplicates(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Suggested duplicate pairs that nobody has decided on, surest first."""
    _run("duplicates", {}, store, as_json, print_rows)


@app.command()
def assess(
    report: Annotated[str, typer.Argument(help="Id or external id.")],
    clause: Annotated[list[str], typer.Option(help="A clause of the policy in force; repeat for several.")],
    harm: Annotated[str | None, typer.Option(help="H0 to H4.")] = None,
    exposure: Annotated[str | None, typer.Option(help="self, other or mass.")] = None,
    generality: Annotated[str | None, typer.Option(help="instance, retargetable or universal.")] = None,
    reliability: Annotated[str | None, typer.Option(help="rare, intermittent or reliable.")] = None,
    uplift: Annotated[str | None, typer.Option(help="no or yes.")] = None,
    exploitation: Annotated[str | None, typer.Option(help="none, public_poc or active.")] = None,
    resolution: Annotated[
        str | None, typer.Option(help="Closes the report; else the clause implies it.")
    ] = None,
    override: Annotated[str | None, typer.Option(help="A severity instead of the computed one.")] = None,
    override_reason: Annotated[str, typer.Option(help="Why the severity is overridden.")] = "",
    note: Annotated[str, typer.Option(help="The reason that the reporter can read.")] = "",
    reproduction_log: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    better_answer: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="File with the answer that should have been given."),
    ] = None,
    consent: Annotated[str | None, typer.Option(help="none, classifier_only or any_safety_training.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide on a report: cite clauses, give the severity inputs."""
    params = {
        "report": report,
        "clauses": clause,
        "harm": harm,
        "exposure": exposure,
        "generality": generality,
        "reliability": reliability,
        "uplift": uplift,
        "exploitation": exploitation,
        "resolution": resolution,
        "override": override,
        "override_reason": override_reason,
        "note": note,
        "reproduction_log": _contents(reproduction_log, "reproduction_log"),
        "better_answer": _contents(better_answer, "better_answer"),
        "consent": consent,
    }
    _run("assess", params, store, as_json, print_pairs)


@app.command()
def link(
    child: Annotated[str, typer.Argument(help="The later report.")],
    canonical: Annotated[str, typer.Argument(help="The report submitted first.")],
    reason: str = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mark a report as a duplicate of an earlier one."""
    _run("link", {"child": child, "canonical": canonical, "reason": reason}, store, as_json, print_pairs)


@app.command()
def unlink(child: str, reason: str = "", store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Take a duplicate link back."""
    _run("unlink", {"child": child, "reason": reason}, store, as_json, print_pairs)


@app.command()
def export(
    profile: Annotated[str, typer.Option(help="kto, preference, sft or classifier.")],
    out_dir: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where NAME/VERSION is made.")],
    format: Annotated[str, typer.Option(help="jsonl or parquet.")] = "parquet",
    layout: Annotated[
        str, typer.Option(help="strict (the trainer's columns) or rich (with meta_ columns).")
    ] = "strict",
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset; the profile's when left out.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Version; the next free one when left out.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a labelled dataset; refused rows are counted by reason."""
    params = {
        "profile": profile,
        "format": format,
        "out": str(out_dir.resolve()),
        "layout": layout,
        "name": name,
        "version": version,
    }
    _run("export", params, store, as_json, print_pairs)


@app.command()
def stats(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """How much the store holds."""
    _run("stats", {}, store, as_json, print_pairs)


@app.command()
def verify(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check the audit chain, its anchor, and that the counts agree."""
    _run("verify", {}, store, as_json, print_pairs)


@policy_app.command("check")
def policy_check(
    file: Annotated[Path, typer.Argument(exists=True, help="policy.toml, or its folder.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a policy file and its two tables."""
    found = policy.load(file)
    _show(
        {"ok": True, "version": found.version, "clauses": len(found.clauses), "sha256": found.sha256},
        as_json,
        print_pairs,
    )


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Loopback only until sign-in exists.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    demo: Annotated[bool, typer.Option(help="Load the demo reports into an empty store.")] = False,
    store: StoreOption = None,
) -> None:
    """Serve dashboard, report form and API at http://HOST:PORT."""
    from triage_core import serving

    serving.serve(_settings(store, demo), host, port)


def _settings(store: Path | None, demo: bool = False) -> settings.Settings:
    found = settings.from_environment()
    return replace(found, store=store.resolve() if store else found.store, demo=demo or found.demo)


def _built(folder: Path, engine: str, store: Path | None, progress: bool) -> dict[str, Any]:
    """Embed and join an archive outside of the store, which a server may go on using meanwhile."""
    if engine not in ("local", "ray"):
        raise typer.BadParameter("local or ray", param_hint="--engine")
    chosen = archive_ray.engine() if engine == "ray" else archive.here
    with Bar(progress) as bar:
        built = archive.build(folder, archive.loader(_settings(store)), chosen, bar)
    return {"folder": str(folder), **asdict(built)}


def _contents(path: Path | None, option: str) -> str:
    if path is None:
        return ""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(option, f"{path.name} must be text in UTF-8") from error


def _axis(name: str) -> str:
    return _one_of("--axis", name, "whole", "technique", "request")


def _one_of(option: str, word: str, *words: str) -> str:
    if word not in words:
        raise typer.BadParameter(", ".join(words), param_hint=option)
    return word


def _run(
    operation: str,
    params: dict[str, Any],
    store: Path | None,
    as_json: bool,
    show: Callable[[Any], None],
    *,
    lines: bool = False,
    progress: bool = True,
    alone: bool = False,
) -> None:
    """Ask the operation here, or (unless `alone`) of the server that holds the store, and print what it gives."""
    chosen = _settings(store)
    with Bar(progress) as bar:
        emit = operations.Emit(progress=bar, item=lambda item: print_json(item, indent=None))
        try:
            opened = runtime.Runtime(chosen)
        except StoreBusy as busy:
            if alone:
                raise Refused("store", "held by a server: end it and repeat; what is done is kept") from busy
            result = _remote(chosen.store, operation, params, emit)
        else:
            try:
                result = operations.run(opened, operation, params, emit)
            finally:
                opened.close()
    if not lines:
        _show(result, as_json, show)


def _remote(folder: Path, operation: str, params: dict[str, Any], emit: operations.Emit) -> Any:
    err.print("[dim]a server holds this store: asking it[/dim]")
    for message in control.call(folder, operation, params):
        if "progress" in message:
            emit.progress(*message["progress"])
        elif "item" in message:
            emit.item(message["item"])
        elif "error" in message:
            raise Refused(message["error"]["field"], message["error"]["rule"])
        else:
            return message["result"]
    raise FlawdeskError("the server ended before it answered; what it acknowledged is stored")


def _show(result: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    if as_json:
        print_json(result, indent=2)
    else:
        show(result)
