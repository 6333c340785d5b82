"""Keys of report buttons: shown once, found by hash, ended for good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.making import EVERYBODY, REVIEWER, Clock, bring, make_report, open_runtime, open_store
from triage_core import cli
from triage_core.channel import apikeys
from triage_core.channel.apikeys import ApiKey
from triage_core.errors import NotAllowed, NotFound, Refused
from triage_core.store import Store

SHOP = "https://shop.example"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, Clock())
    yield opened
    opened.close()


def test_a_key_is_found_until_it_is_revoked(store: Store) -> None:
    keys = apikeys.Keys(store)
    assert keys.find("fd_unknown") is None
    number, key = apikeys.add(store, EVERYBODY, "Kite Travel", [SHOP], 30)
    _, other = apikeys.add(store, EVERYBODY, "Lumen Tutor")
    assert keys.find(key) == ApiKey(number, "Kite Travel", (SHOP,), 30)
    assert key.encode() not in store.path.read_bytes()
    assert keys.find(key + "x") is None
    assert keys.find("\ud800") is None
    assert keys.is_known_origin(SHOP)
    assert not keys.is_known_origin("https://other.example")
    apikeys.revoke(store, EVERYBODY, number)
    apikeys.revoke(store, EVERYBODY, number)
    assert keys.find(key) is None
    assert keys.find(other) is not None
    assert not keys.is_known_origin(SHOP)
    with store.read() as cursor:
        assert [row["revoked_at"] is None for row in apikeys.listing(cursor)] == [False, True]


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "shop.example", "https://shop.example/", "https://Shop.example", "https://shop.example:443",
     "ftp://shop.example", "https://a:b:c", "https://x@shop.example", "https://"],
)  # fmt: skip
def test_an_origin_is_written_as_browsers_send_it(store: Store, origin: str) -> None:
    with pytest.raises(Refused) as refused:
        apikeys.add(store, EVERYBODY, "Kite Travel", [origin])
    assert refused.value.field == "origin"


def test_only_the_operator_makes_and_ends_keys(store: Store) -> None:
    with pytest.raises(NotAllowed):
        apikeys.add(store, REVIEWER, "Kite Travel")
    with pytest.raises(NotAllowed):
        apikeys.revoke(store, REVIEWER, 1)
    with pytest.raises(NotFound):
        apikeys.revoke(store, EVERYBODY, 1)
    for fields in ({"product": " "}, {"product": "x", "per_minute": 0}):
        with pytest.raises(Refused):
            apikeys.add(store, EVERYBODY, **fields)


def test_the_command_line_makes_lists_and_ends_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAWDESK_PUBLIC_URL", "https://flaws.example.org")

    def run(*words: str) -> Any:
        done = CliRunner().invoke(cli.app, ["keys", *words, "--store", str(tmp_path / "s"), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    made = run("add", 'Kite "Travel"', "--origin", SHOP, "--per-minute", "30")
    assert made["key"].startswith("fd_")
    assert f'data-server="https://flaws.example.org" data-key="{made["key"]}"' in made["snippet"]
    assert 'data-product="Kite &quot;Travel&quot;"' in made["snippet"]
    (listed,) = run("list")
    assert made["key"] not in str(listed)
    assert (listed["product"], listed["origins"], listed["revoked_at"]) == ('Kite "Travel"', [SHOP], None)
    assert run("revoke", str(made["key_id"])) == {"key_id": 1, "revoked": True}
    assert run("list")[0]["revoked_at"]


def test_the_command_line_asks_and_moves(tmp_path: Path) -> None:
    opened = open_runtime(tmp_path / "s")
    bring(opened.store, {"external_id": "a", **make_report()})
    opened.close()

    def run(*words: str) -> Any:
        done = CliRunner().invoke(cli.app, [*words, "--store", str(tmp_path / "s"), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)["status"]

    assert run("ask", "a", "Which version?") == "needs_info"
    assert run("move", "a", "end_wait") == "new"


def test_the_command_line_offers_no_withdrawal_for_which_only_reporters_have_the_key(tmp_path: Path) -> None:
    opened = open_runtime(tmp_path / "s")
    bring(opened.store, {"external_id": "a", **make_report()})
    opened.close()

    def refused(trigger: str) -> str:
        done = CliRunner().invoke(cli.app, ["move", "a", trigger, "--store", str(tmp_path / "s")])
        assert isinstance(done.exception, Refused)
        return str(done.exception)

    assert "only the reporter can withdraw" in refused("withdraw")
    for offer in (refused("no_such_step"), refused("deploy_fix")):  # all there are, and those of a new report
        assert "triage" in offer
        assert "withdraw" not in offer
