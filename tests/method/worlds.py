"""Small random probe datasets for hypothesis, ties, duplicates and zeros included."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True)
class World:
    activations: np.ndarray
    embeddings: np.ndarray
    texts: np.ndarray


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def make_world(seed: int, n: int, d: int, ties: bool) -> World:
    """`ties`: activations from a handful of values, and some images duplicated."""
    rng = np.random.default_rng(seed)
    activations = np.maximum(rng.normal(0.2, 1, n), 0).astype(np.float32)
    embeddings = unit(rng.normal(size=(n, d)) + 0.5)
    if ties:
        activations = np.round(activations)
        embeddings = embeddings[rng.integers(max(1, n // 2), size=n)]
    return World(activations, embeddings, unit(rng.normal(size=(7, d)) + 0.3))


def worlds(ties: bool | None = None) -> st.SearchStrategy[World]:
    return st.builds(
        make_world,
        seed=st.integers(0, 2**32 - 1),
        n=st.integers(1, 40),
        d=st.integers(2, 12),
        ties=st.booleans() if ties is None else st.just(ties),
    )
