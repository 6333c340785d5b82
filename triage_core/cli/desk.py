"""Commands of the reviewer's desk: assess, link, unlink, apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, contents, run
from triage_core.cli.output import print_pairs

Clauses = Annotated[
    list[str], typer.Option("--clause", help="A clause of the policy in force; repeat for several.")
]
HarmOption = Annotated[str | None, typer.Option(help="H0 to H4.")]
ExposureOption = Annotated[str | None, typer.Option(help="self, other or mass.")]
GeneralityOption = Annotated[str | None, typer.Option(help="instance, retargetable or universal.")]
ReliabilityOption = Annotated[str | None, typer.Option(help="rare, intermittent or reliable.")]
UpliftOption = Annotated[str | None, typer.Option(help="no or yes.")]
ExploitationOption = Annotated[str | None, typer.Option(help="none, public_poc or active.")]
ResolutionOption = Annotated[str | None, typer.Option(help="Closes the report; else the clause implies it.")]
NoteOption = Annotated[str, typer.Option(help="The reason that the reporter can read.")]


@app.command()
def assess(
    report: Annotated[str, typer.Argument(help="Id or external id.")],
    clause: Clauses,
    harm: HarmOption = None,
    exposure: ExposureOption = None,
    generality: GeneralityOption = None,
    reliability: ReliabilityOption = None,
    uplift: UpliftOption = None,
    exploitation: ExploitationOption = None,
    resolution: ResolutionOption = None,
    override: Annotated[str | None, typer.Option(help="A severity instead of the computed one.")] = None,
    override_reason: Annotated[str, typer.Option(help="Why the severity is overridden.")] = "",
    note: NoteOption = "",
    reproduction_log: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    better_answer: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="File with the answer that should have been given."),
    ] = None,
    approve: Annotated[
        bool,
        typer.Option(help="The better answer is approved at once, or waits for a second person on Answers."),
    ] = True,
    consent: Annotated[
        str | None, typer.Option(help="none, classifier_only, any_safety_training or safety_and_bad_user.")
    ] = None,
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
        "reproduction_log": contents(reproduction_log, "reproduction_log"),
        "better_answer": contents(better_answer, "better_answer"),
        "approve": approve,
        "consent": consent,
    }
    run("assess", params, store, as_json, print_pairs)


@app.command()
def link(
    child: Annotated[str, typer.Argument(help="The later report.")],
    canonical: Annotated[str, typer.Argument(help="The report submitted first.")],
    reason: str = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mark a report as a duplicate of an earlier one."""
    run("link", {"child": child, "canonical": canonical, "reason": reason}, store, as_json, print_pairs)


@app.command()
def unlink(child: str, reason: str = "", store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Take a duplicate link back."""
    run("unlink", {"child": child, "reason": reason}, store, as_json, print_pairs)


@app.command()
def apart(
    one: Annotated[str, typer.Argument(metavar="A", help="Id or external id.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Id or external id.")],
    reason: str = "",
    undo: Annotated[
        bool, typer.Option("--undo", help="Take it back: the pair may be suggested again.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two reports are not duplicates of each other: the pair is not suggested again."""
    run("apart", {"one": one, "other": other, "reason": reason, "undo": undo}, store, as_json, print_pairs)
