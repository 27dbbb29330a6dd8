"""The method against the results of its reference implementation (`tests/golden/`)."""

from pathlib import Path

import numpy as np
import pytest

from csp.method.examples.neighbours import nearest_neighbours
from csp.method.examples.select import select_examples
from csp.method.examples.select_layer import select_all
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.projection import concept_vector
from csp.method.labelers.registry import LABELERS, best_labels
from csp.method.metrics.statistics import simulation_correlation

GOLDEN = Path(__file__).parents[1] / "golden"
CLOSE = 1e-5
FILES = {"public": True, "public_no_reuse": False}
SCORES = {
    "csp_gamma1": ("csp", 1.0),
    "csp_gamma05": ("csp", 0.5),
    "csp_gamma0": ("csp", 0.0),
    "semanticlens": ("semanticlens", 1.0),
    "clip_dissect": ("clip-dissect-mean", 1.0),
}

Golden = dict[str, np.ndarray]


@pytest.fixture(scope="module", params=FILES)
def golden(request: pytest.FixtureRequest) -> Golden:
    with np.load(GOLDEN / f"{request.param}.npz") as file:
        return {**file, "reuse": FILES[request.param]}


@pytest.fixture(scope="module")
def evidence(golden: Golden) -> list[Evidence]:
    k = int(golden["examples"])
    columns = [golden["activations"][:, neuron] for neuron in golden["neurons"]]
    selected = [select_examples(column, golden["embeddings"], k, reuse=golden["reuse"]) for column in columns]
    return [
        Evidence(column, golden["embeddings"], examples)
        for column, examples in zip(columns, selected, strict=True)
    ]


def test_examples(golden: Golden, evidence: list[Evidence]) -> None:
    for row, found in enumerate(evidence):
        examples = found.examples
        np.testing.assert_array_equal(examples.activating, golden["activating"][row])
        np.testing.assert_array_equal(examples.contrastive, golden["contrastive"][row])
        np.testing.assert_allclose(examples.activation, golden["activating_activation"][row], atol=CLOSE)
        np.testing.assert_allclose(
            examples.contrastive_activation, golden["contrastive_activation"][row], atol=CLOSE
        )
        np.testing.assert_allclose(examples.similarity, golden["similarity"][row], atol=CLOSE)
        np.testing.assert_allclose(examples.mean_activation, golden["mean_activation"][row], atol=CLOSE)


def test_examples_from_stored_neighbours(golden: Golden, evidence: list[Evidence]) -> None:
    embeddings = golden["embeddings"]
    layer = select_all(
        golden["activations"][:, golden["neurons"]],
        embeddings,
        int(golden["examples"]),
        reuse=golden["reuse"],
        neighbours=nearest_neighbours(embeddings, 8),
    )
    for examples, found in zip(layer, evidence, strict=True):
        np.testing.assert_array_equal(examples.contrastive, found.examples.contrastive)
        np.testing.assert_array_equal(examples.similarity, found.examples.similarity)


@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_concept_vectors(golden: Golden, evidence: list[Evidence], gamma: float) -> None:
    expected = golden[f"concept_vectors_gamma{gamma}"]
    vectors = [concept_vector(found.examples, found.embeddings, gamma) for found in evidence]
    np.testing.assert_allclose(vectors, expected, atol=CLOSE)


@pytest.mark.parametrize("name", SCORES)
def test_labels_and_scores(golden: Golden, evidence: list[Evidence], name: str) -> None:
    labeler, gamma = SCORES[name]
    for row, found in enumerate(evidence):
        index, score = best_labels(LABELERS[labeler](found, golden["text_embeddings"], gamma), 5)
        np.testing.assert_array_equal(index, golden[f"{name}_labels"][row])
        np.testing.assert_allclose(score, golden[f"{name}_scores"][row], atol=CLOSE)


def test_simulation_correlation_of_the_best_csp_label(golden: Golden, evidence: list[Evidence]) -> None:
    best = golden["text_embeddings"][golden["csp_gamma1_labels"][:, 0]]
    found = [
        simulation_correlation(e.activations, e.embeddings, text)
        for e, text in zip(evidence, best, strict=True)
    ]
    np.testing.assert_allclose(found, golden["simcorr_csp_gamma1"], atol=CLOSE)
