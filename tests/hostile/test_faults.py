"""A small sample of `benchmarks/faults.py`: no damage changes unsaid what is shown, no kill loses a thing."""

from pathlib import Path

import pytest

from benchmarks.damage import kills, records, runs
from csp.keeping.reviews.location import Location
from csp.keeping.run_folder.run import Run


@pytest.mark.parametrize("seed", [0, 1])
def test_flips_in_a_record(tmp_path: Path, seed: int) -> None:
    record = tmp_path / "reviews.sqlite"
    records.make_record(Location(path=record))
    summary = records.flip_record(record, 25, seed).summary()
    assert (summary["tried"], summary["examples"]) == (25, [])
    assert summary["found"] > 5


def test_flips_in_a_run(tiny_run: Run) -> None:
    summary = runs.flip_run(tiny_run.path, 75, 0).summary()
    assert (summary["tried"], summary["examples"]) == (75, [])
    assert summary["found"] > 50
    assert Run.open(tiny_run.path).check() == [], "the files are as they were"


def test_deliberate_changes_of_a_record(tmp_path: Path) -> None:
    record = tmp_path / "reviews.sqlite"
    records.make_record(Location(path=record))
    summary = records.change_sqlite(record, 17, 0).summary()
    assert summary["examples"] == []
    assert summary["found"] > 8


def test_edits_of_a_manifest(tiny_run: Run) -> None:
    summary = runs.edit_manifest(tiny_run.path, 25, 0).summary()
    assert (summary["tried"], summary["found"]) == (25, 25)


def test_a_killed_copy_of_a_run(tiny_run: Run, own_home: Path) -> None:
    assert kills.kill_copying(own_home, tiny_run.path, 1, 0).summary()["examples"] == []
