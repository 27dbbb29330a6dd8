"""Tables added to a finished run: nothing is lost, the last row of a key counts."""

import errno
import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from csp.errors import BadRunError, UnavailableError
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
    assert not (tiny_run.path / "additions" / NOTES.name).exists()
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


def test_a_pipe_in_place_of_a_part_is_named_and_not_waited_for(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a")))
    part = next((tiny_run.path / "additions" / "notes").iterdir())
    part.unlink()
    os.mkfifo(part)
    with pytest.raises(BadRunError, match=f"{part.name} can't be read .*a pipe"):
        added.read(NOTES)
    assert [problem for problem in added.problems() if part.name in problem]


def test_what_a_killed_write_leaves_is_not_read(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a")))
    (tiny_run.path / "additions" / "notes" / ".tmp-0.parquet").write_bytes(b"half")
    assert read(tiny_run) == {1: "a"}


def test_any_flipped_bit_of_a_part_is_found(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a"), (2, "b")))
    (part,) = (tiny_run.path / "additions" / "notes").iterdir()
    whole, chance = part.read_bytes(), random.Random(5)
    for bit in chance.sample(range(8 * len(whole)), 60):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        part.write_bytes(flipped)
        with pytest.raises(BadRunError, match="was changed after it was written"):
            added.read(NOTES)
        assert [part.name in problem for problem in added.problems()] == [True]
    part.write_bytes(whole)
    lists = AddedTable("lists", {"neuron": pa.int64(), "images": pa.list_(pa.int64())}, ("neuron",))
    added.append(lists, pd.DataFrame({"neuron": [1], "images": [[2, 3]]}))
    assert list(added.problems()) == []


def test_parts_of_an_older_version_are_read(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a")))
    (part,) = (tiny_run.path / "additions" / "notes").iterdir()
    part.rename(part.with_name(f"{0:020d}-1a2b3c4d.parquet"))
    added.append(NOTES, rows((2, "b")))
    assert read(tiny_run) == {1: "a", 2: "b"}
    added.compact(NOTES)
    assert read(tiny_run) == {1: "a", 2: "b"}


def test_compacting_what_the_last_part_replaces_loses_nothing(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    for note in "abc":
        added.append(NOTES, rows((1, note)))
    added.compact(NOTES)
    assert read(tiny_run) == {1: "c"}
    assert len(added.version(NOTES)) == 1


def test_programs_that_add_read_and_compact_at_once(tiny_run: Run) -> None:
    """What was added last counts, nothing is lost, and nobody meets a part that went."""
    stop = threading.Event()

    def write(writer: int) -> None:
        added = Additions(tiny_run)
        for number in range(25):
            added.append(NOTES, rows((100 * writer + number, "old"), (100 * writer, f"{number}")))

    def until_all_is_written(do: Callable[[], object]) -> None:
        while not stop.is_set():
            do()

    with ThreadPoolExecutor(7) as pool:
        others = [pool.submit(until_all_is_written, lambda: Additions(tiny_run).compact(NOTES))]
        others += [
            pool.submit(until_all_is_written, do)
            for do in (lambda: Additions(tiny_run).compact(NOTES), lambda: read(tiny_run))
        ]
        writers = [pool.submit(write, writer) for writer in range(3)]
        for writer in writers:
            writer.result()
        stop.set()
        for other in others:
            other.result()
    found = read(tiny_run)
    assert len(found) == 75
    assert [found[100 * writer] for writer in range(3)] == ["24"] * 3


def test_a_full_disk_leaves_nothing_behind(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a")))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UnavailableError, match=r"can't be kept in .* \(No space left on device\)"):
            added.append(NOTES, rows((2, "b")))
    assert not list(tiny_run.path.rglob(".tmp-*"))
    assert read(tiny_run) == {1: "a"}


def test_what_killed_programs_left_is_removed_after_a_while(tiny_run: Run) -> None:
    added = Additions(tiny_run)
    added.append(NOTES, rows((1, "a")))
    left, fresh = (tiny_run.path / "additions" / "notes" / f".tmp-{name}.parquet" for name in "ab")
    for path in (left, fresh):
        path.write_bytes(b"half")
    os.utime(left, (0, 0))
    added.compact(NOTES)
    assert (left.exists(), fresh.exists()) == (False, True)
