"""Neurons that look for the same: those whose concept vectors are most alike.

similar = similar_neurons(explorer.run, "layer4")    # reads the examples of the layer once: keep it
similar.of(17)                                       # (SimilarNeuron(neuron=3, cosine=0.93), ...), best first
similar_by_decoder(explorer.run, "layer4.topk")      # latents that add the same to the layer; None elsewhere
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from csp.keeping.run_folder.run import Run
from csp.work.neurons.concept_vectors import gamma_path

KEPT = 12
"""How many are named for each neuron."""


@dataclass(frozen=True)
class SimilarNeuron:
    """Another neuron and the cosine of the two concept vectors, -1 to 1."""

    neuron: int
    cosine: float


@dataclass(frozen=True, eq=False)
class SimilarNeurons:
    """Finds the most similar neurons of each neuron of a layer, one product at a time."""

    vectors: Float32[np.ndarray, "c d"]

    def of(self, neuron: int) -> tuple[SimilarNeuron, ...]:
        """Those of one neuron, the most alike first; none for one that never fires."""
        others, cosines = most_similar(self.vectors, neuron)
        return tuple(map(SimilarNeuron, others.tolist(), cosines.tolist()))


def similar_neurons(run: Run, layer: str) -> SimilarNeurons:
    """The similar neurons of a layer at the run's own gamma."""
    return SimilarNeurons(gamma_path(run, layer).at(run.manifest.parameters.gamma))


def similar_by_decoder(run: Run, layer: str) -> SimilarNeurons | None:
    """Latents of an SAE by what they add to the layer that it reads: the directions of its decoder.

    None for a layer that is no SAE's, and for a run of before they were kept.
    """
    directions = run.decoder(layer)
    if directions is None:
        return None
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    return SimilarNeurons(directions / np.where(lengths > 0, lengths, 1))


def most_similar(
    vectors: Float[np.ndarray, "c d"], neuron: int, kept: int = KEPT
) -> tuple[Int64[np.ndarray, " kept"], Float32[np.ndarray, " kept"]]:
    """The `kept` rows of highest cosine to one of these unit rows, best first, ties to the lower index.

    A zero row has no direction: it is nobody's neighbour and has none.
    """
    alike = (vectors @ vectors[neuron]).astype(np.float32)
    there = vectors.any(axis=1) & vectors[neuron].any() & (np.arange(len(vectors)) != neuron)
    others = np.flatnonzero(there)
    best = others[np.argsort(-alike[others], kind="stable")[:kept]]
    return best, alike[best]
