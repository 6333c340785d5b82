"""The product's source as syntax trees: modules by dotted name, and what each of them imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PRODUCT = ("app.py", "dashboard.py", "pages", "ui", "triage_core")


@dataclass(frozen=True, slots=True)
class Module:
    """One file: `name` is its dotted name, a package's being that of its folder."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@dataclass(frozen=True, slots=True)
class Import:
    """`target` is imported by `importer` on `line`; a dotted module name, of ours or of a package."""

    importer: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


@cache
def modules() -> dict[str, Module]:
    """Every Python file of the product (without tests and benchmarks) by dotted name."""
    paths = (path for root in PRODUCT for path in _files(REPOSITORY / root))
    found = (Module(_name(path), path, ast.parse(path.read_text(), str(path))) for path in paths)
    return {module.name: module for module in found}


def _files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.py")) if root.is_dir() else [root] * root.exists()


def _name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: Module) -> Iterator[Import]:
    """Every import of a module, wherever it stands: at the top, in a function, for type checking only."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module.name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(module, node)
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield Import(module.name, inner if inner in modules() else origin, node.lineno)
        elif isinstance(node, ast.Call) and _is_import_call(node.func):
            match node.args:
                case [ast.Constant(value=str(target)), *_]:
                    yield Import(module.name, target, node.lineno)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.name.split(".")
    package = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*package, *([node.module] if node.module else [])])


def _is_import_call(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def matches(name: str, pattern: str) -> bool:
    """True when `pattern` is `name`, or a package ("ui.*") that holds it; "x*" fits any such start."""
    if pattern.endswith(".*"):
        return name == pattern[:-2] or name.startswith(pattern[:-1])
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
