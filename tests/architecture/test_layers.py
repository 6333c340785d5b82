"""The order of the house, from top to bottom: a module imports its own layer and those below, never above."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.source import REPOSITORY, Import, Module, imports, matches, modules

# (layer, what it holds), the top first. "x.*" is a package and all in it, "x*" any name that starts so.
LAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("entries", ("app", "dashboard", "pages.*")),
    ("pieces of screens", ("ui.*",)),
    ("command line", ("triage_core.__main__", "triage_core.cli.*")),
    (
        "server",
        ("triage_core.api.*", "triage_core.formdata", "triage_core.middleware", "triage_core.serving"),
    ),
    (
        "the opened product",
        (
            "triage_core.control",
            "triage_core.demo",
            "triage_core.notifier",
            "triage_core.operations.*",
            "triage_core.runtime",
        ),
    ),
    (
        "commands",
        (
            "triage_core.answers",
            "triage_core.archive*",
            "triage_core.backup",
            "triage_core.bounty",
            "triage_core.bulk",
            "triage_core.disclosure",
            "triage_core.drafts",
            "triage_core.embargoes",
            "triage_core.follow_through",
            "triage_core.sharing",
            "triage_core.standing",
            "triage_core.exchange.*",
            "triage_core.exporters.*",
            "triage_core.importers.*",
            "triage_core.indexing",
            "triage_core.clause_advice",
            "triage_core.suggestions",
            "triage_core.guidance_gaps",
            "triage_core.arrivals",
            "triage_core.close_reading",
            "triage_core.embedding",
            "triage_core.far_reading",
            "triage_core.learning",
            "triage_core.cluster_names",
            "triage_core.cluster_work",
            "triage_core.linking",
            "triage_core.memory",
            "triage_core.neighbours",
            "triage_core.claims",
            "triage_core.consent",
            "triage_core.apikeys",
            "triage_core.committer",
            "triage_core.intake",
            "triage_core.messages",
            "triage_core.monthly",
            "triage_core.outbox",
            "triage_core.promises",
            "triage_core.reporter",
            "triage_core.tracking",
            "triage_core.policies",
            "triage_core.policy_drafts",
            "triage_core.policy_overtaken",
            "triage_core.replay",
            "triage_core.rewards",
            "triage_core.second_look",
            "triage_core.triage.*",
            "triage_core.views",
            "triage_core.verification",
            "triage_core.undo",
            "triage_core.undoable",
        ),
    ),
    (
        "facts",
        (
            "triage_core.activity",
            "triage_core.assessments",
            "triage_core.audit",
            "triage_core.boards",
            "triage_core.cases",
            "triage_core.cluster_board",
            "triage_core.groups",
            "triage_core.journal",
            "triage_core.looks",
            "triage_core.cluster_splits",
            "triage_core.deadlines",
            "triage_core.embargo_board",
            "triage_core.maps",
            "triage_core.queries.*",
            "triage_core.readings",
            "triage_core.clause_figures",
            "triage_core.store",
            "triage_core.suggestion_facts",
            "triage_core.told",
            "triage_core.trends.*",
            "triage_core.counted",
            "triage_core.vectors",
            "triage_core.withheld",
            "triage_core.placements",
            "triage_core.preferred",
            "triage_core.policy_trial",
        ),
    ),
    ("database", ("triage_core.db", "triage_core.migrations")),
    ("likeness", ("triage_core.likeness.*",)),
    (
        "rules",
        (
            "triage_core.access",
            "triage_core.agreement",
            "triage_core.clocks",
            "triage_core.decision",
            "triage_core.delivery",
            "triage_core.embargo",
            "triage_core.embargo_machine",
            "triage_core.fields",
            "triage_core.hints",
            "triage_core.jsontext",
            "triage_core.lifecycle",
            "triage_core.limits",
            "triage_core.notices",
            "triage_core.policy",
            "triage_core.policy_text",
            "triage_core.redact",
            "triage_core.puzzle",
            "triage_core.reportformat",
            "triage_core.reward_rules",
            "triage_core.sections",
            "triage_core.settings",
            "triage_core.severity_steps",
            "triage_core.spam",
            "triage_core.tables",
            "triage_core.text",
            "triage_core.tomltext",
            "triage_core.tokens",
            "triage_core.transcript",
            "triage_core.worddiff",
        ),
    ),
    ("words", ("triage_core.model",)),
    ("errors", ("triage_core", "triage_core.errors")),
)

# Packages that only these modules import, so that the rest of the house stays free of them.
CONFINED: dict[str, tuple[str, ...]] = {
    "duckdb": ("triage_core.db",),
    "torch": ("triage_core.likeness.embed*",),
    "sentence_transformers": ("triage_core.likeness.embed*",),
    "transformers": ("triage_core.likeness.embed*",),
    "openvino": ("triage_core.likeness.embed*",),
    "streamlit": ("app", "dashboard", "pages.*", "ui.*"),
    "starlette": ("app", "triage_core.serving", "triage_core.api.*", "triage_core.middleware"),
    "uvicorn": ("app", "triage_core.serving"),
    "numba": ("triage_core.likeness.kernels",),
    "plotly": ("ui.*",),
    "ray": ("triage_core.archive_ray",),
    "typer": ("triage_core.__main__", "triage_core.cli.*"),
}
NOT_IN_PAGES = ("numpy", "pandas", "pyarrow")
LONGEST = 400


def layer(name: str) -> int:
    """The number of the layer that holds `name`, 0 at the top; -1 when none does."""
    for number, (_, patterns) in enumerate(LAYERS):
        if any(matches(name, pattern) for pattern in patterns):
            return number
    return -1


def inner_imports() -> list[Import]:
    return [found for module in modules().values() for found in imports(module) if found.target in modules()]


def imports_of(package: str) -> list[Import]:
    return [
        found
        for module in modules().values()
        for found in imports(module)
        if matches(found.target, f"{package}.*")
    ]


def test_every_module_has_a_layer() -> None:
    assert [name for name in modules() if layer(name) < 0] == [], "give these their place in LAYERS"


def test_imports_point_downwards() -> None:
    upwards = [found for found in inner_imports() if layer(found.target) < layer(found.importer)]
    assert [str(found) for found in upwards] == []


def test_imports_make_no_cycle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for found in inner_imports():
        if found.target != found.importer:
            graph[found.importer].add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("these import each other: " + " <- ".join(error.args[1]))


@pytest.mark.parametrize("package", CONFINED)
def test_packages_stay_where_they_belong(package: str) -> None:
    strays = [
        str(found)
        for found in imports_of(package)
        if not any(matches(found.importer, home) for home in CONFINED[package])
    ]
    assert strays == []


@pytest.mark.parametrize("package", NOT_IN_PAGES)
def test_pages_hold_no_table_logic(package: str) -> None:
    assert [str(found) for found in imports_of(package) if matches(found.importer, "pages.*")] == []


def test_files_are_short() -> None:
    paths = [module.path for module in modules().values()] + sorted((REPOSITORY / "benchmarks").rglob("*.py"))
    lengths = {str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines()) for path in paths}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_no_import_goes_unseen() -> None:
    """The eyes of this check: nested, relative, for type checking only, and by name at run time."""
    source = """
import duckdb as d
if TYPE_CHECKING:
    from triage_core import store
def f():
    from ..errors import Refused
    from .. import db as database, model
    importlib.import_module("torch")
"""
    module = Module("triage_core.likeness.search", Path("search.py"), ast.parse(source))
    assert {found.target for found in imports(module)} == {
        "duckdb",
        "triage_core.store",
        "triage_core.errors",
        "triage_core.db",
        "triage_core.model",
        "torch",
    }
    assert layer("dashboard") < layer("triage_core.store") < layer("triage_core.model")
    assert layer("ui") == layer("ui.charts") != layer("uix") == -1


def test_screens_read_the_store_through_the_gate_alone() -> None:
    """`session.look` withholds what a person may not read; a cursor of the store's own would tell all of it."""
    reads = [
        f"{name}:{node.lineno}"
        for name, module in modules().items()
        if layer(name) <= layer("ui.session")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "read"
        and ast.unparse(node.value).endswith("store")
    ]
    assert reads == []
