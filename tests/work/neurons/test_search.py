"""Neurons by words, by a picture, by an example neuron."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.method.labelers.projection import concept_vector
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.search import (
    Query,
    layer_vectors,
    parse_query,
    read_as,
    search_like,
    search_picture,
    search_probe_image,
    search_words,
)
from csp.work.neurons.search_reviewed import OTHERWISE, search_reviewed
from csp.work.reviews.desk import Person, ReviewDesk
from tests.build import draw


@pytest.fixture
def explorer(tiny_run: Run, tmp_path: Path) -> Explorer:
    return Explorer(tiny_run, ResultCache(tmp_path / "answers"))


@pytest.fixture
def real(indexed: Run, tmp_path: Path) -> Explorer:
    """A run whose models can be opened."""
    return Explorer(indexed, ResultCache(tmp_path / "answers"))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("blue-white veil", Query(("blue-white veil",))),
        ("blue\0white\nveil", Query(("blue white veil",))),
        (" ruler ,, -hair, −ink,ruler ", Query(("ruler",), ("hair", "ink"))),
    ],
)
def test_a_query_is_texts_between_commas(text: str, query: Query) -> None:
    assert parse_query(text) == query
    assert parse_query(str(query)) == query


def test_minus_terms_may_come_apart() -> None:
    assert parse_query("ruler", ["hair"]) == Query(("ruler",), ("hair",))


@pytest.mark.parametrize(
    "text", ["", " , ", "-hair", ",".join("abcdefghi"), "x" * 301, "\0", "ruler,\u200b\t"]
)
def test_what_can_not_be_searched_for(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_query(text)


def test_a_term_of_the_vocabulary_finds_neurons_by_their_csp_score(explorer: Explorer) -> None:
    run = explorer.run
    found = search_words(explorer, ["late"], parse_query("Ruler Marks"))
    assert found[0].neuron == 0
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    examples, texts = run.examples("late", 0), run.text_embeddings
    assert examples is not None
    assert texts is not None
    vector = concept_vector(examples, run.embeddings, run.manifest.parameters.gamma)
    assert found[0].score == pytest.approx(float(vector @ texts[0]), abs=1e-6)
    assert f"Ruler Marks {found[0].score:.2f}" in found[0].reason
    assert {one.neuron for one in found} == set(np.flatnonzero(layer_vectors(run, "late").any(axis=1)))


def test_a_minus_term_turns_neurons_away(explorer: Explorer) -> None:
    def score(query: str) -> float:
        found = search_words(explorer, ["late"], parse_query(query))
        return next(one.score for one in found if one.neuron == 0)

    assert score("hairs beside a ruler, -ruler marks") < score("hairs beside a ruler")
    found = search_words(explorer, ["early", "late"], parse_query("ruler marks, -hairs"), most=3)
    assert len(found) == 3
    assert "against hairs" in found[0].reason


def test_words_outside_the_vocabulary_need_the_encoder(explorer: Explorer, real: Explorer) -> None:
    with pytest.raises(
        UnavailableError, match=r"'long ruler' is not in the vocabulary.*it has|the vocabulary has"
    ):
        search_words(explorer, ["late"], parse_query("long ruler"))
    found = search_words(real, real.run.layers, parse_query("a white mole"))
    assert len(found) == 24


def test_words_that_the_vocabulary_lacks_are_told_with_the_term_nearest_to_them(real: Explorer) -> None:
    known = real.run.vocabulary["text"].iloc[0]
    ((text, term),) = read_as(real, ["a violin", known])
    assert text == "a violin"
    assert term in set(real.run.vocabulary["text"])


@pytest.mark.parametrize(
    ("typed", "term"),
    [("ruler mark", "ruler marks"), ("blue white veil", "blue-white veil"), ("no hair", "no hairs")],
)
def test_a_term_but_for_hyphens_or_plurals_needs_no_encoder(
    explorer: Explorer, typed: str, term: str
) -> None:
    found = search_reviewed(explorer, ["late"], parse_query(typed), {})
    assert found == search_reviewed(explorer, ["late"], parse_query(term), {})
    assert not found.read_as


def test_people_words_are_found_as_they_were_typed(explorer: Explorer) -> None:
    states = judged(explorer.run, 0, "one hair")
    found = search_reviewed(explorer, ["late"], parse_query("hair"), states).matches
    assert (found[0].neuron, found[0].reason[:16]) == (0, "a person's label")


def test_neurons_like_another(explorer: Explorer) -> None:
    found = search_like(explorer, ["early", "late"], "late", 0)
    assert ("late", 0) not in {(one.layer, one.neuron) for one in found}
    vectors = layer_vectors(explorer.run, "early")
    best = found[0]
    assert best.layer == "early"
    assert best.score == pytest.approx(
        float(vectors[best.neuron] @ layer_vectors(explorer.run, "late")[0]), abs=1e-6
    )
    with pytest.raises(BadInputError, match="never fires"):
        search_like(explorer, ["late"], "late", 2)
    with pytest.raises(NotFoundError, match="no neuron 99"):
        search_like(explorer, ["late"], "late", 99)


def test_a_probe_image_finds_what_it_shows_without_a_model(explorer: Explorer) -> None:
    with_ruler = 1
    found = search_probe_image(explorer, ["late"], with_ruler)
    values = explorer.run.activations("late", found[0].neuron)
    share = np.mean(values < values[with_ruler])
    assert f"{int(100 * share)} %" in found[0].reason or share == 1
    assert "what it looks for" in found[0].more
    with pytest.raises(NotFoundError, match="no image 400"):
        search_probe_image(explorer, ["late"], 400)


def test_an_upload_is_told_as_the_same_probe_image(real: Explorer) -> None:
    layers = real.run.layers
    row = int(np.flatnonzero(real.run.images["path"] == "images/07.png")[0])
    stored, uploaded = search_probe_image(real, layers, row), search_picture(real, layers, draw(7))
    assert [(one.layer, one.neuron) for one in stored[:5]] == [
        (one.layer, one.neuron) for one in uploaded[:5]
    ]
    assert stored[0].reason == uploaded[0].reason


def judged(run: Run, neuron: int, label: str) -> dict[tuple[str, int], NeuronReview]:
    """Where the neurons stand once Ann gave one of layer `late` another label."""
    with open_reviews() as reviews:
        desk = ReviewDesk(run, reviews)
        said = Entry(layer="late", neuron=neuron, verdict=Action.OVERRIDE, label=label)
        desk.record(Person(name="Ann"), said)
        return dict(desk.states())


def test_neurons_that_are_labelled_so_come_before_those_with_another_label(explorer: Explorer) -> None:
    query = parse_query("ruler marks, hairs")
    best, other = search_reviewed(explorer, ["late"], query, {}).matches
    assert OTHERWISE not in f"{best.reason} {other.reason}"
    states = judged(explorer.run, best.neuron, "bicycle")
    found = search_reviewed(explorer, ["late"], query, states).matches
    assert found == (other, replace(best, reason=f"{best.reason}; {OTHERWISE}"))


def test_people_words_come_first_and_keep_their_score(explorer: Explorer) -> None:
    query, plain = parse_query("ruler marks"), search_words(explorer, ["late"], parse_query("ruler marks"))
    claimed = search_reviewed(explorer, ["late"], query, {}).matches
    assert claimed == tuple(one for one in plain if one in claimed)
    last = plain[-1]
    states = judged(explorer.run, last.neuron, "Ruler  MARKS at the edge")
    first, *rest = search_reviewed(explorer, ["late"], query, states).matches
    assert (first.neuron, first.score) == (last.neuron, last.score)
    assert first.reason == f"a person's label; {last.reason}"
    assert rest == [one for one in claimed if one.neuron != last.neuron]
    assert search_reviewed(explorer, ["early"], query, states) == search_reviewed(
        explorer, ["early"], query, {}
    )
    states = judged(explorer.run, 2, "ruler marks")  # it never fires
    found = search_reviewed(explorer, ["late"], query, states).matches
    unscored = next(one for one in found if one.neuron == 2)
    assert np.isnan(unscored.score)
