"""Commands of datasets: export, lint, list, compare, withdraw, plan, build-due, retire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from triage_core.cli.base import JsonOption, StoreOption, app, run, show
from triage_core.cli.output import out, print_pairs, print_rows
from triage_core.exporters import lint
from triage_core.exporters.poison import SHARE
from triage_core.exporters.profiles import PROFILES
from triage_core.model import HarmType, Severity
from triage_core.text import reveal

datasets_app = typer.Typer(no_args_is_help=True, help="Files of training data.")
app.add_typer(datasets_app, name="datasets")


@app.command()
def export(
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")],
    out_dir: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where NAME/VERSION is made.")],
    format: Annotated[
        str,
        typer.Option(
            help="jsonl or parquet; for the profile eval also promptfoo, inspect, pyrit, lm-eval, garak, harmbench,"
            " for preference also openai."
        ),
    ] = "parquet",
    layout: Annotated[
        str, typer.Option(help="strict (the trainer's columns) or rich (with meta_ columns).")
    ] = "strict",
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset; the profile's when left out.")
    ] = None,
    per_group: Annotated[
        int, typer.Option(min=0, help="Reports of one group of duplicates at most; 0 for all.")
    ] = 1,
    reporter_share: Annotated[
        float, typer.Option(min=0, max=1, help="Largest share of a side that one reporter may have.")
    ] = SHARE,
    cosine_limit: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Stop when a test and a training report have a higher cosine; 1 for never."
        ),
    ] = 1.0,
    personal_data: Annotated[str, typer.Option(help="redact, refuse or keep.")] = "redact",
    control_tokens: Annotated[str, typer.Option(help="flag, drop or defang.")] = "flag",
    hidden: Annotated[str, typer.Option(help="Hidden characters: flag or drop.")] = "flag",
    version: Annotated[str | None, typer.Option(help="Version; the next free one when left out.")] = None,
    severity: Annotated[
        list[Severity] | None, typer.Option(help="Only reports of this severity; can be repeated.")
    ] = None,
    harm: Annotated[
        list[HarmType] | None, typer.Option(help="Only reports of this type of harm; can be repeated.")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Only reports of this product; can be repeated.")
    ] = None,
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
        "per_group": per_group,
        "reporter_share": reporter_share,
        "cosine_limit": cosine_limit,
        "personal_data": personal_data,
        "control_tokens": control_tokens,
        "hidden": hidden,
        "severity": severity,
        "harm": harm,
        "platform": product,
    }
    run("export", params, store, as_json, print_pairs)


@datasets_app.command("lint")
def lint_command(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON Lines (.jsonl, .ndjson) or .parquet.")
    ],
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What in a file of training data would crash a trainer or poison it silently; status 1 for errors."""

    def draw(result: Any) -> None:
        print_rows(result["findings"])
        told = [_rows(result["rows"]), *(_counts(kind, result[kind]) for kind in ("errors", "warnings"))]
        out.print("; ".join(told))

    found = lint.file(file, profile)
    show(found.to_json(), as_json, draw)
    if not found.ok:
        raise typer.Exit(1)


def _counts(kind: str, by_rule: Mapping[str, int]) -> str:
    named = ", ".join(f"{count:,} {rule}" for rule, count in by_rule.items())
    return f"{sum(by_rule.values()):,} {kind}" + (f" ({named})" if named else "")


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


@datasets_app.command("list")
def list_command(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Every version that was built, the newest first, and the folder where its files are."""
    run("datasets.list", {}, store, as_json, _print_built)


def _print_built(versions: Sequence[Mapping[str, Any]]) -> None:
    """A line each: a table would cut names and folders short."""
    if not versions:
        out.print("no dataset has been built")
    for one in versions:
        shape = " ".join(one[part] for part in ("profile", "format", "layout"))
        where = one["folder"] or "its files are gone"
        told = f"{one['name']} {one['version']}: {_rows(one['rows'])}, {shape}, {where}"
        out.print(Text(reveal(told)), soft_wrap=True)


@datasets_app.command("compare")
def compare_command(
    name: Annotated[str, typer.Argument(help="A dataset.")],
    earlier: Annotated[str, typer.Argument(help="A version.")],
    later: Annotated[str, typer.Argument(help="Another one.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Which rows the later version has, lacks and has otherwise, and which counts differ."""
    params = {"name": name, "earlier": earlier, "later": later}
    run("datasets.compare", params, store, as_json, print_pairs)


@datasets_app.command("withdraw")
def withdraw_command(
    reporter: Annotated[str, typer.Argument(help="A reporter (RP-...), or one report by id or external id.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a reporter's consent to training, and build each data set again without their rows; 1 if one is refused."""
    result = run("withdraw", {"reporter": reporter}, store, as_json, print_pairs)
    _end_with(result["built"])


@datasets_app.command("plan")
def plan_command(
    name: Annotated[
        str | None, typer.Argument(help="A dataset that has been built; none to list the plans.")
    ] = None,
    every: Annotated[
        int | None, typer.Option(min=0, help="Days between two versions; 0 ends the plan.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a dataset built every so many days by `build-due`; shows when each is due next."""
    if (name is None) is not (every is None):
        raise typer.BadParameter("name a dataset and say how often, or neither", param_hint="--every")
    run(
        "datasets.plan",
        {"name": name, "every": every},
        store,
        as_json,
        lambda found: print_rows(found["plans"]),
    )


@datasets_app.command("build-due")
def build_due_command(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Build the next version of each dataset whose plan says so: for a scheduler; status 1 if one is refused."""
    result = run(
        "datasets.build-due", {}, store, as_json, lambda found: print_rows(map(_outcome, found["built"]))
    )
    _end_with(result["built"])


def _end_with(built: Iterable[Mapping[str, Any]]) -> None:
    """Status 1 where a dataset was refused: whoever runs this by itself shall notice."""
    if any("refused" in one for one in built):
        raise typer.Exit(1)


def _outcome(done: Mapping[str, Any]) -> dict[str, Any]:
    """One line of what `build-due` did."""
    if "refused" in done:
        outcome = f"refused: {done['refused']}"
    elif "unchanged" in done:
        outcome = "nothing changed: no new version"
    else:
        outcome = _rows(done["rows"]["total"])
    return {"name": done["name"], "version": done.get("version", ""), "outcome": outcome}


@datasets_app.command("retire")
def retire_command(
    name: Annotated[str, typer.Argument(help="A dataset.")],
    version: Annotated[str | None, typer.Option(help="The version whose files are deleted.")] = None,
    keep: Annotated[int, typer.Option(min=0, help="Or: keep so many of the latest and delete the rest.")] = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete the files of versions that are no longer kept; what is known of them stays."""
    run("datasets.retire", {"name": name, "version": version, "keep": keep}, store, as_json, print_pairs)
