"""What somebody asks for when they build or preview a dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from triage_core.errors import Refused
from triage_core.exporters import profiles
from triage_core.exporters.hygiene import Hygiene
from triage_core.exporters.packs import PACKS
from triage_core.exporters.poison import SHARE
from triage_core.queries import Filter

FORMATS = ("jsonl", "parquet")
LAYOUTS = ("strict", "rich")
LISTS = ("status", "severity", "platform", "harm")
FILTERS = (*LISTS, "cluster_id", "words")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NAME_RULE = "lower-case letters, digits, dot, dash and underscore, 64 at most, a letter or digit first"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A dataset to build in `out`/`name`/`version`.

    `layout`: strict has the trainer's columns only and the metadata in a folder of its own, rich has
    the metadata as further columns. `name` "" is the profile's name, `version` "" the next whole
    number that is free. Of a group of duplicates at most `per_group` reports are taken, the earliest
    first; 0 takes all. One reporter has at most `reporter_share` of a side. A test and a training
    report whose vectors have a cosine above `cosine_limit` stop the build; 1 lets every pair pass.
    `chosen` narrows the reports down. Raises Refused naming field and rule.
    """

    profile: str
    out: Path
    format: str = "parquet"
    layout: str = "strict"
    name: str = ""
    version: str = ""
    per_group: int = 1
    reporter_share: float = SHARE
    cosine_limit: float = 1.0
    hygiene: Hygiene = field(default_factory=Hygiene)
    chosen: Filter = field(default_factory=Filter)

    def __post_init__(self) -> None:
        profiles.get(self.profile)
        _one_of("format", self.format, (*FORMATS, *PACKS))
        _one_of("layout", self.layout, LAYOUTS)
        pack = PACKS.get(self.format)
        if pack and (self.profile != pack.profile or self.layout != "strict"):
            raise Refused("format", f"{self.format} is for the profile {pack.profile} in the layout strict")
        if self.per_group < 0:
            raise Refused("per_group", "0 for all reports of a group, or how many of them at most")
        if not 0 < self.reporter_share <= 1:
            raise Refused("reporter_share", "a share above 0, at most 1")
        if not 0 < self.cosine_limit <= 1:
            raise Refused("cosine_limit", "a cosine above 0, at most 1")
        for where, value in (("name", self.name), ("version", self.version)):
            if value and not _NAME.fullmatch(value):
                raise Refused(where, f"{_NAME_RULE}; not {value!r}")

    @property
    def dataset(self) -> str:
        """The name of the dataset."""
        return self.name or self.profile

    @classmethod
    def from_json(cls, params: Mapping[str, Any]) -> ExportRequest:
        """The request in decoded JSON; absent, null and empty are all the default.

        Filters are keys of their own (severity, platform, ...), lists of text or text.
        """
        given = {key: value for key, value in params.items() if value not in (None, "", [])}
        habits = [item.name for item in fields(Hygiene)]
        known = {item.name for item in fields(cls)} - {"chosen", "hygiene"} | set(habits)
        unknown = [key for key in given if key not in known | set(FILTERS)]
        if unknown:
            raise Refused(unknown[0], f"an export takes {', '.join(sorted(known | set(FILTERS)))}")
        for required in ("profile", "out"):
            if required not in given:
                raise Refused(required, "is required")
        numbers = {"per_group": (int,), "reporter_share": (int, float), "cosine_limit": (int, float)}
        for key in given.keys() & numbers.keys():
            if isinstance(given[key], bool) or not isinstance(given[key], numbers[key]):
                raise Refused(key, "must be a number")
        for key in given.keys() - LISTS - numbers.keys():
            if not isinstance(given[key], str):
                raise Refused(key, "must be text")
        hygiene = Hygiene(**{key: given.pop(key) for key in habits if key in given})
        filters = {key: given.pop(key) for key in FILTERS if key in given}
        for key in filters.keys() & LISTS:
            filters[key] = _texts(key, filters[key])
        return cls(**{**given, "out": Path(given["out"])}, hygiene=hygiene, chosen=Filter(**filters))

    @classmethod
    def of_manifest(cls, account: Mapping[str, Any], out: Path) -> ExportRequest:
        """What was asked for when this manifest was made, for the next version in the same folder."""
        named = ("profile", "format", "layout", "name")
        filters: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in account["filters"].items()
        }
        return cls(
            out=out,
            **{name: account[name] for name in named},
            per_group=account["dedup"]["reports_per_group"],
            reporter_share=account["reporter_cap"]["share"],
            cosine_limit=account["split"].get("cosine_limit", 1.0),  # an earlier release had none
            hygiene=Hygiene(**account["hygiene"]),
            chosen=Filter(**filters),
        )

    def filters(self) -> dict[str, Any]:
        """The filters in force, as plain JSON."""
        values = {name: getattr(self.chosen, name) for name in FILTERS}
        return {
            name: value if isinstance(value, str) else list(value) for name, value in values.items() if value
        }


def _one_of(where: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise Refused(where, f"one of {', '.join(allowed)}, not {value!r}")


def _texts(where: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise Refused(where, "must be text or a list of text")
    return tuple(values)
