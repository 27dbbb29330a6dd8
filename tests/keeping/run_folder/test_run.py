"""A run opens anywhere, reads without models, and says what is wrong with it in one sentence."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadRunError, NotFoundError
from csp.keeping.run_folder import arrays
from csp.keeping.run_folder.integrity import file_records
from csp.keeping.run_folder.manifest import (
    MANIFEST_NAME,
    Manifest,
    read_manifest,
    sealed,
    write_manifest,
)
from csp.keeping.run_folder.run import Run
from csp.method.examples.select import select_examples
from tests import build


def some_file(run: Run, part: str) -> Path:
    """The largest file of a part."""
    path = run.path / part
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return max(files, key=lambda file: file.stat().st_size)


def edit_manifest(run: Run, **changes: object) -> None:
    path = run.path / MANIFEST_NAME
    path.write_bytes(sealed(json.loads(path.read_text()) | changes))


def test_opens_elsewhere_by_another_name(tiny_run: Run, tmp_path: Path) -> None:
    moved = Run.open(Path(shutil.move(tiny_run.path, tmp_path / "copy of a run")))
    assert moved.name == "copy of a run"
    assert moved.manifest.name == "tiny"
    assert moved.fingerprint == tiny_run.fingerprint
    assert moved.check() == []


def test_reads_parts_without_a_model(built_run: Path) -> None:
    reading = (
        "import sys, pathlib; from csp.keeping.run_folder.run import Run;"
        "run = Run.open(pathlib.Path(sys.argv[1])); run.activations('late', 0); run.embeddings; run.images;"
        "assert not {'torch', 'open_clip', 'transformers', 'torchvision'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", reading, str(built_run)], check=True)


def test_opening_reads_the_manifest_only(built_run: Path) -> None:
    """Cheap to open: lazily everything else."""
    opened: list[str] = []
    recording = True

    def record(event: str, arguments: tuple[object, ...]) -> None:
        if recording and event == "open" and str(built_run) in str(arguments[0]):
            opened.append(Path(os.fsdecode(str(arguments[0]))).name)

    sys.addaudithook(record)
    Run.open(built_run)
    recording = False
    assert opened == [MANIFEST_NAME]


def test_tables_have_the_promised_columns(built_run: Path) -> None:
    run = Run.open(built_run)
    assert run.attributes == build.ATTRIBUTES
    assert run.images.columns[:7].tolist() == [
        "image",
        "path",
        "label",
        "split",
        "width",
        "height",
        "prediction",
    ]
    assert run.vocabulary["attributes"][4] == ["ruler", "hairs"]
    assert run.vocabulary["broad"].dtype == bool
    assert run.labels("early").query("neuron == 0 and labeler == 'csp'")["rank"].tolist() == [1, 2, 3]
    assert run.neurons("early")["state"].tolist()[2:4] == ["never-fires", "constant"]


def test_stored_examples_are_those_of_the_method(built_run: Path) -> None:
    run = Run.open(built_run)
    for neuron in range(build.NEURONS):
        stored = run.examples("late", neuron)
        expected = select_examples(run.activations("late", neuron), run.embeddings, build.K)
        assert stored is not None
        for name, value in vars(expected).items():
            np.testing.assert_array_equal(getattr(stored, name), value)
    assert run.examples("late", build.NEURONS) is None


def test_what_is_shared_cannot_be_changed(built_run: Path) -> None:
    run = Run.open(built_run)
    with pytest.raises(ValueError, match="read-only"):
        run.embeddings[0] = 0
    table = run.images
    table.loc[0, "label"] = "changed"
    assert run.images["label"][0] == "nevus"


def test_threads_share_a_run(built_run: Path) -> None:
    run = Run.open(built_run)
    expected = build.activations(1)
    with ThreadPoolExecutor(8) as threads:
        read = threads.map(lambda neuron: run.activations("late", neuron % 6), range(60))
        pictures = threads.map(lambda image: run.thumbnail(image % 40, "small"), range(60))
        for neuron, values in enumerate(read):
            np.testing.assert_array_equal(values, expected[:, neuron % 6])
        assert all(pictures)


def test_a_neuron_asked_for_again_is_not_read_again(built_run: Path) -> None:
    run = Run.open(built_run)
    first = run.activations("late", 0)
    assert run.activations("late", 0) is first
    assert run.activations("early", 0) is not first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_names_what_does_not_exist(built_run: Path) -> None:
    run = Run.open(built_run)
    with pytest.raises(NotFoundError, match=r"no layer 'layer9' \(layers: early, late\)"):
        run.activations("layer9", 0)
    for neuron in (-1, 6):
        with pytest.raises(NotFoundError, match=f"no neuron {neuron}: it has 6, counted from 0"):
            run.activations("late", neuron)
    for image in (-1, 40):
        with pytest.raises(NotFoundError, match=f"no image {image}: the run has 40"):
            run.thumbnail(image, "large")


PARTS: dict[str, Callable[[Run], object]] = {
    "arrays.zarr/activations-1": lambda run: run.activations("late", 0),
    "arrays.zarr/embeddings": lambda run: run.embeddings,
    "arrays.zarr/neighbours-index": lambda run: run.neighbours,
    "tables/images.parquet": lambda run: run.images,
    "tables/neurons-0.parquet": lambda run: run.neurons("early"),
    "tables/labels-0.parquet": lambda run: run.labels("early"),
    "tables/vocabulary.parquet": lambda run: run.vocabulary,
    "tables/skipped.parquet": lambda run: run.skipped,
    "thumbnails.bin": lambda run: run.thumbnail(0, "small"),
    "thumbnails.npy": lambda run: run.thumbnail(0, "small"),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_file_is_named(part: str, tiny_run: Run) -> None:
    lost = some_file(tiny_run, part)
    lost.unlink()
    with pytest.raises(BadRunError, match=f"{lost} is missing: copy the run again"):
        PARTS[part](tiny_run)
    assert tiny_run.check() == [f"{lost.relative_to(tiny_run.path)} is missing"]


@pytest.mark.parametrize("part", PARTS)
def test_a_file_cut_short_is_named(part: str, tiny_run: Run) -> None:
    cut = some_file(tiny_run, part)
    os.truncate(cut, cut.stat().st_size - 3)
    with pytest.raises(BadRunError, match=rf"{cut} has \d+ bytes instead of \d+"):
        PARTS[part](tiny_run)


@pytest.mark.parametrize("part", PARTS)
def test_changed_bytes_are_found_on_reading(part: str, tiny_run: Run) -> None:
    changed = some_file(tiny_run, part)
    data = bytearray(changed.read_bytes())
    for place in (0, len(data) // 3, len(data) // 2, len(data) - 2):
        data[place : place + 2] = b"\xa5\x5a"
    changed.write_bytes(data)
    with pytest.raises(BadRunError, match=r"can't be read|damaged|was changed"):
        PARTS[part](tiny_run)


def test_large_arrays_are_mapped_and_their_bytes_checked(
    built_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MAPPED_BYTES", 1000)
    run, plain = Run.open(build.build_run(tmp_path / "large")), Run.open(built_run)
    assert isinstance(run.embeddings.base.base, np.memmap)
    np.testing.assert_array_equal(run.embeddings, plain.embeddings)
    assert run.neighbours is not None and plain.neighbours is not None
    np.testing.assert_array_equal(run.neighbours.index, plain.neighbours.index)
    assert run.check() == []
    changed = run.path / "arrays.zarr/embeddings/c/0/0"
    data = bytearray(changed.read_bytes())
    data[77] ^= 4
    changed.write_bytes(data)
    with pytest.raises(BadRunError, match="was changed after the run was made"):
        _ = Run.open(run.path).embeddings


SHOWN: dict[str, Callable[[Run], object]] = {
    "arrays.zarr/activations-0": lambda run: [run.activations("early", neuron) for neuron in range(6)],
    "arrays.zarr/activations-1": lambda run: run.layer_activations("late"),
    "arrays.zarr/embeddings": lambda run: run.embeddings,
    "arrays.zarr/probabilities": lambda run: run.probabilities,
    "arrays.zarr/text_embeddings": lambda run: run.text_embeddings,
    "arrays.zarr/neighbours-index": lambda run: run.neighbours,
    "arrays.zarr/neighbours-similarity": lambda run: run.neighbours,
    "tables/images.parquet": lambda run: run.images,
    "tables/skipped.parquet": lambda run: run.skipped,
    "tables/vocabulary.parquet": lambda run: run.vocabulary,
    "tables/neurons-0.parquet": lambda run: run.neurons("early"),
    "tables/neurons-1.parquet": lambda run: run.neurons("late"),
    "tables/labels-0.parquet": lambda run: run.labels("early"),
    "tables/labels-1.parquet": lambda run: run.labels("late"),
    "thumbnails": lambda run: [
        run.thumbnail(image, size) for image in range(40) for size in ("small", "large")
    ],
}
"""What a page shows, by the start of the names of the files it is read from."""


def shown_part(name: str) -> Callable[[Run], object]:
    return next(read for part, read in SHOWN.items() if name.startswith(part))


def test_any_flipped_bit_is_found_when_its_part_is_shown(tiny_run: Run) -> None:
    chance = random.Random(7)
    names = [name for name in tiny_run.manifest.files if name != "arrays.zarr/zarr.json"]
    for name in names:
        path = tiny_run.path / name
        whole = path.read_bytes()
        for bit in chance.sample(range(8 * len(whole)), min(8, 8 * len(whole))):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            opened = Run.open(tiny_run.path)
            try:
                shown_part(name)(opened)
            except BadRunError:
                continue
            pytest.fail(f"bit {bit} of {name} was shown")
        path.write_bytes(whole)
        shown_part(name)(Run.open(tiny_run.path))


def test_any_flipped_bit_of_the_manifest_is_found(tiny_run: Run) -> None:
    path = tiny_run.path / MANIFEST_NAME
    whole = path.read_bytes()
    chance = random.Random(8)
    for bit in chance.sample(range(8 * len(whole)), 300):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            found = read_manifest(tiny_run.path)
        except BadRunError:
            continue
        assert found == tiny_run.manifest, f"bit {bit}"


def test_any_edit_of_the_manifest_is_found(tiny_run: Run) -> None:
    path = tiny_run.path / MANIFEST_NAME
    document = json.loads(path.read_text())
    edits = [{name: None} for name in document] + [
        {"classes": document["classes"][::-1]},
        {"files": {}},
        {"notes": ["validated"]},
        {"schema_version": 2},
        {"schema_version": 1},
    ]
    for edit in edits:
        path.write_text(json.dumps(document | edit))
        with pytest.raises(BadRunError):
            read_manifest(tiny_run.path)
    path.write_bytes(sealed(document))
    assert Run.open(tiny_run.path).check() == []


def test_a_run_of_schema_2_opens_and_its_pictures_are_checked(tiny_run: Run) -> None:
    document = json.loads(tiny_run.manifest.model_dump_json()) | {"schema_version": 2}
    (tiny_run.path / "thumbnails-sums.npy").unlink()
    del document["files"]["thumbnails-sums.npy"]
    (tiny_run.path / MANIFEST_NAME).write_text(json.dumps(document))
    old = Run.open(tiny_run.path)
    assert old.check() == []
    assert old.fingerprint != tiny_run.fingerprint
    other = Manifest.model_validate(document | {"classes": ["a", "b"]})
    assert other.fingerprint == old.fingerprint
    assert old.thumbnail(3, "small")
    pack = tiny_run.path / "thumbnails.bin"
    content = pack.read_bytes()
    pack.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BadRunError, match="was changed after the run was made"):
        old.thumbnail(3, "small")


def test_check_finds_a_changed_picture(tiny_run: Run) -> None:
    pack = tiny_run.path / "thumbnails.bin"
    pack.write_bytes(bytes([pack.read_bytes()[0] ^ 1]) + pack.read_bytes()[1:])
    assert tiny_run.check() == ["thumbnails.bin was changed after the run was made"]


def test_check_compares_shapes(tiny_run: Run) -> None:
    """As for a run made by hand, with hashes that fit and contents that do not."""
    arrays.write_array(tiny_run.path, arrays.EMBEDDINGS, np.ones((39, 8), np.float32))
    files = {name: record.model_dump() for name, record in file_records(tiny_run.path).items()}
    edit_manifest(tiny_run, files=files, skipped=5, classes=["nevus"])
    problems = Run.open(tiny_run.path).check()
    for problem, part in zip(problems, ("skipped.parquet", "embeddings", "probabilities"), strict=True):
        assert part in problem
    assert "its shape is (39, 8) instead of (40, 8)" in problems[1]


def test_a_run_deleted_while_open(tiny_run: Run) -> None:
    tiny_run.activations("late", 0)
    assert tiny_run.thumbnail(0, "small")
    shutil.rmtree(tiny_run.path)
    with pytest.raises(BadRunError, match="is gone: it was moved or deleted while open"):
        tiny_run.activations("late", 0)
    with pytest.raises(BadRunError, match="is gone"):
        tiny_run.thumbnail(0, "small")


def test_another_run_in_the_folder_is_not_mixed_with_the_open_one(tiny_run: Run, tmp_path: Path) -> None:
    assert len(tiny_run.images)
    again = shutil.copytree(tiny_run.path, tmp_path / "again")
    replace(tiny_run.path, again)
    assert tiny_run.thumbnail(0, "small")  # the same, copied once more
    other = shutil.copytree(tiny_run.path, tmp_path / "other")
    arrays.write_array(other, arrays.EMBEDDINGS, np.roll(tiny_run.embeddings, 1, axis=0))
    made_anew = tiny_run.manifest.model_copy(update={"files": file_records(other)})
    write_manifest(other, made_anew)
    opened = Run.open(tiny_run.path)
    replace(tiny_run.path, other)
    with pytest.raises(BadRunError, match="was changed while it was open: open it again"):
        _ = opened.embeddings
    assert Run.open(tiny_run.path).check() == []


def replace(folder: Path, other: Path) -> None:
    shutil.rmtree(folder)
    other.rename(folder)


def test_a_folder_without_manifest_is_no_run(tiny_run: Run) -> None:
    (tiny_run.path / MANIFEST_NAME).unlink()
    with pytest.raises(
        BadRunError, match=r"is not a run: it has no manifest\.json; make one with `csp index`"
    ):
        Run.open(tiny_run.path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "can't be read"),
        ("\x00\xff", "can't be read|names no schema_version"),
        ("[]", "names no schema_version"),
        ('{"schema_version": "1"}', "names no schema_version"),
        ('{"schema_version": 3}', "changed after the run was made, or lost its seal"),
        ('{"schema_version": 2, "seal": "0"}', "changed after the run was made, or lost its seal"),
        ('{"schema_version": 2, "seal": null}', "changed after the run was made, or lost its seal"),
        ('{"schema_version": 3, "seal": "0", "gamma": NaN}', "changed after the run was made"),
        pytest.param("[" * 200_000, "can't be read", id="deep"),
        ('{"schema_version": 1, "name": "x"}', "damaged at 'created': Field required"),
        (
            '{"schema_version": 4, "future": 1}',
            r"newer version \(schema 4, this app reads up to 3\): update the app",
        ),
    ],
)
def test_a_manifest_that_cannot_be_used(text: str, sentence: str, tiny_run: Run) -> None:
    (tiny_run.path / MANIFEST_NAME).write_text(text)
    with pytest.raises(BadRunError, match=sentence):
        Run.open(tiny_run.path)


def test_a_run_without_images_says_so(tiny_run: Run) -> None:
    files = {
        name: vars(record) for name, record in tiny_run.manifest.files.items() if "thumbnails" not in name
    }
    edit_manifest(tiny_run, files=files)
    with pytest.raises(NotFoundError, match="made without images"):
        Run.open(tiny_run.path).thumbnail(0, "small")


def test_examples_of_a_layer_at_once_are_those_of_each_neuron(tiny_run: Run) -> None:
    together = tiny_run.layer_examples("late")
    assert len(together) == tiny_run.layer("late").neurons
    for neuron, examples in enumerate(together):
        alone = tiny_run.examples("late", neuron)
        assert alone is not None
        assert examples.mean_activation == alone.mean_activation
        assert np.array_equal(examples.contrastive, alone.contrastive)
        assert np.array_equal(examples.similarity, alone.similarity, equal_nan=True)
