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
        (
            "triage_core.api.*",
            "triage_core.channel.formdata",
            "triage_core.desk_pages",
            "triage_core.middleware",
            "triage_core.serving",
        ),
    ),
    (
        "the opened product",
        (
            "triage_core.control",
            "triage_core.demo",
            "triage_core.demo_acts",
            "triage_core.health",
            "triage_core.outgoing.notifier",
            "triage_core.operations.*",
            "triage_core.runtime",
            "triage_core.unwell",
        ),
    ),
    (
        "commands",
        (
            "triage_core.advisories.advising",
            "triage_core.advisories.advisory_board",
            "triage_core.advisories.answering",
            "triage_core.advisories.handing",
            "triage_core.advisories.peers",
            "triage_core.advisories.steps",
            "triage_core.desk.answers",
            "triage_core.archives.archive*",
            "triage_core.backup",
            "triage_core.rewards.bounty",
            "triage_core.desk.bulk",
            "triage_core.disclosure.disclosure",
            "triage_core.desk.drafts",
            "triage_core.disclosure.embargoes",
            "triage_core.disclosure.holdings",
            "triage_core.outgoing.follow_through",
            "triage_core.disclosure.shared_ends",
            "triage_core.disclosure.sharing",
            "triage_core.channel.standing",
            "triage_core.exchange.*",
            "triage_core.exporters.*",
            "triage_core.importers.*",
            "triage_core.index.indexing",
            "triage_core.index.clause_advice",
            "triage_core.index.decided_near",
            "triage_core.index.suggestions",
            "triage_core.guidance.guidance_gaps",
            "triage_core.index.arrivals",
            "triage_core.index.close_reading",
            "triage_core.index.embedding",
            "triage_core.index.far_reading",
            "triage_core.index.learning",
            "triage_core.clusters.cluster_names",
            "triage_core.clusters.cluster_work",
            "triage_core.desk.linking",
            "triage_core.index.memory",
            "triage_core.index.neighbours",
            "triage_core.desk.claims",
            "triage_core.channel.consent",
            "triage_core.channel.apikeys",
            "triage_core.channel.committer",
            "triage_core.channel.first_rows",
            "triage_core.channel.intake",
            "triage_core.channel.messages",
            "triage_core.monthly",
            "triage_core.outgoing.outbox",
            "triage_core.channel.promises",
            "triage_core.channel.seen_keys",
            "triage_core.channel.reporter",
            "triage_core.channel.tracking",
            "triage_core.guidance.policies",
            "triage_core.guidance.policy_drafts",
            "triage_core.guidance.policy_overtaken",
            "triage_core.replay",
            "triage_core.rewards.batches",
            "triage_core.rewards.dismissals",
            "triage_core.rewards.entitlements",
            "triage_core.rewards.payments",
            "triage_core.rewards.rewards",
            "triage_core.rewards.spending",
            "triage_core.rewards.sums",
            "triage_core.desk.second_look",
            "triage_core.desk.triage.*",
            "triage_core.desk.views",
            "triage_core.verification",
            "triage_core.desk.undo",
            "triage_core.desk.undoable",
        ),
    ),
    (
        "facts",
        (
            "triage_core.desk.activity",
            "triage_core.desk.assessments",
            "triage_core.audit",
            "triage_core.desk.boards",
            "triage_core.cases",
            "triage_core.clusters.cluster_board",
            "triage_core.clusters.groups",
            "triage_core.channel.journal",
            "triage_core.desk.looks",
            "triage_core.clusters.cluster_splits",
            "triage_core.desk.deadlines",
            "triage_core.disclosure.embargo_board",
            "triage_core.index.maps",
            "triage_core.listed",
            "triage_core.queries.*",
            "triage_core.index.readings",
            "triage_core.guidance.clause_figures",
            "triage_core.store",
            "triage_core.index.suggestion_facts",
            "triage_core.told",
            "triage_core.trends.*",
            "triage_core.counted",
            "triage_core.index.vectors",
            "triage_core.disclosure.withheld",
            "triage_core.index.placements",
            "triage_core.desk.preferred",
            "triage_core.guidance.policy_trial",
        ),
    ),
    ("database", ("triage_core.db", "triage_core.migrations")),
    ("likeness", ("triage_core.likeness.*",)),
    (
        "rules",
        (
            "triage_core.access",
            "triage_core.collector",
            "triage_core.advisories.advisory",
            "triage_core.desk.agreement",
            "triage_core.guidance.clocks",
            "triage_core.desk.decision",
            "triage_core.outgoing.delivery",
            "triage_core.disclosure.embargo",
            "triage_core.disclosure.embargo_machine",
            "triage_core.channel.fields",
            "triage_core.front",
            "triage_core.channel.hints",
            "triage_core.channel.jsontext",
            "triage_core.keys",
            "triage_core.lifecycle",
            "triage_core.channel.limits",
            "triage_core.outgoing.notices",
            "triage_core.guidance.placeholders",
            "triage_core.guidance.policy",
            "triage_core.guidance.policy_text",
            "triage_core.redact",
            "triage_core.channel.puzzle",
            "triage_core.channel.reportformat",
            "triage_core.rewards.reward_rules",
            "triage_core.guidance.sections",
            "triage_core.settings",
            "triage_core.guidance.severity_steps",
            "triage_core.channel.spam",
            "triage_core.guidance.tables",
            "triage_core.text",
            "triage_core.tickets",
            "triage_core.guidance.tomltext",
            "triage_core.tokens",
            "triage_core.channel.transcript",
            "triage_core.desk.worddiff",
        ),
    ),
    ("words", ("triage_core.currencies", "triage_core.model")),
    # A package's own file is empty; what it holds stands in the layers above.
    (
        "errors",
        (
            "triage_core",
            "triage_core.advisories",
            "triage_core.archives",
            "triage_core.channel",
            "triage_core.clusters",
            "triage_core.desk",
            "triage_core.disclosure",
            "triage_core.errors",
            "triage_core.guidance",
            "triage_core.index",
            "triage_core.outgoing",
            "triage_core.rewards",
        ),
    ),
)

# Packages that only these modules import, so that the rest of the house stays free of them.
CONFINED: dict[str, tuple[str, ...]] = {
    "duckdb": ("triage_core.db",),
    "torch": ("triage_core.likeness.embed*",),
    "sentence_transformers": ("triage_core.likeness.embed*",),
    "transformers": ("triage_core.likeness.embed*",),
    "openvino": ("triage_core.likeness.embed*",),
    "streamlit": ("app", "dashboard", "pages.*", "ui.*"),
    "starlette": (
        "app",
        "triage_core.serving",
        "triage_core.api.*",
        "triage_core.desk_pages",
        "triage_core.middleware",
    ),
    "uvicorn": ("app", "triage_core.serving"),
    "numba": ("triage_core.likeness.kernels",),
    "plotly": ("ui.*",),
    "ray": ("triage_core.archives.archive_ray",),
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


def screen(name: str) -> str:
    """The package of ui that holds `name`; "" for what all screens share, and for what is no piece of a screen."""
    home = ".".join(name.split(".")[:2])
    return home if home.startswith("ui.") and modules()[home].is_package else ""


def test_no_screen_imports_another() -> None:
    """What two packages of ui need stands at its top, and the top needs none of them."""
    assert (screen("ui.review.keys"), screen("ui.words"), screen("pages.review")) == ("ui.review", "", "")
    strays = [
        str(found)
        for found in inner_imports()
        if layer(found.importer) == layer("ui")
        and screen(found.target)
        and screen(found.importer) != screen(found.target)
    ]
    assert strays == []


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
