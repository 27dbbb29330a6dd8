"""Adding a run made elsewhere: whole or not at all, and nothing but a run."""

import json
import shutil
from pathlib import Path

import pytest

from csp.errors import BadInputError, BadRunError
from csp.keeping.home import runs_folder
from csp.keeping.library.adopt import adopt_run, check_adoptable, check_new_name
from csp.keeping.library.find import list_runs
from csp.keeping.run_folder.manifest import sealed
from csp.keeping.run_folder.run import Run


@pytest.fixture
def elsewhere(built_run: Path, own_home: Path, tmp_path: Path) -> Path:
    """A run folder as it comes from another machine, with a table that was added to it."""
    folder = shutil.copytree(built_run, tmp_path / "usb" / "theirs")
    (folder / "additions" / "map").mkdir(parents=True)
    (folder / "additions" / "map" / "1.parquet").write_bytes(b"rows")
    return folder


def adopt(folder: Path, name: str = "mine") -> tuple[Path, list[int]]:
    told = list[int]()
    return adopt_run(folder, name, told.append), told


def test_a_run_is_taken_whole_with_what_was_added(elsewhere: Path) -> None:
    (elsewhere / "notes.txt").write_text("no part of the run")
    place, told = adopt(elsewhere)
    assert place == runs_folder() / "mine"
    run = Run.open(place)
    assert run.check() == []
    assert told == list(range(1, len(run.manifest.files) + 1))
    assert (place / "additions" / "map" / "1.parquet").read_bytes() == b"rows"
    assert not (place / "notes.txt").exists()


def test_a_stopped_copy_is_no_run_and_goes_on(elsewhere: Path) -> None:
    def stop(files: int) -> None:
        if files == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adopt_run(elsewhere, "mine", stop)
    assert "mine" not in {run.name for run in list_runs()}
    (stage,) = runs_folder().glob(".*")
    before = {path: path.stat().st_mtime_ns for path in stage.rglob("*") if path.is_file()}
    assert len(before) == 3
    place, _ = adopt(elsewhere)
    assert Run.open(place).check() == []
    kept = {place / path.relative_to(stage): when for path, when in before.items()}
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())


def test_what_is_no_sound_run_is_refused(elsewhere: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRunError, match="is not a run"):
        check_adoptable(tmp_path)
    newer = shutil.copytree(elsewhere, tmp_path / "newer")
    manifest = json.loads((newer / "manifest.json").read_text())
    (newer / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(BadRunError, match="newer version"):
        check_adoptable(newer)
    changed = elsewhere / "thumbnails.bin"
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    check_adoptable(elsewhere)
    with pytest.raises(BadRunError, match=r"thumbnails\.bin was changed"):
        adopt(elsewhere)
    changed.write_bytes(b"short")
    with pytest.raises(BadRunError, match="wrong length"):
        check_adoptable(elsewhere)
    changed.unlink()
    with pytest.raises(BadRunError, match=r"thumbnails\.bin is missing"):
        check_adoptable(elsewhere)
    assert not (runs_folder() / "mine").exists()


def test_nothing_outside_the_folder_is_read(elsewhere: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    pack = elsewhere / "thumbnails.bin"
    secret.write_bytes(pack.read_bytes())
    pack.unlink()
    pack.symlink_to(secret)
    with pytest.raises(BadRunError, match=r"thumbnails\.bin leads out of the folder"):
        check_adoptable(elsewhere)
    pack.unlink()
    shutil.copyfile(secret, pack)
    (elsewhere / "additions" / "map" / "2.parquet").symlink_to(secret)
    with pytest.raises(BadRunError, match=r"2\.parquet leads out"):
        check_adoptable(elsewhere)
    (elsewhere / "additions" / "map" / "2.parquet").unlink()
    manifest = json.loads((elsewhere / "manifest.json").read_text())
    for name in (str(secret), "../../secret.txt"):
        files = manifest["files"] | {name: manifest["files"]["thumbnails.bin"]}
        (elsewhere / "manifest.json").write_bytes(sealed(manifest | {"files": files}))
        with pytest.raises(BadRunError, match="leads out"):
            check_adoptable(elsewhere)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("demo", "is a run called demo already"),
        ("../mine", "can't be the name"),
        ("a/b", "is a path"),
        ("x y", "can't be"),
    ],
)
def test_names_that_can_not_be_given(own_home: Path, name: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        check_new_name(name)


def test_a_run_that_is_here_already(elsewhere: Path) -> None:
    place, _ = adopt(elsewhere)
    with pytest.raises(BadInputError, match="among the runs of this machine already"):
        check_adoptable(place)
