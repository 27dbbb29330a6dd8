"""Time of one neuron's examples and text scores against the bare matrix products involved.

The bare products: 30 activating embeddings times all images', and the concept vector times all texts'.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from csp.method.examples.select import select_examples
from csp.method.labelers.projection import concept_vector, project


@dataclass(frozen=True)
class Probe:
    """A made-up probe dataset: how long the work takes hardly depends on what the numbers are."""

    activations: np.ndarray
    embeddings: np.ndarray
    texts: np.ndarray


def make_probe(images: int, dimensions: int, texts: int) -> Probe:
    """Random unit embeddings and a neuron that fires on about half of the images."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((images + texts, dimensions), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    activations = np.maximum(rng.standard_normal(images, dtype=np.float32), 0)
    return Probe(activations, vectors[:images].copy(), vectors[images:].copy())


def label(probe: Probe, k: int) -> np.ndarray:
    """Ours: select the examples of the neuron, then score all texts."""
    examples = select_examples(probe.activations, probe.embeddings, k)
    return project(concept_vector(examples, probe.embeddings, 1.0), probe.texts)


def bare_products(probe: Probe, k: int) -> None:
    """The two products alone."""
    rows = probe.embeddings[:k]
    rows @ probe.embeddings.T
    probe.texts @ rows[0]


def seconds(work: Callable[[Probe, int], object], probe: Probe, k: int) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work(probe, k)
    return time.perf_counter() - start


def main() -> None:
    """Alternate ours and the bare products, print the best of each as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--examples", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    probe = make_probe(options.images, options.dimensions, options.texts)
    times = [
        (seconds(label, probe, options.examples), seconds(bare_products, probe, options.examples))
        for _ in range(options.repeats)
    ]
    ours, bare = np.min(times, axis=0)
    print(
        json.dumps(
            {
                "ratio": round(ours / bare, 3),
                "ratio_of": "one neuron's examples and text scores to the bare matrix products",
                "ours_seconds": round(ours, 5),
                "bare_seconds": round(bare, 5),
                **vars(options),
            }
        )
    )


if __name__ == "__main__":
    main()
