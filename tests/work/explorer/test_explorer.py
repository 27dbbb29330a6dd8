from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.trust import keep_trust
from csp.method.examples.contrast_rule import ContrastRule
from csp.method.examples.select import select_examples
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.registry import FIRST, LABELERS
from csp.method.states import NeuronState, sentence
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.explorer.typed_text import score_text
from tests.build import K, text_embeddings


@pytest.fixture
def explorer(tiny_run: Run, own_home: Path) -> Explorer:
    return open_explorer("tiny")


@pytest.fixture
def indexed_explorer(indexed: Run, tmp_path: Path) -> Explorer:
    return Explorer(indexed, ResultCache(tmp_path / "answers"))


def test_the_runs_own_parameters_are_answered_from_the_run(explorer: Explorer) -> None:
    view = explorer.neuron("early", 0)
    assert (view.options.k, view.options.gamma, view.options.reuse) == (K, 1.0, True)
    assert view.provenance.source == "precomputed"
    assert view.provenance.when == explorer.run.manifest.created
    assert "tiny encoder" in view.provenance.by
    assert list(view.labels) == list(LABELERS)
    assert view.labels["csp"][0].rank == 1
    assert view.margins["csp"] == view.labels["csp"][0].score - view.labels["csp"][1].score


def test_other_options_are_computed_once_then_cached(explorer: Explorer) -> None:
    options = explorer.options(k=3, gamma=0.25, reuse=False)
    first, again = explorer.neuron("early", 0, options), explorer.neuron("early", 0, options)
    assert (first.provenance.source, again.provenance.source) == ("computed", "cached")
    assert first.provenance.when == again.provenance.when
    assert (first.pairs, first.labels) == (again.pairs, again.labels)
    assert open_explorer("tiny").neuron("early", 0, options).provenance.source == "cached"


def test_options_give_what_the_method_gives(explorer: Explorer) -> None:
    view = explorer.neuron("late", 1, explorer.options(k=4, gamma=0.5))
    assert list(view.labels) == list(LABELERS)
    ranks = [one.by[FIRST].rank for one in view.scores]
    assert ranks == sorted(ranks), "what went through the cache is in the same order"
    activations = explorer.run.activations("late", 1)
    expected = select_examples(activations, explorer.run.embeddings, 4)
    assert [pair.activating.image for pair in view.pairs] == expected.activating.tolist()
    assert [
        pair.contrastive.image for pair in view.pairs if pair.contrastive
    ] == expected.contrastive.tolist()
    scores = LABELERS["csp"](Evidence(activations, explorer.run.embeddings, expected), text_embeddings(), 0.5)
    assert view.labels["csp"][0].score == pytest.approx(scores.max(), abs=1e-6)
    assert sorted(one.by["csp"].rank for one in view.scores)[:10] == list(range(1, 11))
    assert all(one.by.keys() == LABELERS.keys() for one in view.scores)


def test_a_change_of_one_option_gives_what_a_fresh_start_gives(explorer: Explorer, tmp_path: Path) -> None:
    """Scores in which gamma plays no part are kept for the next gamma, and for nothing else."""
    asked = [
        explorer.options(gamma=0.5),
        explorer.options(gamma=0.25),
        explorer.options(gamma=0.25, k=3),
        explorer.options(gamma=0.5, reuse=False),
    ]
    for place, options in enumerate(asked):
        fresh = Explorer(explorer.run, ResultCache(tmp_path / str(place)))
        found, expected = (one.neuron("late", 1, options) for one in (explorer, fresh))
        assert (found.pairs, found.labels) == (expected.pairs, expected.labels)


def test_what_all_neurons_share_survives_a_restart(explorer: Explorer) -> None:
    first = explorer.evidence("late", 1, explorer.options())
    assert explorer.evidence("late", 1, labelers=("csp", "falcon")).layer_prior is None, "not needed"
    assert explorer.evidence("late", 1, labelers=("csp", "falcon")).text_prior is None, "not needed"
    again = open_explorer("tiny").evidence("late", 1, explorer.options())
    assert first.text_prior is not None and again.text_prior is not None
    assert again.text_prior.tolist() == first.text_prior.tolist()
    assert explorer.cache.results.bytes_used() > 0


def test_pairs_say_what_is_known_of_their_images(explorer: Explorer) -> None:
    pairs = explorer.neuron("early", 0).pairs
    first = pairs[0].activating
    row = explorer.run.images.iloc[first.image]
    assert (first.path, first.label, first.prediction) == (row["path"], row["label"], row["prediction"])
    assert first.attributes == tuple(name for name in ("ruler", "hairs") if row[name])
    twins = [pair.contrastive.image for pair in pairs if pair.contrastive]
    assert [pair.uses for pair in pairs] == [twins.count(twin) for twin in twins]


def test_odd_neurons_have_a_sentence(explorer: Explorer) -> None:
    never = explorer.neuron("early", 2)
    assert NeuronState.NEVER_FIRES in never.states
    assert sentence(NeuronState.NEVER_FIRES, 0) in never.sentences
    assert explorer.neuron("early", 3).pairs[0].contrastive is None
    broken = explorer.neuron("early", 5, explorer.options(k=40))
    assert np.isfinite([broken.mean, broken.maximum]).all()


def test_a_neuron_that_never_fires_gets_no_label(explorer: Explorer) -> None:
    assert explorer.neuron("early", 2, explorer.options(gamma=0.5)).labels == {}
    assert score_text(explorer, "early", 2, "mole").scores == {}


def test_the_histogram_counts_every_finite_activation(explorer: Explorer) -> None:
    view = explorer.neuron("early", 5)
    assert view.histogram.counts.sum() == np.isfinite(explorer.run.activations("early", 5)).sum()
    assert len(view.histogram.edges) == len(view.histogram.counts) + 1


def test_the_table_lists_every_neuron(explorer: Explorer) -> None:
    table = explorer.neurons("early")
    assert table.frame["neuron"].tolist() == list(range(6))
    view = explorer.neuron("early", 1)
    row = table.frame.iloc[1]
    first = view.labels[FIRST][0]
    assert (row["label"], row["score"]) == (first.label, first.score)
    assert row["margin"] == pytest.approx(view.margins[FIRST])
    assert row["top_images"].tolist() == [pair.activating.image for pair in view.pairs]
    assert table.provenance.source == "precomputed"


def test_what_does_not_exist_is_said(explorer: Explorer) -> None:
    with pytest.raises(NotFoundError, match="early, late"):
        explorer.neuron("middle", 0)
    with pytest.raises(NotFoundError, match="has no neuron 6"):
        explorer.neuron("early", 6)
    with pytest.raises(NotFoundError, match="tiny"):
        open_explorer("other")
    with pytest.raises(BadInputError, match="gamma"):
        explorer.neuron("early", 0, explorer.options(gamma=1.5))
    with pytest.raises(BadInputError, match="at least 1"):
        explorer.neuron("early", 0, explorer.options(k=0))


def test_a_vocabulary_text_needs_no_model(explorer: Explorer) -> None:
    score = score_text(explorer, "early", 0, "  A Ruler ")
    view = explorer.neuron("early", 0)
    assert score.in_vocabulary
    assert score.out_of == 12
    for name, row in score.scores.items():
        assert (row.score, row.rank) == pytest.approx(tuple(view_row(view.labels[name], "a ruler")), abs=1e-6)
    assert score_text(explorer, "early", 0, "A Ruler").provenance.source == "cached"


def view_row(rows: tuple, text: str) -> tuple[float, int]:
    return next((row.score, row.rank) for row in rows if row.label == text)


def test_any_other_text_is_embedded_with_the_runs_encoder(indexed_explorer: Explorer) -> None:
    layer, neuron = indexed_explorer.run.layers[0], fires(indexed_explorer.run)
    score = score_text(indexed_explorer, layer, neuron, "an image of a mole")
    assert not score.in_vocabulary
    assert score.out_of == 6
    assert set(score.scores) == set(LABELERS)
    assert all(1 <= row.rank <= 6 for row in score.scores.values())
    assert all(-1 <= row.score <= 1 for name, row in score.scores.items() if name != "consensus")
    assert score_text(indexed_explorer, layer, neuron, "an image of a mole").provenance.source == "cached"


def test_a_typed_text_scores_as_the_vocabulary_would_score_it(
    indexed_explorer: Explorer, unlabelled: Run, tmp_path: Path
) -> None:
    layer, neuron = unlabelled.layers[0], fires(unlabelled)
    stored = score_text(indexed_explorer, layer, neuron, "mole")
    typed = score_text(Explorer(unlabelled, ResultCache(tmp_path / "others")), layer, neuron, "mole")
    assert (stored.in_vocabulary, typed.in_vocabulary) == (True, False)
    assert typed.scores["csp"].score == pytest.approx(stored.scores["csp"].score, abs=1e-5)
    assert set(typed.scores) == {"csp", "semanticlens", "correlation"}, "the others can't score a text alone"


def fires(run: Run) -> int:
    """A neuron that fires."""
    return int(run.layer_activations(run.layers[0]).max(axis=0).argmax())


def test_without_the_encoder_only_the_vocabulary_can_be_scored(explorer: Explorer) -> None:
    with pytest.raises(UnavailableError, match=r"only texts of the vocabulary.*tiny encoder"):
        score_text(explorer, "early", 0, "something else")
    with pytest.raises(BadInputError, match="nothing to read in the text"):
        score_text(explorer, "early", 0, "  ")


def test_changed_weights_of_the_encoder_are_refused(indexed: Run, tmp_path: Path) -> None:
    source = indexed.manifest.encoder.model_copy(update={"hash": "0" * 64})
    run = Run(indexed.path, indexed.manifest.model_copy(update={"encoder": source}))
    keep_trust(run.manifest, "trusted", run.name, "Ann")
    with pytest.raises(UnavailableError, match="other weights"):
        score_text(Explorer(run, ResultCache(tmp_path / "answers")), run.layers[0], fires(run), "snow")


def test_the_range_of_good_scores(explorer: Explorer) -> None:
    scores = explorer.run.labels("early").query(f"labeler == '{FIRST}' and rank == 1")["score"]
    found = explorer.stored_labels.score_range("early")
    assert found is not None
    assert scores.min() <= found.low <= found.median <= found.high <= scores.max()
    assert found.neurons == len(scores)


def test_another_contrast_rule_is_answered_and_kept_apart(explorer: Explorer) -> None:
    rule = ContrastRule(quantile=0.2, neighbours=3)
    view = explorer.neuron("late", 1, explorer.options(contrast="quantile:0.2, neighbours:3"))
    assert (view.options.contrast, view.provenance.source) == (rule, "computed")
    activations = explorer.run.activations("late", 1)
    expected = select_examples(activations, explorer.run.embeddings, K, rule=rule)
    twins = [pair.contrastive.image for pair in view.pairs if pair.contrastive]
    assert twins == expected.contrastive.tolist()
    scores = LABELERS["csp"](Evidence(activations, explorer.run.embeddings, expected), text_embeddings(), 1.0)
    assert view.labels["csp"][0].score == pytest.approx(scores.max(), abs=1e-6)
    again = explorer.neuron("late", 1, explorer.options(contrast=str(rule)))
    assert (again.provenance.source, again.pairs, again.labels) == ("cached", view.pairs, view.labels)
    assert explorer.neuron("late", 1, explorer.options(contrast="mean")).provenance.source == "precomputed"
    with pytest.raises(BadInputError, match="can't be read"):
        explorer.neuron("late", 1, explorer.options(contrast="median"))


def test_pairs_that_are_not_alike_leave_every_labeler(explorer: Explorer) -> None:
    view = explorer.neuron("late", 1)
    least = sorted(pair.similarity for pair in view.pairs if pair.similarity is not None)[2]
    kept = explorer.neuron("late", 1, explorer.options(contrast=f"least:{least - 1e-4:.4f}")).pairs
    assert [pair.activating.image for pair in kept] == [
        pair.activating.image for pair in view.pairs if pair.similarity is None or pair.similarity >= least
    ]
    none_left = explorer.neuron("late", 1, explorer.options(contrast="least:1"))
    assert none_left.labels == {}, "no pair is left, so no label"
