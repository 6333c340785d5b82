"""Operations on the keys of report buttons."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from triage_core.channel import apikeys
from triage_core.operations.base import Emit, command_line_actor, plain
from triage_core.runtime import Runtime


def add(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Make a key; the only answer that ever holds it. With a public address, also what a page of the product holds."""
    key_id, key = apikeys.add(
        runtime.store, command_line_actor(), params["product"], params["origins"], params["per_minute"]
    )
    made = {"key_id": key_id, "key": key}
    server = runtime.settings.front.address
    if server and params["origins"]:
        product = html.escape(params["product"])
        made["snippet"] = (
            f'<script src="/report-button.js" data-server="{server}" data-key="{key}"'
            f' data-product="{product}" defer></script>'
        )
    return made


def listing(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> list[dict[str, Any]]:
    """Every key with its product, origins, rate and dates; never the key itself."""
    with runtime.store.read() as cursor:
        return [plain(row) for row in apikeys.listing(cursor)]


def revoke(runtime: Runtime, params: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """End a key at once."""
    apikeys.revoke(runtime.store, command_line_actor(), params["key_id"])
    return {"key_id": params["key_id"], "revoked": True}
