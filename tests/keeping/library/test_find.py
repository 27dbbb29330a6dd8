"""Runs are found by name or path, and a name never leads out of its folder."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError, NotFoundError
from csp.keeping.home import runs_folder
from csp.keeping.library import find
from csp.keeping.run_folder.run import Run


def test_finds_by_name_and_by_path(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find.find_run("tiny") == tiny_run.path
    assert find.find_run(str(tiny_run.path)) == tiny_run.path
    monkeypatch.chdir(tiny_run.path.parent)
    assert find.find_run("./tiny") == tiny_run.path
    monkeypatch.chdir(tiny_run.path)
    assert find.find_run(".") == tiny_run.path


def test_own_runs_come_before_shipped_ones(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    shutil.copytree(tiny_run.path, shipped / "tiny")
    shutil.copytree(tiny_run.path, shipped / "demo")
    monkeypatch.setattr(find, "SHIPPED_RUNS", shipped)
    assert find.named_run("tiny") == tiny_run.path
    assert find.named_run("demo") == shipped / "demo"
    assert find.list_runs() == [tiny_run.path, shipped / "demo"]


def test_unfinished_runs_are_not_listed(tiny_run: Run) -> None:
    shutil.copytree(tiny_run.path, tiny_run.path.with_name("half.partial"))
    (tiny_run.path.parent / "empty").mkdir()
    assert tiny_run.path.parent / "half.partial" not in find.list_runs()
    with pytest.raises(NotFoundError, match=r"no run is called 'empty' \(runs: .*tiny"):
        find.named_run("empty")


def test_a_folder_of_the_same_name_does_not_hide_a_run(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert find.find_run("tiny") == tiny_run.path


@pytest.mark.parametrize(
    "name", ["../runs/tiny", "/etc", "..", ".", "", "tiny/", "tiny/../tiny", "a\0b", "~"]
)
def test_a_name_is_not_a_path(name: str, tiny_run: Run) -> None:
    with pytest.raises(NotFoundError, match="no run is called"):
        find.named_run(name)


@given(st.text() | st.lists(st.sampled_from(["..", "/", ".", "runs", "~", "\\"])).map("".join))
def test_a_bare_name_stays_in_the_runs_folder(name: str) -> None:
    try:
        destination = find.run_destination(name)
    except BadInputError:
        return
    assert ".." not in destination.parts
    if os.sep not in name:
        assert destination.parent == runs_folder()


def test_destination_of_a_new_run(tmp_path: Path, own_home: Path) -> None:
    assert find.run_destination("mine") == own_home / "runs" / "mine"
    assert find.run_destination(str(tmp_path / "mine")) == tmp_path / "mine"
    with pytest.raises(BadInputError, match=r"'mine\.partial' can't be the name of a run"):
        find.run_destination("mine.partial")
