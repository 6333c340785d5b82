"""The same archive on a local Ray of two workers: file by file what one process makes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.test_archive import stories, write_archive
from tests.making import LetterEmbedder
from triage_core.archives import archive, archive_ray
from triage_core.errors import Refused

ray = pytest.importorskip("ray", reason="needs Ray: pip install -r requirements-ray.txt")

pytestmark = [
    pytest.mark.optional,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own; they say nothing about us
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray of this machine alone, on the loopback, with two processors."""
    ray.init(
        num_cpus=2,
        object_store_memory=100_000_000,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
    )
    yield
    ray.shutdown()


def files_of(folder: Path) -> dict[str, pa.Table]:
    return {
        str(path.relative_to(folder)): pq.read_table(path)
        for results in ("vectors", "pairs")
        for path in sorted((folder / results).iterdir())
    }


@pytest.mark.usefixtures("cluster")
def test_two_workers_make_what_one_process_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PART_ROWS", 64)
    monkeypatch.setattr(archive, "EXACT_ROWS", 0)
    monkeypatch.setattr(archive, "BUCKET_ROWS", 600)
    texts = stories(600)
    write_archive(tmp_path / "one", texts)
    write_archive(tmp_path / "two", texts)
    one = archive.build(tmp_path / "one", LetterEmbedder)
    two = archive.build(tmp_path / "two", LetterEmbedder, archive_ray.engine(workers=2))
    assert one == two
    assert one.pairs > 0
    expected, found = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    assert list(found) == list(expected)
    for name, table in expected.items():
        assert found[name].equals(table, check_metadata=True), name


@pytest.mark.usefixtures("cluster")
def test_a_refusal_comes_back_as_it_was_raised(tmp_path: Path) -> None:
    table = pa.table({"external_id": ["a", None], "text": ["x", "y"]})
    pq.write_table(table, tmp_path / "reports.parquet")
    with pytest.raises(Refused, match=r"reports\.parquet row group 0 row 1: external_id must be given"):
        archive.build(tmp_path, LetterEmbedder, archive_ray.engine(workers=2))
