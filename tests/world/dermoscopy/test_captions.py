"""Captions say what is true of their case, in many ways; the vocabulary names every attribute."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.world.dermoscopy.attributes import ATTRIBUTES, DIAGNOSES, Case, sample_case
from csp.world.dermoscopy.captions import caption
from csp.world.dermoscopy.terms import DIAGNOSIS_NAMES, WORDINGS, bare, names, vocabulary

NEGATIONS = re.compile(r"\b(no|without|cannot)\b")


def normalised(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def captions(case: Case, count: int) -> list[str]:
    rng = np.random.default_rng(case.seed)
    return [caption(case, rng) for _ in range(count)]


@given(st.integers(0, 10_000))
def test_caption_names_only_what_the_case_shows(seed: int) -> None:
    case = sample_case(seed)
    flags = case.flags()
    absent = [bare(noun) for name, wording in WORDINGS.items() if not flags[name] for noun in wording.nouns]
    wrong = [bare(noun) for name in DIAGNOSES if name != case.diagnosis for noun in DIAGNOSIS_NAMES[name]]
    shown = [bare(noun) for name, wording in WORDINGS.items() if flags[name] for noun in wording.nouns]
    for text in captions(case, 20):
        if NEGATIONS.search(text):
            continue
        said = text.lower()
        for phrase in sorted((*shown, *DIAGNOSIS_NAMES[case.diagnosis]), key=len, reverse=True):
            said = said.replace(bare(phrase).lower(), "")  # "brown dots" may hold a phrase that is not shown
        assert [phrase for phrase in (*absent, *wrong) if re.search(rf"\b{phrase.lower()}\b", said)] == []


@given(st.integers(0, 10_000))
def test_caption_is_one_line_of_words(seed: int) -> None:
    for text in captions(sample_case(seed), 20):
        assert text == text.strip()
        assert "{" not in text
        assert not re.search(r"  |,,|\ba [aeio]| \.|\.\.|\n", text), text


def test_captions_of_one_case_vary() -> None:
    texts = captions(sample_case(3), 200)
    assert len(set(texts)) > 180
    assert min(map(len, texts)) < 20 < 120 < max(map(len, texts))


def test_same_generator_state_gives_same_caption() -> None:
    case = sample_case(4)
    assert caption(case, np.random.default_rng(1)) == caption(case, np.random.default_rng(1))


def test_every_attribute_is_spoken_of() -> None:
    said = " | ".join(text for seed in range(300) for text in captions(sample_case(seed), 10)).lower()
    missing = [
        noun for wording in WORDINGS.values() for noun in wording.nouns if bare(noun).lower() not in said
    ]
    assert missing == []


def test_case_without_attributes_is_called_by_a_general_name() -> None:
    bland = Case(seed=0, diagnosis="nevus", colours=frozenset())
    assert not any(bland.flags().values())
    assert all(captions(bland, 20))


@pytest.mark.parametrize("tone", [1, 6])
def test_skin_tone_is_said_as_drawn(tone: int) -> None:
    texts = " ".join(captions(replace(sample_case(1), skin_tone=tone), 400))
    dark = any(bare(noun) in texts for noun in WORDINGS["dark_skin"].nouns)
    light = re.search(r"\b(fair|light|pale) skin\b", texts) is not None
    assert (dark, light) == (tone == 6, tone == 1)


def test_every_attribute_has_several_wordings() -> None:
    assert set(WORDINGS) == set(ATTRIBUTES)
    assert min(len(names(attribute)) for attribute in ATTRIBUTES) >= 3


def test_vocabulary_has_no_duplicates_and_only_known_attributes() -> None:
    terms = vocabulary()
    counts = Counter(normalised(term.text) for term in terms)
    assert [text for text, count in counts.items() if count > 1] == []
    assert {name for term in terms for name in term.attributes} == set(ATTRIBUTES)
    assert 250 <= len(terms) <= 400


def test_vocabulary_has_hard_choices() -> None:
    terms = vocabulary()
    assert sum(len(term.attributes) > 1 for term in terms) >= 5  # true where either attribute is
    assert sum(term.broad for term in terms) >= 30
    assert sum(not term.attributes and not term.broad for term in terms) >= 100  # true of nothing drawn
