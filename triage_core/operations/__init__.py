"""What the command line can ask for, as a table: name, function, plain JSON in and out.

The same functions run in the command's own process when no server holds the store, and inside
the running server otherwise (control.py); so what they take and give is JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_core.errors import NotFound
from triage_core.operations import (
    advisories,
    answers,
    clusters,
    datasets,
    desk,
    imports,
    installation,
    keys,
    likeness,
    notify,
    peers,
    policy,
    reporters,
    reporting,
    rewards,
)
from triage_core.operations.base import Emit as Emit
from triage_core.operations.base import Operation
from triage_core.runtime import Runtime

OPERATIONS: Mapping[str, Operation] = {
    "import": imports.import_files,
    "presets.list": imports.list_presets,
    "presets.delete": imports.delete_preset,
    "index": likeness.index,
    "similar": likeness.similar,
    "explain": likeness.explain,
    "clusters": likeness.clusters,
    "audit": likeness.audit,
    "duplicates": likeness.duplicates,
    "assess": desk.assess,
    "answers import": answers.import_answers,
    "link": desk.link,
    "unlink": desk.unlink,
    "apart": desk.apart,
    "cluster.members": clusters.members,
    "cluster.accept": clusters.accept,
    "cluster.assess": clusters.assess,
    "cluster.confirm": clusters.confirm,
    "cluster.split": clusters.split,
    "cluster.move": clusters.move,
    "cluster.merge": clusters.merge,
    "cluster.apart": clusters.apart,
    "ask": reporters.ask,
    "move": reporters.move,
    "rewards": rewards.listing,
    "report": reporting.report,
    "export": datasets.export,
    "withdraw": datasets.withdraw,
    "datasets.plan": datasets.plan,
    "datasets.build-due": datasets.build_due,
    "datasets.retire": datasets.retire,
    "datasets.list": datasets.built,
    "datasets.compare": datasets.compare,
    "keys.add": keys.add,
    "keys.list": keys.listing,
    "keys.revoke": keys.revoke,
    "peers.add": peers.add,
    "peers.list": peers.listing,
    "peers.end": peers.end,
    "advisories.open": advisories.open_advisory,
    "advisories.tell": advisories.tell,
    "advisories.list": advisories.listing,
    "advisories.show": advisories.show,
    "advisories.withdraw": advisories.withdraw,
    "advisories.close": advisories.close,
    "policy.export": policy.export,
    "policy.draft": policy.draft,
    "policy.drafts": policy.drafts,
    "policy.diff": policy.compare,
    "policy.trial": policy.trial,
    "policy.approve": policy.approve,
    "policy.publish": policy.publish,
    "notify.status": notify.status,
    "notify.send": notify.send,
    "stats": installation.stats,
    "verify": installation.verify,
    "backup": installation.back_up,
}


def run(runtime: Runtime, operation: str, params: Mapping[str, Any], emit: Emit) -> Any:
    """Run one operation of the table. Raises NotFound for a name that is not in it."""
    if operation not in OPERATIONS:
        raise NotFound("operation", f"there is no operation {operation!r}")
    return OPERATIONS[operation](runtime, params, emit)
