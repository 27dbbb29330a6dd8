"""Above a size neighbours come from FAISS: nearly all are the true ones, and the run says how many."""

from pathlib import Path

import numpy as np
import pytest

from csp.face.screen.wording import neighbours_line
from csp.keeping.run_folder.manifest import Parameters
from csp.keeping.run_folder.run import Run
from csp.method.examples.neighbours import nearest_neighbours
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from csp.work.progress import Progress

IMAGES, STORED = 2500, 20


@pytest.fixture
def spec(tmp_path: Path) -> ImportSpec:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 24))
    embeddings = centres[rng.integers(0, 40, IMAGES)] + rng.normal(scale=0.5, size=(IMAGES, 24))
    np.save(tmp_path / "e.npy", embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))
    np.save(tmp_path / "a.npy", rng.random((IMAGES, 2)).astype(np.float32))
    parameters = Parameters(k=3, neighbours=STORED, exact_up_to=1000)
    return ImportSpec(tmp_path / "a.npy", tmp_path / "e.npy", str(tmp_path / "run"), parameters=parameters)


def test_neighbours_of_many_images_are_nearly_the_true_ones(spec: ImportSpec) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "neighbours" and progress.done == 1024:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_arrays(spec, stop)
    seen: list[Progress] = []
    run = Run.open(import_arrays(spec, seen.append))
    assert [one.done for one in seen if one.stage == "neighbours"] == [2048, 2500]
    assert "lists of neighbours" not in {one.stage for one in seen}, "the lists were kept"
    found, true = run.neighbours, nearest_neighbours(run.embeddings, STORED)
    assert found is not None
    hits = sum(len(np.intersect1d(*rows)) for rows in zip(found.index, true.index, strict=True))
    said = run.manifest.approximate
    assert said is not None
    assert said.searched < said.lists
    assert said.recall >= 0.98
    assert abs(hits / true.index.size - said.recall) < 0.02
    assert (np.diff(found.similarity, axis=1) <= 0).all()
    assert not (found.index == np.arange(IMAGES)[:, None]).any()
    assert neighbours_line(run) == f" · look-alikes: approximate neighbours, recall {said.recall:.2f}"
    assert run.check() == []


@pytest.mark.parametrize("images", [1, 2, 3, 90])
@pytest.mark.parametrize("alike", [False, True])
def test_of_few_images_or_of_images_all_alike_it_finds_as_many(
    tmp_path: Path, images: int, alike: bool
) -> None:
    embeddings = np.random.default_rng(1).normal(size=(images, 8)).astype(np.float32)
    embeddings = np.ones_like(embeddings) if alike else embeddings
    np.save(tmp_path / "e.npy", embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))
    np.save(tmp_path / "a.npy", np.eye(images, 2, dtype=np.float32))
    parameters = Parameters(k=1, neighbours=STORED, exact_up_to=0)
    run = Run.open(
        import_arrays(
            ImportSpec(tmp_path / "a.npy", tmp_path / "e.npy", str(tmp_path / "run"), parameters=parameters)
        )
    )
    found = run.neighbours
    assert found is not None
    assert found.index.shape == (images, min(STORED, images - 1))
    for image, row in enumerate(found.index):
        assert len({image, *row}) == len(row) + 1
        assert not alike or (np.diff(row) > 0).all(), "ties to the lower index"
