"""Commands of the policy owner: policy check, export, draft, drafts, diff, trial, approve, publish."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from triage_core.cli.base import JsonOption, StoreOption, app, run, show
from triage_core.cli.output import out, print_pairs, print_rows
from triage_core.guidance import policy
from triage_core.guidance.policy_text import Texts

policy_app = typer.Typer(no_args_is_help=True, help="The policy: its files, drafts and versions.")
app.add_typer(policy_app, name="policy")

Number = Annotated[int, typer.Argument(help="Number of the draft.", min=1)]


@policy_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(exists=True, help="policy.toml, or its folder.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a policy file and its two tables."""
    found = policy.load(file)
    show(
        {"ok": True, "version": found.version, "clauses": len(found.clauses), "sha256": found.sha256},
        as_json,
        print_pairs,
    )


@policy_app.command("export")
def export(
    out_dir: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the three files.")],
    version: Annotated[str | None, typer.Option(help="A past version; else the one in force.")] = None,
    draft: Annotated[int | None, typer.Option(min=1, help="A draft instead of a version.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write policy.toml, severity.csv and priority.csv of a version or a draft."""
    if version is not None and draft is not None:
        raise typer.BadParameter("a version or a draft, not both", param_hint="--draft")
    params = {"out": os.path.abspath(out_dir), "version": version, "draft": draft}
    run("policy.export", params, store, as_json, print_pairs)


@policy_app.command("draft")
def draft(
    file: Annotated[Path, typer.Argument(exists=True, help="policy.toml, or its folder.")],
    draft: Annotated[int | None, typer.Option(min=1, help="Put the files into this draft.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a draft with a policy file and its two tables."""
    params = {"files": Texts.of(policy.load(file)).by_file(), "draft": draft}
    run("policy.draft", params, store, as_json, print_pairs)


@policy_app.command("drafts")
def drafts(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Every draft, those in work first."""
    run("policy.drafts", {}, store, as_json, print_rows)


@policy_app.command("diff")
def diff(draft: Number, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What a draft changes of the version in force."""
    run("policy.diff", {"draft": draft}, store, as_json, print_rows)


@policy_app.command("trial")
def trial(draft: Number, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Which past decisions would come out differently under a draft."""

    def draw(result: Any) -> None:
        rows = result.pop("reports")
        print_pairs(result)
        print_rows(rows[:50])
        if len(rows) > 50:
            out.print("the newest 50 shown")

    run("policy.trial", {"draft": draft}, store, as_json, draw)


@policy_app.command("approve")
def approve(draft: Number, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Approve a draft that somebody else wrote."""
    run("policy.approve", {"draft": draft}, store, as_json, print_pairs)


@policy_app.command("publish")
def publish(draft: Number, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Put an approved draft in force, at once and for everybody."""
    run("policy.publish", {"draft": draft}, store, as_json, print_pairs)
