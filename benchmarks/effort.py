"""How many decisions of a person clear a thousand reports: an expert who knows the truth works through the clusters.

The expert gives public commands alone, takes what the queue of clusters puts first, and sees what the desk
shows: the members of the cluster, and the clusters that may be one with it. A cluster of one kind is decided at
once; of a mixed one each kind is taken out with its decision; a pair of clusters is merged or said to differ.
Each of these counts as one decision. Whoever decides report by report needs 100 for 100.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import likeness_data as data
from benchmarks.harness import arguments, finish, say, table
from triage_core.channel import intake, reportformat
from triage_core.clusters import cluster_board, cluster_work, groups
from triage_core.desk.decision import Decision
from triage_core.guidance import policy
from triage_core.likeness.axes import Axis
from triage_core.likeness.constraints import Constraints
from triage_core.model import Actor, DeskRole, Exposure, Generality, Harm, Reliability, SeverityInputs, Uplift
from triage_core.runtime import Runtime
from triage_core.settings import ROOT, Settings

EXPERT = Actor("bench:expert", "Expert", frozenset(DeskRole))
POLICY = policy.load(ROOT / "data")
FLAW = Decision(
    clauses=("IN-1",),
    inputs=SeverityInputs(Harm.H3, Exposure.SELF, Generality.RETARGETABLE, Reliability.RELIABLE, Uplift.YES),
)
SHARES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
RATIO, WRONG = 1.3, 0.02


@dataclass(slots=True)
class Expert:
    """Somebody who knows the true group of every report (`truth`, by report id) and clears them on one axis.

    `curve` holds (decisions so far, share of the reports decided and rightly grouped) after each decision;
    `marks` counts the members that had to be chosen one by one.
    """

    opened: Runtime
    axis: Axis
    truth: Mapping[str, str]
    given: Counter[str] = field(default_factory=Counter)
    marks: int = 0
    curve: list[tuple[int, float]] = field(default_factory=list)
    cleared: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Work until nothing is open and no pair of clusters waits for a judgement."""
        while True:
            self.opened.likeness.refresh(EXPERT)
            with self.opened.store.read() as cursor:
                now = self.opened.store.clock()
                first, _ = cluster_board.queue(cursor, self.axis, now, least=1, size=1)
            if first:
                self._clear(first[0]["cluster_id"])
            elif not self._judge(""):
                return

    def _clear(self, cluster_id: str) -> None:
        """Decide on one kind of the cluster's members: the whole cluster, when it holds no other."""
        kinds: dict[str, dict[str, int]] = defaultdict(dict)
        with self.opened.store.read() as cursor:
            members = cluster_board.versions(cursor, self.axis, cluster_id)
        for member in members:
            kinds[self.truth[member["report_id"]]][member["report_id"]] = member["version"]
        still_open = {member["report_id"] for member in members if member["open"]}
        fewest_first = sorted(kinds.values(), key=len)
        chosen = next(kind for kind in fewest_first if not still_open.isdisjoint(kind))
        if len(kinds) == 1 and self._judge(cluster_id):
            return  # the clusters changed: look at the queue again
        if len(kinds) > 1:
            self.marks += len(chosen)
        self._decide(cluster_id, chosen, cluster_work.SPLIT if len(kinds) > 1 else cluster_work.SAME)

    def _decide(self, cluster_id: str, seen: Mapping[str, int], grouping: str) -> None:
        store = self.opened.store
        if self.axis is Axis.WHOLE:
            done = cluster_work.accept(
                store,
                POLICY,
                EXPERT,
                cluster_id,
                seen,
                FLAW,
                grouping=grouping if grouping == "split" else "",
            )
        else:
            done = cluster_work.assess(
                store, POLICY, EXPERT, self.axis, cluster_id, seen, FLAW, grouping=grouping
            )
        assert not done.skipped, done.skipped
        self.cleared |= seen.keys()
        self._count("taken out and decided" if grouping == "split" else "cluster decided")

    def _judge(self, cluster_id: str) -> bool:
        """Judge the surest pair of clusters (with this one) of which both are of one kind; False without any."""
        with self.opened.store.read() as cursor:
            pairs, _ = cluster_board.may_be_one(cursor, self.axis, cluster_id, size=1_000)
            for pair in pairs:
                one, other = (
                    {self.truth[row["report_id"]] for row in cluster_board.versions(cursor, self.axis, name)}
                    for name in (pair["one_id"], pair["other_id"])
                )
                if len(one) == len(other) == 1:
                    break
            else:
                return False
        same = one == other
        command = cluster_work.merge if same else cluster_work.keep_apart
        command(self.opened.store, EXPERT, self.axis, pair["one_id"], pair["other_id"])
        self._count("clusters merged" if same else "clusters said to differ")
        return True

    def _count(self, kind: str) -> None:
        self.given[kind] += 1
        self.curve.append((self.given.total(), 1 - len(self.wrong()) / len(self.truth)))

    def wrong(self) -> set[str]:
        """The reports that are not decided, or whose group is of another kind or only a part of its kind."""
        with self.opened.store.read() as cursor:
            together, _ = groups.pairs(cursor).get(self.axis, (frozenset(), frozenset()))
        row = {name: number for number, name in enumerate(self.truth)}
        bound = Constraints((row[a], row[b]) for a, b in together)
        names = list(row)
        found: dict[frozenset[int], None] = {bound.together(row[name]): None for name in self.truth}
        best: dict[str, tuple[int, set[str]]] = {}
        for group in found:
            members = [names[number] for number in sorted(group)]
            kind, count = Counter(self.truth[name] for name in members).most_common(1)[0]
            right = {name for name in members if self.truth[name] == kind} & self.cleared
            if count > best.get(kind, (0, set()))[0]:
                best[kind] = (count, right)
        return self.truth.keys() - set().union(*(right for _, right in best.values()))

    def decisions_for(self, share: float) -> int | None:
        """How many decisions it took until that share of the reports was rightly decided; None: never."""
        return next((count for count, right in self.curve if right >= share - 1e-9), None)


def work(opened: Runtime, axis: Axis, texts: Sequence[str], labels: Sequence[object]) -> Expert:
    """Bring in texts with their true groups (None: alike to no other) and clear them; gives the expert."""
    batch = [
        intake.Incoming(
            reportformat.parse({"turns": [{"role": "user", "content": text}]}, imported=True),
            f"text:{number}",
        )
        for number, text in enumerate(texts)
    ]
    truth = {}
    for number, (receipt, label) in enumerate(
        zip(intake.import_batch(opened.store, POLICY, EXPERT, batch), labels, strict=True)
    ):
        if isinstance(receipt, Exception):
            raise receipt
        truth[receipt.report_id] = f"alone {number}" if label is None else str(label)
    expert = Expert(opened, axis, truth)
    expert.clear()
    return expert


def composed() -> tuple[list[str], dict[str, list[object]]]:
    """The template x payload reports, with their techniques and their payloads."""
    rows = data.rows("template_x_payload/composed_dev.jsonl")
    labels = {name: [row[f"{name}_id"] for row in rows] for name in ("technique", "payload")}
    return [row["text"] for row in rows], labels


def main() -> None:
    options = arguments(__doc__)
    texts, labels = composed()
    wild = data.families()
    jobs = [
        ("techniques", "template x payload, techniques", Axis.TECHNIQUE, texts, labels["technique"]),
        ("families", "in the wild, families", Axis.WHOLE, wild.texts, wild.labels["whole"]),
        ("payloads", "template x payload, payloads", Axis.REQUEST, texts, labels["payload"]),
    ]
    figures: dict[str, float] = {}
    summary, kinds, curves = [], [], []
    for name, title, axis, words, truth in jobs[: 1 if options.small else None]:
        cut = 96 if options.small else len(words)
        say(title)
        with tempfile.TemporaryDirectory() as folder:
            opened = Runtime(Settings(store=Path(folder)))
            expert = work(opened, axis, words[:cut], truth[:cut])
            wrong = len(expert.wrong()) / cut
            opened.close()
        count, true = expert.given.total(), len(set(expert.truth.values()))
        figures |= {
            f"{name}_per_100": 100 * count / cut,
            f"{name}_ratio": count / true,
            f"{name}_wrong": wrong,
        }
        summary.append([title, cut, true, count, 100 * count / cut, count / true, wrong, expert.marks])
        kinds += [[title, kind, number] for kind, number in expert.given.most_common()]
        curves.append([title, *(expert.decisions_for(share) or "never" for share in SHARES)])
    table(
        "Decisions of an expert who knows the true groups",
        ("data", "reports", "true groups", "decisions", "per 100", "ratio", "wrong", "members marked"),
        summary,
    )
    table("What was decided", ("data", "decision", "times"), kinds)
    table(
        "Decisions until so many reports were rightly decided",
        ("data", *(f"{share:.0%}" for share in SHARES)),
        curves,
    )
    targets = {
        f"{name}_{figure}": ("<=", limit)
        for name, *_ in jobs[: 1 if options.small else 2]
        for figure, limit in (("ratio", RATIO), ("wrong", WRONG))
    }
    finish("effort", figures, targets)


if __name__ == "__main__":
    main()
