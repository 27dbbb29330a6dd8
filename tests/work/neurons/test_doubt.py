"""Texts of like meaning are no rivals, and doubt puts first what most speaks against."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.labels.rows import LabelRow
from csp.work.labels.synonyms import SAME, Synonyms
from csp.work.labels.vocabulary import Vocabulary, run_vocabulary
from csp.work.metrics.ground_truth import ground_truth
from csp.work.neurons.doubt import doubtful, doubts, why, why_doubtful
from csp.work.neurons.rows import machine_rows


@pytest.fixture
def explorer(tiny_run: Run) -> Explorer:
    return Explorer(tiny_run, ResultCache(result_cache_folder()))


def likeness(run: Run) -> pd.DataFrame:
    """The cosines of all texts of the vocabulary."""
    assert run.text_embeddings is not None
    unit = run.text_embeddings / np.linalg.norm(run.text_embeddings, axis=1, keepdims=True)
    texts = run.vocabulary["text"].tolist()
    return pd.DataFrame(unit @ unit.T, texts, texts)


def test_the_rival_is_the_best_label_that_means_something_else() -> None:
    run = open_explorer("demo").run
    alike, meanings = likeness(run), Synonyms(run_vocabulary(run))
    first = "typical pigment network"
    ordered = alike[first].drop(first).sort_values(ascending=False)
    rows = [LabelRow(first, 0.9, 1)]
    rows += [LabelRow(str(text), 0.8 - 0.001 * place, place + 2) for place, text in enumerate(ordered.index)]
    synonyms = int((ordered >= SAME).sum())
    assert synonyms >= 3, "the demo's vocabulary names most things in several ways"
    rival = meanings.rival(rows)
    assert rival is not None
    assert rival.label == ordered.index[synonyms]
    assert rival.lead == pytest.approx(0.9 - rows[1 + synonyms].score)
    only = meanings.rival(rows[: 1 + synonyms])
    assert only is not None and only.label is None
    assert only.lead == pytest.approx(0.9 - rows[synonyms].score), "at least so much"
    assert meanings.rival(rows[:1]) is None


def test_texts_outside_the_vocabulary_only_mean_themselves(tiny_run: Run) -> None:
    meanings = Synonyms(run_vocabulary(tiny_run))
    known = tiny_run.vocabulary["text"].iloc[0]
    assert meanings.same("my own words", "my own words")
    assert not meanings.same("my own words", known)
    assert meanings.different([known, "my own words", known, "my own words"]) == 2
    assert meanings.different([]) == 0


def test_doubt_is_the_mean_rank_over_what_was_measured(explorer: Explorer) -> None:
    neurons = pd.RangeIndex(6)
    unmeasured = pd.DataFrame({"cosy_auc": np.nan, "scs": np.nan}, neurons)
    stability = pd.Series(np.nan, neurons)
    alone = doubts(explorer, "late", stability, unmeasured)
    assert alone["doubt"].notna().any() and alone["doubt"].isna().equals(alone["lead"].isna())
    assert alone["doubt"].rank().equals(alone["lead"].rank(ascending=False)), "the lead is all there is"
    best = alone["lead"].tolist().index(alone["lead"].max())
    faithful = pd.Series(np.where(neurons == best, 0.1, 0.9), neurons)
    both = doubts(explorer, "late", stability, unmeasured.assign(scs=faithful))
    assert both["doubt"][best] == pytest.approx((alone["doubt"].min() + 1) / 2)
    assert "little" in both["doubts"][best] and "close" not in both["doubts"][best]


def test_every_reason_is_said_in_words(explorer: Explorer) -> None:
    rows = machine_rows(explorer, "late").frame
    row = {**rows.iloc[0].to_dict(), "doubts": ["close", "little", "methods", "unstable"], "rival": "a ruler"}
    said = why({**row, "lead": 0.0123, "meanings": 3, "stability": 0.4})
    assert said == (
        "“a ruler” fits almost as well (the label is 0.012 ahead)",
        "the label explains little of when the neuron fires",
        "the methods name 3 different things",
        "the label stays the best in only 40 % of draws",
    )
    assert why({**row, "doubts": [], "rival": None}) == ()


def test_on_the_demo_the_doubtful_labels_are_the_wrong_ones() -> None:
    """What the rule is for: where the truth is known, it finds the labels that miss it."""
    explorer = open_explorer("demo")
    frame = machine_rows(explorer, "layer4").frame.set_index("neuron")
    first = explorer.stored_labels.first_labeler("layer4")
    judged = ground_truth(explorer, [first])["judged"]
    right = {
        one["neuron"]
        for one in judged
        if one["layer"] == "layer4" and one["labels"][first]["verdict"] == "true"
    }
    wrong = pd.Series([neuron not in right for neuron in frame.index], frame.index)
    flagged = frame["doubtful"].astype(bool)
    assert flagged.any()
    assert wrong[flagged].mean() > wrong[~flagged].mean() + 0.2


def test_doubtful_is_what_is_less_likely_than_asked_and_without_chances_what_is_noise() -> None:
    rows = pd.DataFrame(
        {
            "machine_label": ["a", "b", "c", None, "e", "f"],
            "chance": [0.9, 0.4, 0.6, np.nan, np.nan, np.nan],
            "above_noise": [False, True, True, True, True, False],
            **dict.fromkeys(("lead", "meanings", "stability"), 0.0),
        }
    )
    assert doubtful(rows).tolist() == [False, True, False, False, False, True]
    assert doubtful(rows, 0.7).tolist() == [False, True, True, False, False, True]
    assert why_doubtful({**rows.iloc[1].to_dict(), "doubts": [], "rival": None})[0] == "unsure: 4 in 10"
    assert why_doubtful({**rows.iloc[5].to_dict(), "doubts": [], "rival": None}) == (
        "it fits no better than noise",
    )


@given(some.lists(some.lists(some.integers(0, 6), max_size=5, unique=True), min_size=1, max_size=6))
def test_many_neurons_at_once_are_told_apart_as_one_by_one(neurons: list[list[int]]) -> None:
    texts = [f"text {number}" for number in range(7)]
    angles = np.array([0.0, 0.2, 0.4, 1.5, 1.6, 3.0, 0.0])  # texts of near angles mean the same
    plane = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    synonyms = Synonyms(Vocabulary(tuple(texts[:6]), plane[:6]))  # the last text is outside the vocabulary
    codes = np.array([one + [-1] * (5 - len(one)) for one in neurons])
    scores = np.where(codes >= 0, 0.9 - 0.1 * np.arange(5), np.nan)
    meanings = synonyms.meanings(texts)
    rivals, leads = meanings.rivals(codes, scores)
    for one, rival, lead, things in zip(neurons, rivals, leads, meanings.different(codes), strict=True):
        rows = [LabelRow(texts[code], 0.9 - 0.1 * place, place + 1) for place, code in enumerate(one)]
        alone = synonyms.rival(rows)
        assert (None if alone is None or rival < 0 else texts[rival]) == (alone and alone.label)
        assert np.isnan(lead) if alone is None else lead == pytest.approx(alone.lead)
        assert things == synonyms.different(texts[code] for code in one)
