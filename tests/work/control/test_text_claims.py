"""Which neurons a text fits, and that nothing does."""

from pathlib import Path

import numpy as np
import pytest

from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import LABELERS
from csp.work.control.draws import FIT
from csp.work.control.text_claims import text_claims, text_fits
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.models.embedding import text_embedding
from csp.work.neurons.search import parse_query
from csp.work.neurons.search_reviewed import search_reviewed


def test_fits_are_the_scores_by_correlation(explorer: Explorer) -> None:
    texts = run_vocabulary(explorer.run).embeddings
    found = text_fits(explorer.run, "late", texts)
    for neuron in range(4):  # of the others one never fires and one is not finite
        scores = LABELERS[FIT](explorer.evidence("late", neuron), texts, 1.0)
        np.testing.assert_allclose(found[neuron], scores, atol=1e-5)
    assert np.isfinite(found).all()


def test_a_text_is_claimed_for_the_neuron_that_follows_it(explorer: Explorer) -> None:
    vocabulary = run_vocabulary(explorer.run)
    rows = [vocabulary.row(text) for text in ("ruler marks", "hairs", "bicycle")]
    claims = text_claims(explorer, "late", vocabulary.embeddings[rows])
    assert claims is not None
    assert np.flatnonzero(claims[:, 0]).tolist() == [0]
    assert np.flatnonzero(claims[:, 1]).tolist() == [1]
    assert not claims[:2, 2].any()


def test_names_of_what_no_picture_shows_are_not_claimed(own_home: Path) -> None:
    """The encoder makes something of each, a long way off from what explains a neuron best."""
    demo = open_explorer("demo")
    texts = np.stack([text_embedding(demo.cache, name) for name in ("goldfish", "volcano", "ruler marks")])
    claims = text_claims(demo, "layer4", texts)
    assert claims is not None
    assert claims.any(axis=0).tolist() == [False, False, True]


def test_a_search_answers_that_nothing_fits(explorer: Explorer) -> None:
    found = search_reviewed(explorer, ["late"], parse_query("bicycle"), {}, most=3)
    assert found.matches == ()
    assert len(found.near) == 3
    both = search_reviewed(explorer, ["late"], parse_query("bicycle, ruler marks"), {})
    assert [match.neuron for match in both.matches] == [0]


def test_without_labels_it_can_not_be_told(unlabelled: Run, explorer: Explorer) -> None:
    bare = Explorer(unlabelled, explorer.cache.results)
    texts = np.ones((1, unlabelled.manifest.dimension), np.float32)
    assert text_claims(bare, unlabelled.layers[0], texts) is None


@pytest.mark.parametrize("neuron", [2, 3])
def test_a_neuron_that_goes_with_nothing_is_claimed_nothing(explorer: Explorer, neuron: int) -> None:
    claims = text_claims(explorer, "late", run_vocabulary(explorer.run).embeddings)
    assert claims is not None
    assert not claims[neuron].any()
