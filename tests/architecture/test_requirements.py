"""What the product imports is what requirements.txt installs, in exact versions."""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions

from tests.architecture.source import REPOSITORY, imports, modules

OPTIONAL = {"numba", "onnx", "openvino", "ray"}  # imported where they are used, and done without when absent


def requirements(name: str) -> list[str]:
    lines = (line.split("#")[0].strip() for line in (REPOSITORY / name).read_text().splitlines())
    return [line for line in lines if line and not line.startswith("-r")]


def test_versions_are_exact() -> None:
    """Without a local part such as "+cpu", so that every installer finds them."""
    lines = requirements("requirements.txt") + requirements("requirements-dev.txt")
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\d.]+", line)] == []


def test_imported_packages_are_required() -> None:
    required = {normal(line.partition("==")[0]) for line in requirements("requirements.txt")}
    ours = {name.split(".")[0] for name in modules()}
    imported = {found.target.split(".")[0] for module in modules().values() for found in imports(module)}
    foreign = imported - ours - sys.stdlib_module_names - OPTIONAL - {""}
    distributions = packages_distributions()
    homeless = {name for name in foreign if not {normal(d) for d in distributions.get(name, [])} & required}
    assert homeless == set()


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
