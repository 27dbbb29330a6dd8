"""The map of a layer: neurons whose concept vectors are alike lie close together.

UMAP (McInnes, Healy, Melville, arXiv 1802.03426) of the concept vectors at the run's own parameters, by
cosine; the same run gives the same map on the same machine. Fewer than `FEWEST` neurons are laid out by their
two principal components. A neuron without a concept vector (it never fires) is not on the map. UMAP takes
seconds to import, so the map is drawn once (`csp map RUN`) and kept with the run; looking reads a table.
"""

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float, Float32

from csp.extras import optional
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.work.neurons.concept_vectors import gamma_path, neurons_of
from csp.work.progress import Report, Stage, silent

MAP = AddedTable(
    "map",
    {
        "layer": pa.string(),
        "neuron": pa.int64(),
        "x": pa.float32(),
        "y": pa.float32(),
        "how": pa.string(),
        "csp_version": pa.string(),
    },
    ("layer", "neuron"),
)
FEWEST = 10
"""UMAP needs neighbourhoods: below this number of neurons there are none."""
NEIGHBOURS = 15
SEED = 0

How = Literal["umap", "pca"]


def draw_map(
    run: Run, layers: Sequence[str], report: Report = silent, *, in_place: bool = False
) -> dict[str, How]:
    """Draw the map of each layer and keep it with the run; gives how each was drawn.

    Raises BadInputError for a run without precomputed neurons, NotFoundError for an unknown layer.
    """
    additions, drawn = Additions(run, in_place=in_place), dict[str, How]()
    additions.expect_room()
    stage = Stage("map of neurons", len(layers), report)
    for done, layer in enumerate(layers, start=1):
        rows = _layout(run, layer)
        additions.append(MAP, rows)
        drawn[layer] = "pca" if "pca" in set(rows["how"]) else "umap"
        stage.reached(done)
    return drawn


def neuron_map(run: Run, layer: str) -> pd.DataFrame:
    """The map of a layer: neuron, x, y, how; empty when none was drawn. Loads no UMAP."""
    rows = Additions(run).read(MAP)
    return rows.loc[rows["layer"] == layer, ["neuron", "x", "y", "how"]].reset_index(drop=True)


def layout(vectors: Float[np.ndarray, "c d"]) -> tuple[Float32[np.ndarray, "c 2"], How]:
    """Two coordinates a vector, in any unit; unit vectors that are alike lie close together."""
    if len(vectors) < FEWEST:
        return _principal(vectors), "pca"
    with optional(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # umap has an optional part that needs TensorFlow
        from umap import UMAP
    nearest = min(NEIGHBOURS, len(vectors) - 1)
    mapper = UMAP(n_neighbors=nearest, metric="cosine", random_state=SEED, n_jobs=1)
    return np.asarray(mapper.fit_transform(vectors), dtype=np.float32), "umap"


def _layout(run: Run, layer: str) -> pd.DataFrame:
    vectors = gamma_path(run, layer).at(run.manifest.parameters.gamma)
    there = vectors.any(axis=1)
    places, how = layout(vectors[there])
    neurons = neurons_of(run, layer).to_numpy()[there]
    columns = {"neuron": neurons, "x": places[:, 0], "y": places[:, 1]}
    return pd.DataFrame(columns).assign(layer=layer, how=how, csp_version=csp_version())


def _principal(vectors: Float[np.ndarray, "c d"]) -> Float32[np.ndarray, "c 2"]:
    """The first two principal components; 0 where the vectors have fewer. The largest weight is positive."""
    places = np.zeros((len(vectors), 2), dtype=np.float32)
    if len(vectors) < 2:
        return places
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, keepdims=True, dtype=np.float64)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:2]
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    places[:, : len(directions)] = centred @ (directions * signs[:, None]).T
    return places
