"""Neurons that look for the same: those whose concept vectors are most alike.

similar = similar_neurons(explorer, "layer4")    # works out the whole layer once, then kept
similar.of(17)                                   # (Similar(neuron=3, cosine=0.93), ...), the most alike first
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64

from csp.work.explorer.explorer import Explorer
from csp.work.neurons.concept_vectors import gamma_path

KEPT = 12
"""How many are kept for each neuron."""
BLOCK = 1024


@dataclass(frozen=True)
class SimilarNeuron:
    """Another neuron and the cosine of the two concept vectors, -1 to 1."""

    neuron: int
    cosine: float


@dataclass(frozen=True, eq=False)
class SimilarNeurons:
    """The most similar neurons of every neuron of a layer."""

    neurons: Int64[np.ndarray, "c kept"]
    cosines: Float32[np.ndarray, "c kept"]

    def of(self, neuron: int) -> tuple[SimilarNeuron, ...]:
        """Those of one neuron, the most alike first; none for one that never fires."""
        pairs = zip(self.neurons[neuron].tolist(), self.cosines[neuron].tolist(), strict=True)
        return tuple(SimilarNeuron(other, cosine) for other, cosine in pairs if other >= 0)


def similar_neurons(explorer: Explorer, layer: str) -> SimilarNeurons:
    """The similar neurons of a layer at the run's own gamma, kept for the next time."""

    def compute() -> dict[str, Any]:
        vectors = gamma_path(explorer.run, layer).at(explorer.run.manifest.parameters.gamma)
        neurons, cosines = most_similar(vectors)
        return {"neurons": neurons.tolist(), "cosines": cosines.round(4).tolist()}

    found = explorer.cache.get_or_compute({"layer": layer}, compute).value
    return SimilarNeurons(np.array(found["neurons"], np.int64), np.array(found["cosines"], np.float32))


def most_similar(
    vectors: Float[np.ndarray, "c d"], kept: int = KEPT
) -> tuple[Int64[np.ndarray, "c kept"], Float32[np.ndarray, "c kept"]]:
    """For each unit row the `kept` other rows of highest cosine, best first, ties to the lower index.

    A zero row has no direction: it is nobody's neighbour and has none (-1, with a cosine of 0).
    """
    kept = min(kept, max(len(vectors) - 1, 0))
    silent = np.abs(vectors).max(axis=1, initial=0) == 0
    neurons = np.full((len(vectors), kept), -1, dtype=np.int64)
    cosines = np.zeros((len(vectors), kept), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        alike = (vectors[rows] @ vectors.T).astype(np.float32)
        alike[:, silent] = -np.inf
        alike[rows - start, rows] = -np.inf
        order = np.argsort(-alike, axis=1, kind="stable")[:, :kept]
        found = np.take_along_axis(alike, order, axis=1)
        there = np.isfinite(found) & ~silent[rows, None]
        neurons[rows], cosines[rows] = np.where(there, order, -1), np.where(there, found, 0)
    return neurons, cosines
