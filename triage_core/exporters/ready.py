"""The compiled loops of a preview, run once on two sentences: loading them takes part of a second, compiling some."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from triage_core.exporters import wording
from triage_core.exporters.arrays import TEXT
from triage_core.exporters.escaped import escaped
from triage_core.exporters.leakage import Leakage
from triage_core.exporters.limits import Limits
from triage_core.exporters.poison import Concentration
from triage_core.exporters.split import Split, Splits, group


def load() -> None:
    """Have ready what the first preview of a dataset would wait for."""
    texts = pa.array(["The words of one report.", "Those of another one, which is for tests."], TEXT)
    both, none, starts = np.arange(2), np.zeros(0, np.int64), np.arange(3)
    Limits(Splits(group(both, none, none), {}), 1, dict.fromkeys(Split, 1)).why_not(
        both, pa.array(["", "a reporter"])
    )
    escaped(texts)
    runs = wording.read(texts, starts)
    Concentration().add(["", "a reporter"], runs)
    leakage = Leakage(2)
    leakage.add(["one", "other"], [False, True], [True, True], runs)
    leakage.to_json()
