"""Datasets in the formats of other tools, safe for the loader that reads them: evaluation sets, and pairs to tune by.

Most of these loaders run what they read through a template engine or take some columns for file names;
each module says how its format is kept from doing that.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from triage_core.exporters.packs import garak, harmbench, inspect_ai, lm_eval, openai, promptfoo, pyrit
from triage_core.exporters.packs.base import Pack

PACKS: Mapping[str, Pack] = MappingProxyType(
    {
        "promptfoo": promptfoo.PACK,
        "inspect": inspect_ai.PACK,
        "pyrit": pyrit.PACK,
        "lm-eval": lm_eval.PACK,
        "garak": garak.PACK,
        "harmbench": harmbench.PACK,
        "openai": openai.PACK,
    }
)

__all__ = ["PACKS", "Pack"]
