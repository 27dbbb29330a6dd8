import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, save_npz

from csp.errors import BadInputError, NotFoundError
from csp.keeping.run_folder.integrity import check_run
from csp.keeping.run_folder.manifest import Parameters
from csp.keeping.run_folder.run import Run
from csp.method.examples import neighbours
from csp.method.labelers.registry import LABELERS
from csp.work.indexing import precompute
from csp.work.indexing.import_arrays import NO_IMAGES, NO_VOCABULARY, ImportSpec, import_arrays
from csp.work.labels.chance import label_chances, measure_chances
from csp.work.neurons.similar import similar_by_decoder
from csp.work.progress import Progress
from csp.world import gpu
from tests.build import draw

IMAGES, NEURONS, DIMENSION = 30, 4, 8


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with activations, embeddings, names, text embeddings and images that belong together."""
    rng = np.random.default_rng(0)
    save(tmp_path, "activations", rng.random((IMAGES, NEURONS)).astype(np.float32))
    save(tmp_path, "embeddings", unit(rng.normal(size=(IMAGES, DIMENSION))))
    save(tmp_path, "texts", unit(rng.normal(size=(3, DIMENSION))))
    (tmp_path / "names.txt").write_text("ruler\nhair\n\nmole\n")
    (tmp_path / "images").mkdir()
    for row in range(IMAGES):
        draw(row).save(tmp_path / f"images/{row:02}.png")
    return tmp_path


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def save(folder: Path, name: str, array: np.ndarray) -> None:
    np.save(folder / f"{name}.npy", array)


def spec(given: Path, **changed: object) -> ImportSpec:
    fields: dict = {
        "activations": given / "activations.npy",
        "embeddings": given / "embeddings.npy",
        "out": str(given / "run"),
        "parameters": Parameters(k=5, neighbours=10),
    }
    return ImportSpec(**fields | changed)


def full(given: Path, **changed: object) -> ImportSpec:
    fields: dict = {
        "images": str(given / "images"),
        "vocabulary": given / "names.txt",
        "text_embeddings": given / "texts.npy",
    }
    return spec(given, **fields | changed)


def test_arrays_come_back_with_images_and_labels(given: Path) -> None:
    run = Run.open(import_arrays(full(given)))
    assert run.check() == []
    np.testing.assert_array_equal(run.layer_activations("imported"), np.load(given / "activations.npy"))
    np.testing.assert_allclose(run.embeddings, np.load(given / "embeddings.npy"), atol=1e-6)
    assert run.images["path"].tolist()[:2] == ["00.png", "01.png"]
    assert run.thumbnail(3, "small").startswith(b"RIFF")
    assert run.vocabulary["text"].tolist() == ["ruler", "hair", "mole"]
    assert len(run.labels("imported")) == NEURONS * 3 * len(LABELERS)
    assert run.manifest.notes == ()


def test_what_labels_take_is_handed_over_to_their_chances(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("csp.method.chance.facts.contrast_all", None)
        run = Run.open(import_arrays(full(given)))
    handed_over = label_chances(run, "imported")
    shutil.rmtree(run.path / "additions" / "chances")
    measure_chances(run)
    np.testing.assert_array_equal(label_chances(run, "imported"), handed_over)


def test_without_images_or_vocabulary_the_run_says_so(given: Path) -> None:
    run = Run.open(import_arrays(spec(given, layer="block 3")))
    assert run.layers == ("block 3",)
    assert run.manifest.notes == (NO_IMAGES, NO_VOCABULARY)
    assert run.images["path"].isna().all()
    with pytest.raises(NotFoundError, match="without images"):
        run.thumbnail(0, "small")


def test_what_is_not_normalised_is_and_the_run_says_so(given: Path) -> None:
    plain = Run.open(import_arrays(spec(given)))
    save(given, "embeddings", 3 * np.load(given / "embeddings.npy").astype(np.float64))
    run = Run.open(import_arrays(spec(given, out=str(given / "scaled"))))
    np.testing.assert_allclose(run.embeddings, plain.embeddings, atol=1e-6)
    assert any("normalised to length 1 (lengths were 3 to 3)" in note for note in run.manifest.notes)
    assert any("converted from float64" in note for note in run.manifest.notes)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.uint8, bool])
def test_numbers_of_any_type_are_converted(given: Path, dtype: type) -> None:
    array = (np.load(given / "activations.npy") * 9).astype(dtype)
    save(given, "activations", np.asfortranarray(array))
    run = Run.open(import_arrays(spec(given)))
    np.testing.assert_array_equal(run.layer_activations("imported"), array.astype(np.float32))
    assert any(f"converted from {np.dtype(dtype)}" in note for note in run.manifest.notes)


def test_activations_that_are_not_finite_are_a_state(given: Path) -> None:
    array = np.load(given / "activations.npy")
    array[4, 1] = np.nan
    array[5, 1] = np.inf
    save(given, "activations", array)
    run = Run.open(import_arrays(spec(given)))
    assert run.neurons("imported")["state"].tolist() == ["always-on", "non-finite", "always-on", "always-on"]
    assert any("2 values that are not finite, in 1 neurons" in note for note in run.manifest.notes)


def test_an_unreadable_image_keeps_its_row(given: Path) -> None:
    (given / "images/02.png").write_text("broken")
    run = Run.open(import_arrays(full(given)))
    assert len(run.images) == IMAGES
    with pytest.raises(NotFoundError, match="no thumbnail"):
        run.thumbnail(2, "small")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("embeddings", np.full((IMAGES, 8), np.nan), "row 0 of the embeddings .* is not finite"),
        ("embeddings", np.eye(IMAGES, 8), "row 8 of the embeddings .* is all zero"),
        ("embeddings", np.ones((IMAGES - 1, 8)), "activations have 30 rows but the embeddings 29"),
        ("activations", np.ones((4, IMAGES)), "transposed"),
        ("activations", np.ones(IMAGES), r"have shape \(30,\)"),
        ("activations", np.array([["a", "b"]] * IMAGES), "of type <U1"),
        ("activations", np.ones((IMAGES, 2), dtype=complex), "of type complex128"),
        ("activations", np.array([[None]] * IMAGES), "can't be read"),
        ("texts", np.ones((2, 8)), "text embeddings have shape"),
        ("texts", np.ones((3, 5)), "text embeddings have shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(given: Path, name: str, array: np.ndarray, message: str) -> None:
    np.save(given / f"{name}.npy", array, allow_pickle=True)
    with pytest.raises(BadInputError, match=message):
        import_arrays(full(given))
    assert not (given / "run").exists()


def test_parts_that_are_missing_are_named(given: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none\.npy"):
        import_arrays(spec(given, activations=given / "none.npy"))
    with pytest.raises(BadInputError, match="belong together"):
        import_arrays(full(given, vocabulary=None))
    (given / "images/29.png").unlink()
    with pytest.raises(BadInputError, match="lists 29 images but the arrays have 30"):
        import_arrays(full(given))


def test_repeated_texts_are_left_out_with_their_embeddings(given: Path) -> None:
    (given / "names.txt").write_text("ruler\nhair\nruler\n")
    run = Run.open(import_arrays(full(given)))
    assert run.vocabulary["text"].tolist() == ["ruler", "hair"]
    assert run.text_embeddings is not None
    np.testing.assert_allclose(run.text_embeddings, np.load(given / "texts.npy")[:2], atol=1e-6)


def mostly_zero(given: Path) -> np.ndarray:
    """Activations of which one in six is other than 0, and no row or column is like another."""
    array = np.load(given / "activations.npy")
    array[np.arange(IMAGES * NEURONS).reshape(array.shape) % 6 > 0] = 0
    return array


@pytest.mark.parametrize("kind", ["csc", "coo", "dia"])
def test_sparse_activations_give_the_run_of_the_same_numbers_in_full(given: Path, kind: str) -> None:
    array = mostly_zero(given)
    save(given, "activations", array)
    whole = Run.open(import_arrays(spec(given)))
    save_npz(given / "sparse.npz", csr_array(array).asformat(kind))
    run = Run.open(import_arrays(spec(given, activations=given / "sparse.npz", out=str(given / "other"))))
    np.testing.assert_array_equal(run.layer_activations("imported"), array)
    pd.testing.assert_frame_equal(run.neurons("imported"), whole.neurons("imported"))


def test_sparse_activations_that_are_not_finite_are_a_state(given: Path) -> None:
    array = mostly_zero(given).astype(np.float64)
    array[4, 1], array[5, 1] = np.nan, 1e300
    save_npz(given / "sparse.npz", csr_array(array))
    run = Run.open(import_arrays(spec(given, activations=given / "sparse.npz")))
    assert run.neurons("imported")["state"].tolist()[1] == "non-finite"
    assert "activations were converted from float64 to float32" in run.manifest.notes
    assert any("2 values that are not finite, in 1 neurons" in note for note in run.manifest.notes)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"indices": np.array([9], np.int32)}, "can't be read"),
        ({"shape": np.array([IMAGES, 1 << 40])}, "1099511627776|1099511627777"),
        ({"shape": np.array([1 << 30, 4])}, "its shape is"),
        ({"format": np.array(b"lil")}, "can't be read"),
        ({"data": np.zeros(9_999)}, "data holds 9,999 values, more than an array of shape"),
        ({"data": np.array(["a"])}, "activations"),
    ],
)
@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_a_damaged_sparse_file_is_refused(given: Path, parts: dict, message: str, kind: str) -> None:
    save_npz(given / "sparse.npz", csr_array(([1.0], ([0], [0])), shape=(IMAGES, 4)).asformat(kind))
    with np.load(given / "sparse.npz") as stored:
        whole = {**stored, **parts}
    if kind == "csc" and "indices" in parts:
        whole["indices"] = np.array([IMAGES], np.int32)
    np.savez(given / "sparse.npz", **whole)
    with pytest.raises(BadInputError, match=message):
        import_arrays(spec(given, activations=given / "sparse.npz"))


def test_a_file_that_is_no_array_is_not_said_to_be_loadable_otherwise(given: Path) -> None:
    (given / "table.npy").write_text("1,2,3\n4,5,6\n")
    with pytest.raises(BadInputError, match=r"numpy.save did not write it"):
        import_arrays(spec(given, activations=given / "table.npy"))


def test_a_job_stopped_amid_the_neighbours_goes_on_there(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "PIECE", 8)

    def stop(progress: Progress) -> None:
        if progress.stage == "neighbours" and progress.done == 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_arrays(spec(given), stop)
    seen: list[Progress] = []
    went_on = Run.open(import_arrays(spec(given), seen.append))
    assert [one.done for one in seen if one.stage == "neighbours"] == [24, 30]
    whole = Run.open(import_arrays(spec(given, out=str(given / "whole"))))
    assert went_on.fingerprint == whole.fingerprint


def test_where_there_is_a_graphics_card_it_finds_the_neighbours(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precompute, "GPU_FROM", 0)
    monkeypatch.setattr(precompute, "DEVICES", given)
    monkeypatch.setattr(gpu, "has_gpu", lambda: True)
    asked: list[int] = []

    def on_processor(embeddings: np.ndarray, m: int, start: int) -> Iterator[neighbours.Neighbours]:
        asked.append(m)
        return by_gpu(embeddings, m, start, device="cpu")

    by_gpu = gpu.neighbour_pieces_by_gpu
    monkeypatch.setattr(gpu, "neighbour_pieces_by_gpu", on_processor)
    expected = Run.open(import_arrays(spec(given, out=str(given / "by-processor"))))
    assert not asked, "without a driver torch is not even loaded: 0.25 GB"
    (given / "nvidia0").touch()
    found = Run.open(import_arrays(spec(given)))
    assert asked == [10] and found.neighbours is not None and expected.neighbours is not None
    np.testing.assert_array_equal(found.neighbours.index, expected.neighbours.index)
    np.testing.assert_allclose(found.neighbours.similarity, expected.neighbours.similarity, atol=1e-6)


def test_the_decoder_of_an_sae_shows_latents_that_add_the_same(given: Path) -> None:
    directions = np.eye(NEURONS, 3, dtype=np.float64)
    directions[3] = 2 * directions[1]
    save(given, "decoder", directions)
    run = Run.open(import_arrays(spec(given, decoder=given / "decoder.npy")))
    similar = similar_by_decoder(run, "imported")
    assert similar is not None
    assert [(one.neuron, round(one.cosine, 5)) for one in similar.of(1)[:1]] == [(3, 1.0)]
    assert check_run(run) == []


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        (np.zeros((2, 5)), r"2 rows, but the activations 4 columns; it needs a row for each latent"),
        (np.full((NEURONS, 3), np.nan), "not finite"),
        (np.zeros((3, NEURONS)), "is it transposed"),
    ],
)
def test_a_decoder_that_does_not_fit_is_refused(given: Path, directions: np.ndarray, message: str) -> None:
    save(given, "decoder", directions)
    with pytest.raises(BadInputError, match=message):
        import_arrays(spec(given, decoder=given / "decoder.npy"))
