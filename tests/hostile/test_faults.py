"""A small seeded sample of `benchmarks/faults.py`: no flipped bit changes what is shown unsaid."""

from pathlib import Path

import pytest

from benchmarks import faults
from csp.keeping.run_folder.run import Run


@pytest.mark.parametrize("seed", [0, 1])
def test_flips_in_a_record(tmp_path: Path, seed: int) -> None:
    record = tmp_path / "reviews.sqlite"
    faults.make_record(record)
    summary = faults.flip_record(record, 25, seed).summary()
    assert (summary["tried"], summary["examples"]) == (25, [])
    assert summary["found"] > 5


def test_flips_in_a_run(tiny_run: Run) -> None:
    summary = faults.flip_run(tiny_run.path, 75, 0).summary()
    assert (summary["tried"], summary["examples"]) == (75, [])
    assert summary["found"] > 50
    assert Run.open(tiny_run.path).check() == [], "the files are as they were"
