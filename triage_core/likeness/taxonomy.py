"""What technique a wrapper takes: a family and a strategy in the words that reviewers know, or nothing.

A suggestion rests on three kinds of evidence: phrases (cues) of the strategy, the shape of the text (encodings,
other languages), and how near it is in meaning to descriptions of the strategy. Both are read from
technique_families.toml, which holds words of our own; a few numbers there say how much each counts.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.decoding import find
from triage_core.text import HiddenKind, hidden_characters

Vectors = NDArray[np.float32]

READ = 6_000
"""So many characters of a wrapper are read for cues."""
SURE = 0.7
"""The least probability at which a family is suggested: two kinds of cues, or a plain encoding."""

_LEET = re.compile(r"\b(?=\w*[a-z])(?=\w*[013457@$])[a-z013457@$]{4,}\b")
_LETTERS = re.compile(r"[^\W\d_]+")
_HIDDEN = frozenset({HiddenKind.TAG, HiddenKind.ZERO_WIDTH})
_FEW_HIDDEN = 8
_QUESTION = re.compile(r"\?(?=\s|$)")
_MANY_QUESTIONS = 4
# In so few words a cue tells more than one among hundreds.
_SHORT, _IN_SHORT = 40, 1.5


@dataclass(frozen=True, slots=True)
class Strategy:
    """One strategy of a family: the patterns of its cues, and texts that it is near to in meaning."""

    family: str
    name: str
    cues: tuple[re.Pattern[str], ...]
    like: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.family}: {self.name}"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All strategies; how much evidence counts, in log-odds: a cue, a unit of cosine, and against any strategy;
    and the small words of English and of other languages."""

    strategies: tuple[Strategy, ...]
    meaning: float
    cue: float
    doubt: float
    english: frozenset[str]
    elsewhere: frozenset[str]

    @property
    def texts(self) -> list[str]:
        """The texts whose vectors `suggest` wants, in order."""
        return [text for strategy in self.strategies for text in strategy.like]


@lru_cache(maxsize=1)
def shipped() -> Taxonomy:
    """The taxonomy that comes with the product."""
    file = resources.files("triage_core.likeness").joinpath("technique_families.toml")
    stored = tomllib.loads(file.read_text(encoding="utf-8"))
    strategies = tuple(
        Strategy(
            item["family"],
            item["name"],
            tuple(re.compile(cue, re.DOTALL) for cue in item["cues"]),
            tuple(item["like"]),
        )
        for item in stored["strategy"]
    )
    weights, words = stored["calibration"], stored["small_words"]
    return Taxonomy(
        strategies,
        meaning=float(weights["meaning"]),
        cue=float(weights["cue"]),
        doubt=float(weights["doubt"]),
        english=frozenset(words["english"].split()),
        elsewhere=frozenset(words["elsewhere"].split()),
    )


def family(wrapper: str, members: Vectors, like: Vectors) -> str | None:
    """The title of the technique that a cluster is taken for, from a wrapper and its members' vectors, (n, dim).

    `like` is that of the shipped taxonomy's texts. None where that is unsure. In the mean of members requests cancel
    out.
    """
    mean = members.mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    found = suggest(_shipped_cues(wrapper[:READ]), meanings(mean, like, shipped()), shipped())
    return None if found is None else found[0]


@lru_cache(maxsize=8_192)
def _shipped_cues(text: str) -> NDArray[np.float64]:
    """`cues` of the shipped taxonomy; kept, since clusters are taken for something anew with every report."""
    return cues(text, shipped())


def cues(text: str, taxonomy: Taxonomy) -> NDArray[np.float64]:
    """(strategies,) 0 to 1: how much in the text speaks for each; two kinds of cues are as good as any number."""
    read = text[:READ]
    lower = " ".join(read.lower().replace("’", "'").split())
    found = np.array(
        [sum(cue.search(lower) is not None for cue in strategy.cues) for strategy in taxonomy.strategies],
        dtype=np.float64,
    )
    names = [strategy.name for strategy in taxonomy.strategies]
    found[names.index("Code and Encode")] += 2 * encoded(read)
    found[names.index("Another language")] += 2 * foreign(read, taxonomy)
    # One question among many that have nothing to do with it.
    found[names.index("Persuasion and Manipulation")] += len(_QUESTION.findall(read)) >= _MANY_QUESTIONS
    if len(lower.split()) <= _SHORT:
        found *= _IN_SHORT
    return np.minimum(found, 2) / 2


def meanings(vector: Vectors, like: Vectors, taxonomy: Taxonomy) -> NDArray[np.float64]:
    """(strategies,) the best cosine to the texts of each, above the mean over all strategies."""
    starts = np.cumsum([0, *(len(s.like) for s in taxonomy.strategies[:-1])])
    best = np.maximum.reduceat(like.astype(np.float64) @ vector, starts)
    above: NDArray[np.float64] = best - best.mean()
    return above


def odds(cue: NDArray[np.float64], meaning: NDArray[np.float64], taxonomy: Taxonomy) -> NDArray[np.float64]:
    """(strategies,) log-odds of each strategy against none."""
    return np.asarray(taxonomy.meaning * meaning + taxonomy.cue * cue - taxonomy.doubt)


def suggest(
    cue: NDArray[np.float64], meaning: NDArray[np.float64], taxonomy: Taxonomy
) -> tuple[str, float] | None:
    """The strategy's title and the probability of its family; None when no family is sure enough."""
    weight = np.exp(odds(cue, meaning, taxonomy))
    share = weight / (1 + weight.sum())
    by_family: dict[str, float] = {}
    for strategy, part in zip(taxonomy.strategies, share.tolist(), strict=True):
        by_family[strategy.family] = by_family.get(strategy.family, 0.0) + part
    family = max(by_family, key=lambda name: by_family[name])
    if by_family[family] < SURE:
        return None
    inside = [part if s.family == family else -1 for s, part in zip(taxonomy.strategies, share, strict=True)]
    return taxonomy.strategies[int(np.argmax(inside))].title, by_family[family]


def encoded(text: str) -> bool:
    """Whether part of the text is written in an encoding that people use to get past a filter."""
    # A few joiners belong to emoji and to some scripts.
    if sum(run.length for run in hidden_characters(text) if run.kind in _HIDDEN) > _FEW_HIDDEN:
        return True
    lower = text.lower()
    return len(_LEET.findall(lower)) >= max(3, len(_LETTERS.findall(lower)) // 6) or bool(find(text))


def foreign(text: str, taxonomy: Taxonomy) -> bool:
    """Whether the text is mostly in another language than English."""
    words = _LETTERS.findall(text.lower())
    letters = "".join(words)
    if len(letters) < 8:
        return False
    beyond = sum(ord(letter) > 0x24F for letter in letters) / len(letters)
    least = max(0.12, 1.5 * _share(words, taxonomy.english))
    return beyond > 0.3 or _share(words, taxonomy.elsewhere) > least


def _share(words: list[str], known: frozenset[str]) -> float:
    return sum(word in known for word in words) / max(1, len(words))
