"""The store keeps what it acknowledged, in one chain, and refuses to open when it cannot."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.making import EVERYBODY, Clock
from triage_core import db, migrations
from triage_core.errors import ChainBroken, StoreBusy, StoreError
from triage_core.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with_events(tmp_path, 5)
    return tmp_path


def with_events(folder: Path, count: int) -> None:
    store = Store(folder, Clock())
    for number in range(count):
        with store.write(EVERYBODY, "test") as work:
            work.event("test.happened", str(number), {"number": number})
    store.close()


def run_sql(folder: Path, sql: str) -> None:
    database = db.Database(folder / "flawdesk.duckdb")
    database.cursor().execute(sql)
    database.close()


def test_a_failed_command_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path, Clock())

    def fail_half_way() -> None:
        with store.write(EVERYBODY, "test") as work:
            work.event("test.happened", "x", {})
            key = {"key_sha256": "k", "report_id": "FR-1", "created_at": work.now}
            db.insert(work.cursor, "tracking_keys", [key])
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail_half_way()
    with store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM tracking_keys") == 0
    assert store.revision == 0
    store.close()


def test_events_survive_a_restart_and_verify(folder: Path) -> None:
    store = Store(folder, Clock())
    assert store.verify() == 5
    assert store.revision == 5
    store.close()


def test_eight_threads_append_one_chain(tmp_path: Path) -> None:
    store = Store(tmp_path, Clock())

    def append() -> None:
        for _ in range(20):
            with store.write(EVERYBODY, "test") as work:
                work.event("test.happened", "x", {})

    threads = [threading.Thread(target=append) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.verify() == 160
    store.close()


def test_a_second_opening_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path, Clock())
    with pytest.raises(StoreBusy):
        Store(tmp_path, Clock())
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET data = '{\"number\":9}' WHERE seq = 3",
        "UPDATE events SET actor_id = 'somebody' WHERE seq = 2",
        "DELETE FROM events WHERE seq = 3",
        "DELETE FROM events WHERE seq = 5",
    ],
)
def test_a_changed_history_is_noticed_at_start(folder: Path, sql: str) -> None:
    run_sql(folder, sql)
    with pytest.raises(ChainBroken):
        Store(folder, Clock())


def test_a_missing_anchor_is_noticed(folder: Path) -> None:
    (folder / "anchor.log").unlink()
    with pytest.raises(ChainBroken, match="anchor"):
        Store(folder, Clock())


def test_a_missing_database_is_noticed(folder: Path) -> None:
    (folder / "flawdesk.duckdb").unlink()
    with pytest.raises(ChainBroken, match="gone"):
        Store(folder, Clock())


def test_a_damaged_database_is_refused(folder: Path) -> None:
    path = folder / "flawdesk.duckdb"
    path.write_bytes(b"\x00" * 4096 + path.read_bytes()[4096:])
    with pytest.raises(StoreError):
        Store(folder, Clock())


def test_a_fault_is_not_taken_for_a_lock_because_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "lock" / "flawdesk.duckdb").mkdir(parents=True)
    with pytest.raises(StoreError, match="restore the last backup") as fault:
        Store(tmp_path / "lock", Clock())
    assert not isinstance(fault.value, StoreBusy)


def test_damage_that_is_found_while_reading_is_a_store_error(folder: Path) -> None:
    store = Store(folder, Clock())
    with store.write(EVERYBODY, "test") as work:
        work.cursor.execute("CREATE TABLE big AS SELECT i, sha256(i::VARCHAR) AS s FROM range(200000) t(i)")
    store.close()
    path = folder / "flawdesk.duckdb"
    half = path.stat().st_size // 2
    content = path.read_bytes()
    path.write_bytes(content[:half] + bytes(1000) + content[half + 1000 :])
    store = Store(folder, Clock())
    with pytest.raises(StoreError, match="restore the last backup"), store.read() as cursor:
        db.rows(cursor, "SELECT max(i), max(s) FROM big")
    store.close()


def test_a_new_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    Store(tmp_path / "new", Clock()).close()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_torn_anchor_line_is_cut_off(folder: Path) -> None:
    anchor = folder / "anchor.log"
    anchor.write_bytes(anchor.read_bytes() + b"6 abc")
    store = Store(folder, Clock())
    assert store.revision == 5
    store.close()
    assert anchor.read_bytes().endswith(b"\n")


def test_an_anchor_behind_the_chain_is_brought_up(folder: Path) -> None:
    anchor = folder / "anchor.log"
    lines = anchor.read_bytes().splitlines(keepends=True)
    anchor.write_bytes(b"".join(lines[:-1]))
    Store(folder, Clock()).close()
    assert anchor.read_bytes().splitlines()[-1] == lines[-1].strip()


def test_a_store_of_a_newer_release_is_refused(folder: Path) -> None:
    run_sql(folder, "INSERT INTO migrations VALUES (9999, 'later.sql', '', now()::TIMESTAMP)")
    with pytest.raises(StoreError, match="newer release"):
        Store(folder, Clock())


def test_a_changed_migration_is_refused(folder: Path) -> None:
    run_sql(folder, "UPDATE migrations SET sha256 = 'other' WHERE number = 1")
    with pytest.raises(StoreError, match="changed"):
        Store(folder, Clock())


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _, _ in migrations.available()] == list(
        range(1, len(migrations.available()) + 1)
    )


def test_the_database_reads_no_other_file(tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n1\n")
    store = Store(tmp_path / "store", Clock())
    with store.read() as cursor, pytest.raises(Exception, match="disabled by configuration"):
        cursor.execute(f"SELECT * FROM read_csv('{outside}')")
    store.close()


def test_the_database_keeps_to_its_memory_and_spills(tmp_path: Path) -> None:
    database = db.Database(tmp_path / "small.duckdb", memory_mib=64)
    cursor = database.cursor()
    limit = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"
    assert db.value(cursor, limit) <= 64 * db.MIB
    cursor.execute("CREATE TABLE texts AS SELECT md5(range::VARCHAR) AS text FROM range(2_000_000)")
    ordered = "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY text DESC) AS place FROM texts) WHERE place > 9"
    assert db.value(cursor, ordered) == 1_999_991
    database.close()
    database = db.Database(tmp_path / "default.duckdb")
    assert db.value(database.cursor(), limit) >= 0.99 * db.LEAST_MIB * db.MIB
    database.close()
