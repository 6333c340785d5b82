"""Three kinds of likeness over all reports: the whole, the technique (wrapper) and the request inside it.

    index = AxisIndex(embedder.embed)
    index.add(ids, texts, vectors)
    index.neighbours("r-17", Axis.REQUEST, k=5)     # [(id, probability), ...]
    index.clusters(Axis.TECHNIQUE)                  # {id: representative's id}

What it answers depends only on which reports it holds, not on their order nor on how they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import NotFound, Refused
from triage_core.likeness import learn, lexical, taxonomy
from triage_core.likeness.decoding import plain
from triage_core.likeness.evidence import Before, Likeness, Parts, heard_in, top, weigh
from triage_core.likeness.explain import Explanation, explain
from triage_core.likeness.families import group
from triage_core.likeness.labels import Spread, distinctive
from triage_core.likeness.learn import Pair, PairModel
from triage_core.likeness.lexical import Bag
from triage_core.likeness.overlap import Overlap, of_bags
from triage_core.likeness.slots import Reading, SlotModel, read, shipped
from triage_core.likeness.spans import Mate, Ranges, Spans, divide, extract, mate_grams, within
from triage_core.likeness.words import Words, of_wordings, telling

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
Names = tuple[str, str]
_Mates = list[tuple[str, float]]

_MATES, _MATE_LIKENESS = 60, 0.2
_LEAST_WRAPPER_WORDS = 5


class Axis(StrEnum):
    WHOLE = "whole"
    TECHNIQUE = "technique"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class _Document:
    """A report's text in plain words (see `decoding.plain`): its own `length` characters, and what is added."""

    text: str
    length: int
    vector: Vectors
    reading: Reading
    grams: NDArray[np.uint64]
    passages: Bag
    words: Bag


@dataclass(frozen=True, slots=True)
class _Told:
    """A divided text: its parts, what is compared of them, and where they stand in the text as it was sent."""

    spans: Spans
    shown: Spans
    wrapper: str
    request: str
    wrapper_grams: Bag
    request_words: Bag


@dataclass(frozen=True, slots=True)
class _View:
    """Everything derived from the present reports, in the order of their ids."""

    ids: list[str]
    row: Mapping[str, int]
    told: list[_Told]
    words: Words
    likeness: Likeness


class AxisIndex:
    """Reports, compared on the three axes."""

    def __init__(self, embed: Embed, slots: SlotModel | None = None) -> None:
        self._embed = embed
        self._slots = slots or shipped()
        self._documents: dict[str, _Document] = {}
        self._request_vectors: dict[str, Vectors] = {}
        self._divided: dict[str, tuple[_Mates, Spans]] = {}
        self._told: dict[str, _Told] = {}
        self._passages, self._wrappers = Overlap(of_bags), Overlap(of_bags)
        self._requests, self._wholes = Overlap(of_wordings), Overlap(of_wordings)
        self._labels: dict[Axis, tuple[Spread, dict[tuple[str, ...], str]]] = {}
        self._families: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._view: _View | None = None
        self._before: _View | None = None

    def add(self, ids: Sequence[str], texts: Sequence[str], vectors: Vectors) -> None:
        """Takes in reports: `vectors` (n, dim) of length 1, of the whole texts. An id may come once only."""
        for name, text, vector in zip(ids, texts, vectors, strict=True):
            if name in self._documents:
                raise Refused("id", f"{name} is already in the index")
            whole = plain(text)
            reading = read(whole, self._slots)
            grams, words = mate_grams(reading), lexical.word_grams(reading.tokens)
            self._documents[name] = _Document(
                whole, len(text), vector, reading, grams, lexical.gram_set(grams), lexical.bag(words)
            )
        self._before, self._view = self._view or self._before, None

    def grown(self, ids: Sequence[str], texts: Sequence[str], vectors: Vectors) -> AxisIndex:
        """A new index that holds these reports too; this one stays as it is, for those who read it."""
        bigger = AxisIndex(self._embed, self._slots)
        bigger._documents = dict(self._documents)
        bigger._request_vectors = dict(self._request_vectors)
        bigger._divided = dict(self._divided)
        bigger._told = dict(self._told)
        bigger._passages, bigger._wrappers = self._passages.grown(), self._wrappers.grown()
        bigger._requests, bigger._wholes = self._requests.grown(), self._wholes.grown()
        bigger._labels, bigger._families = dict(self._labels), dict(self._families)
        bigger._before = self._view
        bigger.add(ids, texts, vectors)
        return bigger

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, report: str) -> bool:
        return report in self._documents

    def neighbours(self, report: str, axis: Axis, k: int = 10) -> list[tuple[str, float]]:
        """The `k` most alike reports with their scores (0 to 1), best first."""
        view = self._current()
        return self._nearest(view, self._row(report), axis, k)

    def all_neighbours(self, axis: Axis, k: int = 10) -> dict[str, list[tuple[str, float]]]:
        """`neighbours` of every report, by id."""
        view = self._current()
        return {name: self._nearest(view, at, axis, k) for at, name in enumerate(view.ids)}

    def table(self, axis: Axis) -> tuple[list[str], NDArray[np.float32]]:
        """The ids and the scores of every pair, (n, n) in their order; not to be written to."""
        view = self._current()
        return view.ids, self._matrix(view, axis)

    def clusters(
        self, axis: Axis, together: Iterable[Names] = (), apart: Iterable[Names] = ()
    ) -> dict[str, str]:
        """For every report the id of its cluster's representative; a report alike to none represents itself.

        Pairs in `together` share a cluster and pairs in `apart` never do, whatever their likeness.
        """
        view = self._current()

        def rows(pairs: Iterable[Names]) -> list[tuple[int, int]]:
            return [(view.row[a], view.row[b]) for a, b in pairs if a in view.row and b in view.row]

        tools = view.likeness.tools() if axis is Axis.TECHNIQUE else None
        roots = group(
            self._matrix(view, axis), rows(together), rows(apart), tools, verbatim=axis is Axis.REQUEST
        )
        return {name: view.ids[int(root)] for name, root in zip(view.ids, roots, strict=True)}

    def labels(self, axis: Axis, clusters: Mapping[str, str]) -> dict[str, str]:
        """For every representative in `clusters` (as `clusters` gives them) a few words that tell its cluster.

        Taken from wrappers on the technique axis, from requests on the request axis, else from whole texts.
        """
        spread, kept = self._current().words.spread, self._labels.get(axis)
        members: dict[str, list[str]] = {}
        for name, root in sorted(clusters.items()):
            members.setdefault(root, []).append(self._part(name, axis))
        texts = {root: tuple(parts) for root, parts in members.items()}
        known = kept[1] if kept and kept[0] is spread else {}
        found = distinctive({root: said for root, said in texts.items() if said not in known}, spread=spread)
        labels = {root: found[root] if root in found else known[said] for root, said in texts.items()}
        self._labels[axis] = spread, {said: labels[root] for root, said in texts.items()}
        return labels

    def families(self, clusters: Mapping[str, str]) -> dict[str, str]:
        """For every representative in `clusters` the technique that its cluster is taken for; unsure ones left out.

        Read from the representative's wrapper and from the mean vector of the cluster, in which requests cancel out.
        """
        known = taxonomy.shipped()
        self._embed_requests(known.texts)
        like = np.stack([self._request_vectors[text] for text in known.texts])
        members: dict[str, list[str]] = {}
        for name, root in clusters.items():
            members.setdefault(root, []).append(name)
        kept, self._families = self._families, {}
        for root, names in members.items():
            read = self._part(root, Axis.TECHNIQUE), tuple(names)
            if read not in kept:
                vectors = np.stack([self._documents[name].vector for name in names])
                kept[read] = taxonomy.family(read[0], vectors, like)
            self._families[read] = kept[read]
        found = {
            root: family for (root, _), family in zip(members.items(), self._families.values(), strict=True)
        }
        return {root: family for root, family in found.items() if family is not None}

    def spans(self, report: str) -> Spans:
        """Where wrapper and request stand in the report's text."""
        return self._current().told[self._row(report)].shown

    def pair(self, a: str, b: str) -> Pair:
        """The evidence that the texts of two reports give; what else is known of them is not in it."""
        one, other, found = self._row(a), self._row(b), self._current().likeness
        first, second = self._documents[a], self._documents[b]
        sizes = sorted((len(first.text), len(second.text)))
        return Pair(
            whole=float(found.whole[one, other]),
            technique=float(found.technique[one, other]),
            request=float(found.request[one, other]),
            words=self._current().words.cosine(first.words, second.words),
            meaning=min(1.0, float(first.vector @ second.vector)),
            length=sizes[0] / max(1, sizes[1]),
        )

    def explain(
        self, a: str, b: str, pair: Pair | None = None, model: PairModel | None = None
    ) -> Explanation:
        """Why two reports are alike or not; `pair` is `self.pair(a, b)`, with more known of them if it is given."""
        first, second = self._documents[a], self._documents[b]
        found = explain(
            pair or self.pair(a, b),
            model or learn.shipped(),
            first.text,
            first.reading.tokens,
            second.text,
            second.reading.tokens,
        )
        return replace(
            found,
            shared_a=within(found.shared_a, first.length),
            shared_b=within(found.shared_b, second.length),
        )

    def _part(self, report: str, axis: Axis) -> str:
        if axis is Axis.WHOLE:
            return self._documents[report].text
        told = self._current().told[self._row(report)]
        return told.wrapper if axis is Axis.TECHNIQUE else told.request

    def _matrix(self, view: _View, axis: Axis) -> NDArray[np.float32]:
        return {
            Axis.WHOLE: view.likeness.whole,
            Axis.TECHNIQUE: view.likeness.technique,
            Axis.REQUEST: view.likeness.request,
        }[axis]

    def _row(self, report: str) -> int:
        row = self._current().row.get(report)
        if row is None:
            raise NotFound("report", f"{report} is not in the index")
        return row

    def _nearest(self, view: _View, row: int, axis: Axis, k: int) -> list[tuple[str, float]]:
        scores = self._matrix(view, axis)[row].copy()
        scores[row] = -np.inf
        best = top(scores[None, :], min(k, len(scores) - 1))[0] if len(scores) > 1 else ()
        return [(view.ids[int(at)], float(np.clip(scores[at], 0, 1))) for at in best]

    def _current(self) -> _View:
        if self._view is None:
            self._view = self._derive()
        return self._view

    def _derive(self) -> _View:
        before, self._before = self._before, None  # whoever is interrupted starts from nothing
        ids = sorted(self._documents, key=lambda name: (len(name), name))  # as numbers count
        documents = [self._documents[name] for name in ids]
        words = self._know(ids, before)
        spans = self._divide(ids, documents)
        told = [self._tell(*item) for item in zip(ids, documents, spans, strict=True)]
        self._embed_requests([t.request for t, d in zip(told, documents, strict=True) if t.request != d.text])
        parts = Parts(
            wrappers=self._wrappers.among([t.wrapper_grams for t in told]),
            asked=self._requests.among(
                [
                    words.worded(t.request_words, self._request_vectors.get(t.request, d.vector))
                    for t, d in zip(told, documents, strict=True)
                ]
            ),
            plain=self._wholes.among([words.worded(d.words, d.vector) for d in documents]),
            sure=np.array([s.sure for s in spans], dtype=np.float32),
            wrapped=np.array([s.wrapped for s in spans], dtype=np.float32),
        )
        heard = heard_in(len(ids))
        changed = None
        if before and heard == heard_in(len(before.ids)) and before.ids == ids[: len(before.ids)]:
            read = [at for at, one in enumerate(told) if at >= len(before.ids) or one is not before.told[at]]
            changed = Before(
                before.likeness,
                self._wrappers.changed,
                self._requests.changed,
                self._wholes.changed,
                np.array(read, np.int64),
            )
        likeness = weigh(parts, heard, changed)
        return _View(ids, {name: at for at, name in enumerate(ids)}, told, words, likeness)

    def _know(self, ids: Sequence[str], before: _View | None) -> Words:
        told = list(ids[: telling(len(ids))])
        if before and before.words.told == told:
            return before.words
        return Words({name: (self._documents[name].text, self._documents[name].words) for name in told})

    def _divide(self, ids: Sequence[str], documents: Sequence[_Document]) -> list[Spans]:
        likeness = self._passages.among([d.passages for d in documents])
        new = np.array([name not in self._divided for name in ids], dtype=np.bool_)
        # Who is like none of those that came in has the mates that it had.
        for at in np.flatnonzero(new | (likeness[:, new] >= _MATE_LIKENESS).any(axis=1)).tolist():
            self._divide_one(ids[at], _mates(ids, likeness[at], at))
        return [self._divided[name][1] for name in ids]

    def _divide_one(self, name: str, near: _Mates) -> None:
        """Only reports whose nearest have changed are divided again."""
        known = self._divided.get(name)
        if known is None or known[0] != near:
            document = self._documents[name]
            mates = [Mate(self._documents[mate].grams, likeness) for mate, likeness in near]
            self._divided[name] = (near, divide(document.text, document.reading, mates))

    def _tell(self, name: str, document: _Document, spans: Spans) -> _Told:
        """Only reports whose spans have changed are read in parts again."""
        known = self._told.get(name)
        if known is None or known.spans != spans:
            request, wrapper = extract(document.text, spans.request), wrapper_of(document.text, spans.wrapper)
            length, before = document.length, known
            known = self._told[name] = _Told(
                spans,
                replace(spans, wrapper=within(spans.wrapper, length), request=within(spans.request, length)),
                wrapper,
                request,
                before.wrapper_grams
                if before and before.wrapper == wrapper
                else lexical.gram_set(lexical.token_grams(lexical.tokenize(wrapper))),
                before.request_words
                if before and before.request == request
                else lexical.bag(lexical.word_grams(lexical.tokenize(request))),
            )
        return known

    def _embed_requests(self, requests: Sequence[str]) -> None:
        missing = sorted({request for request in requests if request not in self._request_vectors})
        if missing:
            self._request_vectors.update(zip(missing, self._embed(missing), strict=True))


def _mates(ids: Sequence[str], likeness: Vectors, own: int) -> _Mates:
    """The likest others of a report, by its row of the likeness, equal ones by id."""
    others = np.flatnonzero(likeness >= _MATE_LIKENESS)
    others = others[others != own]
    best = others[np.argsort(-likeness[others], kind="stable")[:_MATES]]
    return [
        (ids[at], round(score, 4)) for at, score in zip(best.tolist(), likeness[best].tolist(), strict=True)
    ]


def wrapper_of(text: str, ranges: Ranges) -> str:
    """The words of a wrapper; the whole text where there is next to none."""
    wrapper = extract(text, ranges)
    return wrapper if len(wrapper.split()) >= _LEAST_WRAPPER_WORDS else text
