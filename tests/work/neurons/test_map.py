"""The map of neurons: alike lies together, the same run gives the same map, it is kept with the run."""

import sys

import numpy as np
import pytest

from csp.errors import NotFoundError
from csp.keeping.run_folder.run import Run
from csp.work.jobs.kinds.map import run as map_job
from csp.work.neurons.concept_vectors import gamma_path
from csp.work.neurons.map import FEWEST, draw_map, layout, neuron_map
from csp.work.progress import Progress


def groups(each: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around three directions, shuffled, and the direction of each."""
    noise = np.random.default_rng(0)
    direction = noise.permutation(np.repeat(np.arange(3), each))
    vectors = np.eye(3, 12)[direction] + 0.05 * noise.normal(size=(3 * each, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), direction


def nearest(places: np.ndarray) -> np.ndarray:
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    found: np.ndarray = distance.argmin(axis=1)
    return found


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP's own code as it stands, without compiling it first, which takes longer than thirty vectors."""
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)


@pytest.mark.usefixtures("interpreted")
def test_umap_puts_alike_neurons_together_and_is_the_same_again() -> None:
    vectors, direction = groups(10)
    places, how = layout(vectors)
    assert how == "umap"
    assert places.shape == (30, 2) and np.isfinite(places).all()
    assert (direction[nearest(places)] == direction).mean() > 0.95
    np.testing.assert_array_equal(places, layout(vectors)[0])


def test_few_neurons_lie_on_their_principal_components() -> None:
    vectors, direction = groups(3)
    assert len(vectors) < FEWEST
    places, how = layout(vectors)
    assert how == "pca"
    assert (direction[nearest(places)] == direction).all()
    centred = vectors - vectors.mean(axis=0)
    spread = np.sort(np.linalg.eigvalsh(centred.T @ centred))[::-1][:2]
    np.testing.assert_allclose((places**2).sum(axis=0), spread, rtol=1e-3)


@pytest.mark.parametrize("neurons", [0, 1, 2])
def test_one_neuron_or_none_has_a_place_too(neurons: int) -> None:
    places, how = layout(groups(1)[0][:neurons])
    assert how == "pca" and places.shape == (neurons, 2) and np.isfinite(places).all()


def test_the_map_is_kept_with_the_run_without_silent_neurons(tiny_run: Run) -> None:
    assert neuron_map(tiny_run, "late").empty
    seen: list[Progress] = []
    assert draw_map(tiny_run, tiny_run.layers, seen.append) == {"early": "pca", "late": "pca"}
    assert (seen[-1].done, seen[-1].total) == (2, 2)
    kept = neuron_map(Run.open(tiny_run.path), "late")
    fires = gamma_path(tiny_run, "late").at(1.0).any(axis=1)
    assert kept["neuron"].tolist() == np.flatnonzero(fires).tolist()
    assert 2 not in kept["neuron"].tolist(), "neuron 2 never fires"
    assert set(kept["how"]) == {"pca"}
    draw_map(tiny_run, ["late"])
    assert neuron_map(tiny_run, "late").equals(kept)


def test_the_job_draws_one_layer_or_all(tiny_run: Run) -> None:
    map_job({"run": "tiny", "layer": "late"}, lambda progress: None)
    assert neuron_map(tiny_run, "early").empty and not neuron_map(tiny_run, "late").empty
    map_job({"run": "tiny"}, lambda progress: None)
    assert not neuron_map(tiny_run, "early").empty
    with pytest.raises(NotFoundError, match="nowhere"):
        map_job({"run": "tiny", "layer": "nowhere"}, lambda progress: None)


def test_looking_at_a_map_loads_no_umap(tiny_run: Run) -> None:
    import subprocess

    code = (
        "import sys; from csp.keeping.run_folder.run import Run\n"
        "from csp.work.neurons.map import neuron_map\n"
        f"neuron_map(Run.open(__import__('pathlib').Path({str(tiny_run.path)!r})), 'late')\n"
        "print([m for m in ('umap', 'numba', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
