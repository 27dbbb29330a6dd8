"""Similar neurons: against a plain loop; a silent neuron is nobody's neighbour."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from csp.keeping.run_folder.run import Run
from csp.method.examples.select import select_examples
from csp.method.labelers.projection import concept_vector
from csp.work.neurons.concept_vectors import gamma_path
from csp.work.neurons.similar import most_similar, similar_neurons


@given(some.integers(1, 9), some.integers(0, 5), some.integers(0, 99))
def test_as_the_plain_loop(neurons: int, kept: int, seed: int) -> None:
    noise = np.random.default_rng(seed)
    vectors = noise.normal(size=(neurons, 3)) * (noise.random((neurons, 1)) < 0.8)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    vectors = vectors.astype(np.float32)
    for one in range(neurons):
        found, cosines = most_similar(vectors, one, kept)
        others = [other for other in range(neurons) if other != one and vectors[other].any()]
        if not vectors[one].any():
            others = []
        others.sort(key=lambda other: -float(vectors[one] @ vectors[other]))
        assert found.tolist() == others[:kept]
        np.testing.assert_allclose(cosines, vectors[found] @ vectors[one], atol=1e-6)


def test_of_a_run_silent_neurons_have_none(tiny_run: Run) -> None:
    found = similar_neurons(tiny_run, "late")
    assert found.of(2) == ()
    assert {one.neuron for one in found.of(0)} == {1, 3, 5}
    cosines = [one.cosine for one in found.of(0)]
    assert cosines == sorted(cosines, reverse=True)


def test_vectors_on_the_gamma_path_are_those_of_the_method(tiny_run: Run) -> None:
    path = gamma_path(tiny_run, "late")
    for gamma in (0.0, 0.35, 1.0):
        vectors = path.at(gamma)
        for neuron in (0, 1, 2):
            examples = select_examples(tiny_run.activations("late", neuron), tiny_run.embeddings, 5)
            expected = concept_vector(examples, tiny_run.embeddings, gamma)
            np.testing.assert_allclose(vectors[neuron], expected, atol=1e-6)
            alone = gamma_path(tiny_run, "late", [neuron]).at(gamma)
            np.testing.assert_allclose(alone[0], expected, atol=1e-6)
