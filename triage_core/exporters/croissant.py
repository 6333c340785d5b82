"""croissant.json: a dataset described for loaders that know MLCommons' format, Croissant 1.0.

Each file is named with its SHA-256, so that a loader refuses one that was changed. The columns of each
split are a record set; messages are a repeated field with a role and a content. Only Parquet and JSON
Lines are described: the files of other tools are no tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from triage_core.exporters import metadata
from triage_core.exporters.folder import DATA, METADATA, file_name, schema_of
from triage_core.exporters.profiles import Profile
from triage_core.exporters.split import Split

FILE = "croissant.json"
VERSION = "http://mlcommons.org/croissant/1.0"
ENCODING = {"parquet": "application/x-parquet", "jsonl": "application/jsonlines"}
TYPES = {pa.string(): "sc:Text", pa.bool_(): "sc:Boolean", pa.int64(): "sc:Integer"}

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "equivalentProperty": "cr:equivalentProperty",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def describes(format: str) -> bool:
    """Whether files of this format can be described."""
    return format in ENCODING


def render(profile: Profile, manifest: Mapping[str, Any]) -> str:
    """The document, as JSON; `manifest` holds the files with their hashes."""
    layout, format = manifest["layout"], manifest["format"]
    hashes = {file["path"]: file["sha256"] for file in manifest["files"]}
    parts = [(DATA, schema_of(profile.schema, layout))]
    if layout == "strict":
        parts.append((METADATA, metadata.SCHEMA))
    described = [
        (part, split, path, schema)
        for part, schema in parts
        for split in Split
        if (path := file_name(part, split, format)) in hashes
    ]
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": f"{manifest['name']}-{manifest['version']}",
        "version": _semantic(manifest["version"]),
        "description": profile.about,
        "conformsTo": VERSION,
        "datePublished": manifest["created_at"],
        "url": f"urn:sha256:{manifest['content_sha256']}",
        "citeAs": f"{manifest['name']} {manifest['version']}, {manifest['generator']}",
        "isLiveDataset": False,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path,
                "name": path,
                "contentUrl": path,
                "encodingFormat": ENCODING[format],
                "sha256": hashes[path],
            }
            for _, _, path, _ in described
        ],
        "recordSet": [_records(part, split, path, schema) for part, split, path, schema in described],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _records(part: str, split: Split, path: str, schema: pa.Schema) -> dict[str, Any]:
    name = str(split) if part == DATA else f"{split}_metadata"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [_field(f"{name}/{column.name}", column, path) for column in schema],
    }


def _field(name: str, column: pa.Field, path: str) -> dict[str, Any]:
    source = {"fileObject": {"@id": path}, "extract": {"column": column.name}}
    field: dict[str, Any] = {"@type": "cr:Field", "@id": name, "name": name}
    if not pa.types.is_list(column.type):
        return field | {"dataType": TYPES[column.type], "source": source}
    inner = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{part.name}",
            "name": f"{name}/{part.name}",
            "dataType": TYPES[part.type],
            "source": source | {"transform": {"jsonPath": part.name}},
        }
        for part in column.type.value_type
    ]
    return field | {"repeated": True, "subField": inner}


def _semantic(version: str) -> str:
    """The version as major.minor.patch where it is a number; Croissant wants that form."""
    return f"{version}.0.0" if version.isdigit() else version
