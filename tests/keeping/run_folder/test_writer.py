"""The writer loses nothing, publishes nothing unfinished, and never mixes two jobs."""

import dataclasses
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.errors import BadInputError, UnavailableError
from csp.keeping import atomic
from csp.keeping.run_folder.batches import Batch
from csp.keeping.run_folder.manifest import MANIFEST_NAME
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.writer import RunWriter, already_finished, staging_folder
from csp.method.examples.neighbours import Neighbours
from tests import build
from tests.full_disk import files_of_at_most
from tests.keeping.crash import MOMENTS, build_and_die

ROWS = build.IMAGES + len(build.SKIPPED_ROWS)


def content(run: Path) -> dict[str, bytes]:
    """Every file but the manifest, whose `created` differs, and what was added after the run was made."""
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME and run / "additions" not in path.parents
    }


def assert_same_run(one: Path, other: Path) -> None:
    assert content(one) == content(other)
    assert Run.open(one).fingerprint == Run.open(other).fingerprint


def unfinished(out: Path, batches: int) -> None:
    """Leave a job that stopped after some batches."""
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        for each in list(build.batches())[:batches]:
            writer.add_batch(each)


def test_stores_what_was_given(built_run: Path) -> None:
    run = Run.open(built_run)
    assert run.check() == []
    for index, layer in enumerate(build.LAYERS):
        np.testing.assert_array_equal(run.layer_activations(layer), build.activations(index))
        np.testing.assert_array_equal(run.activations(layer, 5), build.activations(index)[:, 5])
    np.testing.assert_array_equal(run.embeddings, build.embeddings())
    assert run.images["image"].tolist() == list(range(build.IMAGES))
    assert run.images["path"].tolist() == [f"lesions/{image:03}.png" for image in range(build.IMAGES)]
    assert run.skipped["path"].tolist() == ["broken/3.png", "broken/20.png"]
    assert (run.manifest.images, run.manifest.skipped, run.manifest.dimension) == (40, 2, build.DIMENSION)
    assert not staging_folder(built_run).exists()


def test_numbers_that_are_mostly_zero_are_staged_without_the_zeros(tmp_path: Path) -> None:
    rare = np.zeros((build.BATCH, 3000), dtype=np.float32)
    rare[2, 7], rare[0, 7], rare[5, 2999], rare[1, 40] = 3, -0.0, np.nan, -1e-30
    out, given = tmp_path / "tiny", build.batch(4, 4 + build.BATCH)
    layers = {"early": rare, "late": given.activations["late"]}
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        writer.add_batch(dataclasses.replace(given, start=0, stop=build.BATCH, activations=layers))
        (staged,) = staging_folder(out).glob("rows-*")
        assert staged.stat().st_size < rare.nbytes / 2
        run = writer.assemble(build.manifest())
        assert run.layer_activations("early").tobytes() == rare.tobytes()
        assert run.activations("early", 7).tobytes() == rare[:, 7].tobytes()
        np.testing.assert_array_equal(run.layer_activations("late"), layers["late"])


def test_killed_at_any_moment_ends_with_the_same_run(built_run: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    out = tmp_path / "tiny"
    deaths = 0
    while not build_and_die(
        out,
        moments=chance.randint(3, 80 + 60 * deaths),
        seconds=chance.uniform(0.1, 0.1 + 0.3 * deaths) if deaths % 2 else None,
    ):
        deaths += 1
        assert not out.exists() or Run.open(out).check() == []
        if out.exists():  # killed between publishing and tidying up
            assert already_finished(out, build.PLAN)
            break
    assert deaths >= 3
    assert not staging_folder(out).exists()
    assert_same_run(out, built_run)


@pytest.mark.parametrize("moments", [2, 60, 131])
def test_killed_once_early_or_late(moments: int, built_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    assert not build_and_die(out, moments)
    build.build_run(out)
    assert_same_run(out, built_run)


@settings(max_examples=4)
@given(cuts=st.sets(st.integers(1, ROWS - 1), max_size=6))
def test_batches_of_any_size_give_the_same_arrays(
    cuts: set[int], built_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("cut") / "tiny"
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        for start, stop in pairwise([0, *sorted(cuts), ROWS]):
            writer.add_batch(build.batch(start, stop))
        writer.assemble(build.manifest())
        writer.finish()
    expected = content(built_run)
    assert all(data == expected[name] for name, data in content(out).items())


def cut(data: bytes) -> bytes:
    return data[:-5]


def flipped(data: bytes) -> bytes:
    """One bit of the last array."""
    return data[:-5] + bytes([data[-5] ^ 1]) + data[-4:]


@pytest.mark.parametrize("damaged", [cut, flipped])
def test_resumes_after_the_last_sound_batch(damaged: Callable[[bytes], bytes], tmp_path: Path) -> None:
    unfinished(tmp_path / "tiny", batches=3)
    last = sorted(staging_folder(tmp_path / "tiny").glob("rows-*"))[-1]
    last.write_bytes(damaged(last.read_bytes()))
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        assert writer.next_row == 2 * build.BATCH
    assert not last.exists()


def test_refuses_to_resume_another_plan(tmp_path: Path) -> None:
    unfinished(tmp_path / "tiny", batches=1)
    other = build.PLAN | {"data": {"spec": "drawn:40", "hash": "f" * 64}}
    with pytest.raises(
        BadInputError, match=r"content of the dataset was changed since; .*choose another --out"
    ):
        RunWriter.open_or_resume(tmp_path / "tiny", other)
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        assert writer.next_row == build.BATCH


def unreadable(start: int, stop: int) -> Batch:
    empty = build.batch(0, 1).images.iloc[:0]
    skipped = tuple((f"{row}.png", "There is no such file.") for row in range(start, stop))
    return Batch(start, stop, empty, {}, np.empty((0, build.DIMENSION), np.float32), skipped=skipped)


def test_a_job_that_read_nothing_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        writer.add_batch(unreadable(0, 3))
        with pytest.raises(BadInputError, match=r"not one image could .* first is 0\.png: There is no"):
            writer.assemble(build.manifest())
    assert list(tmp_path.iterdir()) == []


def test_a_killed_job_that_read_nothing_does_not_block_the_corrected_one(tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    with RunWriter.open_or_resume(out, build.PLAN | {"k": 30}) as writer:
        writer.add_batch(unreadable(0, 3))
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        assert writer.next_row == 0
        writer.add_batch(build.batch(0, 7))
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        assert writer.next_row == 7


def test_remarks_on_images_are_kept_with_their_batch(tmp_path: Path) -> None:
    remark = ("lesions/000.png", "came out all black")
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        writer.add_batch(dataclasses.replace(build.batch(0, 7), remarks=(remark,)))
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        assert writer.remarks == [remark]
        writer.add_batch(build.batch(7, ROWS))
        writer.assemble(build.manifest())
        assert Run.open(writer.finish()).manifest.images == build.IMAGES


def test_a_finished_run_is_recognised_and_never_overwritten(built_run: Path) -> None:
    before = content(built_run)
    assert already_finished(built_run, build.PLAN)
    with pytest.raises(BadInputError, match="finished already"):
        RunWriter.open_or_resume(built_run, build.PLAN)
    with pytest.raises(BadInputError, match=r"number of examples was 5, now 30; choose another --out"):
        RunWriter.open_or_resume(built_run, build.PLAN | {"k": 30})
    assert content(built_run) == before
    assert not staging_folder(built_run).exists()


def test_tidies_up_after_a_job_killed_just_after_publishing(tiny_run: Run) -> None:
    staging = staging_folder(tiny_run.path)
    staging.mkdir()
    (staging / "plan.json").write_text("{}")
    assert already_finished(tiny_run.path, build.PLAN)
    assert not staging.exists()


def test_the_run_appears_in_one_rename(tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    events: list[str] = []
    recording = True

    def record(event: str, arguments: tuple[object, ...]) -> None:
        if (
            recording
            and event in MOMENTS
            and out in [p for a in arguments[:2] for p in (Path(str(a)), *Path(str(a)).parents)]
        ):
            events.append(event)

    sys.addaudithook(record)
    build.build_run(out)
    recording = False
    assert events == ["os.rename"]


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    unfinished(out, batches=2)
    with RunWriter.open_or_resume(out, build.PLAN) as writer, files_of_at_most(5_000):
        with pytest.raises(UnavailableError, match=r"can't be written .* what is done is kept"):
            writer.add_batch(build.batch(writer.next_row, ROWS))
        assert writer.next_row == 2 * build.BATCH
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        assert writer.next_row == 2 * build.BATCH


def test_a_disk_that_fills_up_amid_an_array_loses_nothing(tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    unfinished(out, batches=ROWS)
    with (
        RunWriter.open_or_resume(out, build.PLAN) as writer,
        files_of_at_most(700),
        pytest.raises(UnavailableError, match=r"can't be written .* what is done is kept"),
    ):
        writer.assemble(build.manifest())
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        writer.assemble(build.manifest())
        writer.finish()
    assert Run.open(out).check() == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table"
    atomic.write_bytes(path, b"old")
    with files_of_at_most(5_000), pytest.raises(OSError, match="too large"):
        atomic.write_bytes(path, b"new" * 5_000)
    assert path.read_bytes() == b"old"


def test_leaves_a_folder_that_is_no_run_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").touch()
    with pytest.raises(BadInputError, match="is not a run: choose another --out"):
        RunWriter.open_or_resume(tmp_path / "holiday", build.PLAN)


def test_two_jobs_do_not_write_one_run(tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    with (
        RunWriter.open_or_resume(out, build.PLAN),
        pytest.raises(UnavailableError, match=rf"\({os.getpid()}\) is writing"),
    ):
        RunWriter.open_or_resume(out, build.PLAN)
    writing = (
        "import sys, pathlib; from csp.keeping import lock;"
        "lock.acquire(pathlib.Path(sys.argv[1])); print('writing', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", writing, str(staging_folder(out))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"writing\n"
        with pytest.raises(UnavailableError, match=rf"\({other.pid}\) is writing"):
            RunWriter.open_or_resume(out, build.PLAN)
        other.communicate()
    RunWriter.open_or_resume(out, build.PLAN).close()


def test_the_lock_of_a_dead_process_does_not_count(tmp_path: Path) -> None:
    locking = (
        "import os, sys, pathlib; from csp.keeping import lock;"
        "lock.acquire(pathlib.Path(sys.argv[1])); os._exit(1)"
    )
    staging = staging_folder(tmp_path / "tiny")
    staging.mkdir()
    subprocess.run([sys.executable, "-c", locking, str(staging)], check=False)
    assert (staging / "lock").read_text().strip("\0").isdigit()
    RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN).close()


def test_says_when_the_place_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match=r"can't be written .*then repeat the command"):
        RunWriter.open_or_resume(tmp_path / "file" / "tiny", build.PLAN)


def test_a_staging_folder_without_plan_is_not_trusted(tmp_path: Path) -> None:
    unfinished(tmp_path / "tiny", batches=1)
    (staging_folder(tmp_path / "tiny") / "plan.json").unlink()
    with pytest.raises(BadInputError, match="delete the folder to start afresh"):
        RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN)


def test_needs_at_least_one_image(tmp_path: Path) -> None:
    nothing = dataclasses.replace(
        build.batch(3, 4), activations={}, embeddings=np.empty((0, 0), np.float32), thumbnails=()
    )
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        writer.add_batch(dataclasses.replace(nothing, start=0, stop=1))
        with pytest.raises(BadInputError, match=r"not one image .* broken/3\.png: not an image"):
            writer.assemble(build.manifest())


def wrong_batches() -> Iterator[Batch]:
    good = build.batch(0, 3)
    yield dataclasses.replace(good, start=1)
    yield dataclasses.replace(good, stop=4)
    yield dataclasses.replace(good, embeddings=good.embeddings[:2])
    yield dataclasses.replace(good, activations={"early": good.activations["early"][:1]})
    yield dataclasses.replace(good, thumbnails=good.thumbnails[:1])
    yield dataclasses.replace(good, images=good.images.drop(columns="path"))


@pytest.mark.parametrize("number", range(6))
def test_a_batch_that_does_not_fit_itself_is_a_bug(number: int, tmp_path: Path) -> None:
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        with pytest.raises(ValueError, match=r"batch|rows|lacks"):
            writer.add_batch(list(wrong_batches())[number])
        assert writer.next_row == 0


def test_batches_of_different_shape_are_a_bug(tmp_path: Path) -> None:
    odd = build.batch(7, 10)
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        writer.add_batch(build.batch(0, 7))
        writer.add_batch(dataclasses.replace(odd, embeddings=odd.embeddings[:, :4]))
        with pytest.raises(ValueError, match=r"embeddings of rows-.* has shape"):
            writer.assemble(build.manifest())


def test_precomputed_parts_must_fit(tmp_path: Path) -> None:
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        with pytest.raises(ValueError, match="assemble"):
            writer.finish()
        writer.add_batch(build.batch(0, 3))
        draft = writer.assemble(build.manifest())
        with pytest.raises(ValueError, match="do not belong to 3 images"):
            writer.add_neighbours(Neighbours(np.zeros((4, 1), np.int32), np.zeros((4, 1), np.float32)))
        with pytest.raises(ValueError, match="text embeddings of shape"):
            writer.write_vocabulary(
                pd.DataFrame(build.TERMS, columns=["text", "attributes", "broad"]), draft.embeddings
            )
        with pytest.raises(ValueError, match="list its 6 neurons in order"):
            writer.write_neurons("late", build.neuron_rows(draft, "late")[::-1])
        assert not writer.written("neurons-1")
        writer.write_neurons("late", build.neuron_rows(draft, "late"))
        assert writer.written("neurons-1")


def test_columns_that_are_empty_at_first_take_the_later_type(tmp_path: Path) -> None:
    first, second = build.batch(0, 3), build.batch(3, 7)
    blank = first.images.assign(label=None, ruler=None, age=None)
    aged = second.images.assign(age=[50.5, None, 61.0])
    with RunWriter.open_or_resume(tmp_path / "tiny", build.PLAN) as writer:
        writer.add_batch(dataclasses.replace(first, images=blank))
        writer.add_batch(dataclasses.replace(second, images=aged))
        writer.assemble(build.manifest())
        run = Run.open(writer.finish(notes=("ages are partly unknown",)))
    assert run.attributes == ("ruler", "hairs")
    assert run.images["ruler"].isna().tolist() == [True] * 3 + [False] * 3
    assert run.images["age"].dtype == float
    assert run.manifest.notes == ("ages are partly unknown",)
    assert run.neurons("late").empty
    assert run.vocabulary.empty
    assert run.text_embeddings is None
    assert run.neighbours is None
    assert run.examples("late", 0) is None


def test_no_path_of_this_machine_is_stored(built_run: Path) -> None:
    manifest = json.loads((built_run / MANIFEST_NAME).read_text())
    assert str(built_run.parent) not in json.dumps(manifest)
    assert all(str(built_run.parent).encode() not in data for data in content(built_run).values())
