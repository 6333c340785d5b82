"""Which clusters grow faster than their own past, by more than chance explains."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tests.dated import NOW, came_all
from tests.making import NOON, REVIEWER
from triage_core import db, queries, trends
from triage_core.store import Store
from triage_core.trends import Window
from triage_core.trends.emerging import unlikely


def clustered(store: Store, names: dict[str, list[str]]) -> None:
    """Lay the clusters of the axis of the whole: members by the name of each."""
    with store.write(REVIEWER, "index") as work:
        for name, members in names.items():
            whole = {"axis": "whole", "cluster_id": name}
            row = {**whole, "representative_id": members[0], "size": len(members), "label": ""}
            db.insert(work.cursor, "clusters", [row])
            db.insert(
                work.cursor, "memberships", [{**whole, "report_id": one, "model_id": ""} for one in members]
            )


def test_a_cluster_emerges_when_it_outgrows_its_own_past(store, ask):
    # Six a week for twenty weeks, three of them of one cluster.
    old = came_all(store, (NOON - timedelta(days=7 * week + day) for day in range(6) for week in range(20)))
    new = came_all(store, (NOON - timedelta(hours=n + 1) for n in range(16)), "Lumen Tutor")
    clustered(store, {"W-steady": old[:60], "W-grown": [*new[:12], old[110]], "W-new": new[12:]})
    (one,) = ask(trends.emerging, NOW)
    assert (one.cluster_id, one.recent, one.size) == ("W-grown", 12, 13)
    assert one.since == NOON - 4 * trends.WEEK
    assert one.expected == pytest.approx(13 * (4 * 6 + 1 + 16) / (16 * 6 + 1 + 16))
    assert one.chance < 0.01
    assert ask(trends.emerging, Window(NOON, None, ("Kite Travel",))) == []
    recent = queries.Filter(cluster_id="W-grown", since=one.since, until=NOON)
    assert ask(queries.count, recent) == one.recent


def test_a_burst_on_a_desk_of_three_weeks_is_held_against_its_earlier_days(store, ask):
    before = came_all(store, (NOON - timedelta(days=21 - n, minutes=n) for n in range(15)))
    burst = came_all(store, (NOON - timedelta(hours=n + 1) for n in range(9)))
    clustered(store, {"W-before": before[:10], "W-burst": burst})
    (one,) = ask(trends.emerging, NOW)
    assert (one.cluster_id, one.recent, one.size) == ("W-burst", 9, 9)
    assert one.since == NOON - timedelta(days=21) / 4
    assert ask(trends.emerging, Window(NOON, None, ("Other",))) == []


def test_what_came_in_at_one_moment_has_no_past(store, ask):
    clustered(store, {"W-all": came_all(store, [NOON] * 8)})
    assert ask(trends.emerging, NOW) == []


def test_chance_alone_names_a_cluster_in_one_look_of_twenty_at_most():
    rng = np.random.default_rng(3)
    shares = rng.pareto(1.2, 300)
    named = 0
    for _ in range(300):
        volume = np.linspace(100, 500, 16)  # the desk grows, and every cluster with it
        weeks = [rng.multinomial(rng.poisson(one), shares / shares.sum()) for one in volume]
        sizes, recent = np.sum(weeks, axis=0), np.sum(weeks[-4:], axis=0)
        counts = [(int(r), int(n)) for r, n in zip(recent, sizes, strict=True) if r >= 5]
        looked_at = int((sizes >= 5).sum())
        named += any(p <= 0.05 for p in unlikely(counts, int(recent.sum()), int(sizes.sum()), looked_at))
    assert named <= 0.05 * 300
    assert unlikely([], 8, 100, 0) == []
    assert unlikely([(12, 14)], 250, 1_000, 300)[0] < 0.01
