"""Tables added to a finished run: nothing is lost, the last row of a key counts."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from csp.errors import BadRunError
from csp.keeping.run_folder import added_tables
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run

NOTES = AddedTable("notes", {"neuron": pa.int64(), "note": pa.string()}, ("neuron",))


def rows(*pairs: tuple[int, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["neuron", "note"])


def read(run: Run) -> dict[int, str]:
    table = Additions(run).read(NOTES)
    return dict(zip(table["neuron"], table["note"], strict=True))


def test_rows_are_read_back_and_the_last_of_a_key_counts(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    assert read(tiny_run) == {}
    added.append(NOTES, rows((1, "a"), (2, "b")))
    added.append(NOTES, rows((1, "c"), (3, "")))
    assert read(tiny_run) == {1: "c", 2: "b", 3: ""}
    assert (tiny_run.path / "additions" / "notes").is_dir()
    assert tiny_run.check() == []


def test_compacting_keeps_every_row_and_leaves_one_part(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    for neuron in range(5):
        added.append(NOTES, rows((neuron % 3, f"note {neuron}")))
    before, version = read(tiny_run), added.version(NOTES)
    added.compact(NOTES)
    assert read(tiny_run) == before
    assert len(added.version(NOTES)) == 1
    assert added.version(NOTES) != version


def test_a_shipped_run_is_left_as_it_is(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    monkeypatch.setattr(added_tables, "SHIPPED_RUNS", tiny_run.path.parent)
    Additions(tiny_run).append(NOTES, rows((1, "mine")))
    assert not (tiny_run.path / "additions").exists()
    assert read(tiny_run) == {1: "mine"}
    Additions(tiny_run, in_place=True).append(NOTES, rows((1, "shipped"), (2, "shipped")))
    assert read(tiny_run) == {1: "mine", 2: "shipped"}


def test_a_damaged_part_is_named(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a")))
    part = next((tiny_run.path / "additions" / "notes").iterdir())
    part.write_bytes(b"no table")
    with pytest.raises(BadRunError, match=part.name):
        added.read(NOTES)


def test_what_a_killed_write_leaves_is_not_read(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a")))
    (tiny_run.path / "additions" / "notes" / ".tmp-0.parquet").write_bytes(b"half")
    assert read(tiny_run) == {1: "a"}
