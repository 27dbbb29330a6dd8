"""Answers come back as they were, never run code, and never stand in the way."""

import multiprocessing
import os
import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from csp.keeping.result_cache import ResultCache
from tests.keeping.run_folder.test_manifest import JSON

KEY = {"run": "f" * 64, "neuron": 3, "gamma": 1.0}


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[ResultCache]:
    with ResultCache(tmp_path / "answers") as opened:
        yield opened


def never() -> Any:
    raise AssertionError("was computed again")


def database(answers: ResultCache) -> Path:
    return answers.folder / "cache.db"


def test_computed_once_then_kept(answers: ResultCache) -> None:
    first = answers.get_or_compute(KEY, lambda: {"label": "ruler", "score": (0.5, None)}, by="csp labeler")
    again = answers.get_or_compute(dict(reversed(KEY.items())), never, by="somebody else")
    assert (first.source, again.source) == ("computed", "cached")
    assert first.value == again.value == {"label": "ruler", "score": [0.5, None]}
    assert (first.by, first.when, first.seconds) == (again.by, again.when, again.seconds)
    assert again.by == "csp labeler"
    assert again.when.tzinfo is not None
    assert answers.notice is None


def test_kept_beyond_the_process(answers: ResultCache) -> None:
    answers.get_or_compute(KEY, lambda: 1, by="test")
    answers.close()
    with ResultCache(answers.folder) as reopened:
        assert reopened.get_or_compute(KEY, never, by="test").value == 1


@pytest.mark.parametrize("change", [{"neuron": 4}, {"gamma": 0.5}, {"run": "0"}, {"text": "a"}])
def test_another_parameter_is_another_answer(change: dict[str, Any], answers: ResultCache) -> None:
    answers.get_or_compute(KEY, lambda: "first", by="test")
    assert answers.get_or_compute(KEY | change, lambda: "other", by="test").value == "other"


@settings(max_examples=20)
@given(value=JSON)
def test_any_json_comes_back(value: Any, answers: ResultCache) -> None:
    answers.clear()
    answers.get_or_compute(KEY, lambda: value, by="test")
    assert answers.get_or_compute(KEY, never, by="test").value == value


def test_a_failed_computation_keeps_nothing(answers: ResultCache) -> None:
    with pytest.raises(ZeroDivisionError):
        answers.get_or_compute(KEY, lambda: 1 / 0, by="test")
    with pytest.raises(ValueError, match="not JSON"):
        answers.get_or_compute(KEY, lambda: float("nan"), by="test")
    assert answers.get_or_compute(KEY, lambda: 2, by="test").source == "computed"


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("column", ["value", "filename", "key"])
def test_a_planted_pickle_is_never_opened(column: str, answers: ResultCache, tmp_path: Path) -> None:
    answers.get_or_compute(KEY, lambda: "true", by="test")
    sprung, poison = tmp_path / "sprung", pickle.dumps(Trap(tmp_path / "sprung"))
    pickle_mode = 4
    if column == "filename":
        (tmp_path / "poison").write_bytes(poison)
        statement, values = (
            "UPDATE Cache SET mode = ?, filename = ?, value = NULL",
            (pickle_mode, "../poison"),
        )
    elif column == "key":
        statement, values = "UPDATE Cache SET raw = ?, key = ?", (0, poison)
    else:
        statement, values = "UPDATE Cache SET mode = ?, value = ?", (pickle_mode, poison)
    with sqlite3.connect(database(answers)) as connection:
        connection.execute(statement, values)
    connection.close()
    assert answers.get_or_compute(KEY, lambda: "again", by="test").source == "computed"
    assert answers.get_or_compute(KEY, never, by="test").value == "again"
    answers.clear()
    assert not sprung.exists()
    assert column != "filename" or (tmp_path / "poison").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "7", '{"value": 1}', '{"value": 1, "by": "", "when": 3, "seconds": 1}']
)
def test_a_row_that_is_no_answer_is_computed_again(text: str, answers: ResultCache) -> None:
    answers.get_or_compute(KEY, lambda: 1, by="test")
    with sqlite3.connect(database(answers)) as connection:
        connection.execute("UPDATE Cache SET value = ?", (text,))
    connection.close()
    assert answers.get_or_compute(KEY, lambda: 2, by="test").value == 2
    assert answers.get_or_compute(KEY, never, by="test").value == 2


@pytest.mark.parametrize("opened_before", [True, False])
def test_a_damaged_database_is_moved_aside(opened_before: bool, answers: ResultCache) -> None:
    answers.get_or_compute(KEY, lambda: 1, by="test")
    if not opened_before:
        answers.close()
    for file in answers.folder.iterdir():
        file.write_bytes(b"this is no database" * 500)
    assert answers.get_or_compute(KEY, lambda: 2, by="test").source == "computed"
    assert answers.notice is not None
    assert "were damaged" in answers.notice
    assert list(answers.folder.parent.glob("answers.broken-*"))
    assert answers.get_or_compute(KEY, never, by="test").value == 2


def test_a_place_that_cannot_be_used_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with ResultCache(tmp_path / "file" / "answers") as answers:
        assert answers.get_or_compute(KEY, lambda: 1, by="test").value == 1
        assert answers.notice is not None
        assert answers.notice.startswith("answers are not kept")


def test_stays_within_its_bounds(tmp_path: Path) -> None:
    with ResultCache(tmp_path / "answers", limit_bytes=200_000) as answers:
        for number in range(60):
            answers.get_or_compute({"number": number}, lambda: "x" * 10_000, by="test")
        assert answers.bytes_used() < 400_000
        assert answers.get_or_compute({"number": 59}, never, by="test").source == "cached"


def _fill(folder: Path, process: int) -> None:
    with ResultCache(folder) as answers:
        for number in range(20):
            answers.get_or_compute({"number": number}, lambda: "same", by=str(process))


def test_processes_share_the_answers(answers: ResultCache) -> None:
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=_fill, args=(answers.folder, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert answers.get_or_compute({"number": 19}, never, by="test").value == "same"
