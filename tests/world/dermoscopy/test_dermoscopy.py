"""The drawn dermoscopy world: deterministic, separable, with the rates and associations that it documents."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from csp.world.dermoscopy import (
    ARTEFACTS,
    ATTRIBUTES,
    DIAGNOSES,
    PLANTED,
    SHAPE,
    STRUCTURES,
    Case,
    render,
    sample_case,
    with_attribute,
)
from csp.world.dermoscopy.shape import lesion_shape

N_SAMPLED = 4000
DOCS = Path(__file__).parents[3] / "docs" / "demo-world.md"


@cache
def sampled() -> list[Case]:
    return [sample_case(seed) for seed in range(N_SAMPLED)]


@cache
def flags_table() -> NDArray[np.bool_]:
    return np.array([list(case.flags().values()) for case in sampled()])


def has(diagnosis: str) -> NDArray[np.bool_]:
    return np.array([case.diagnosis == diagnosis for case in sampled()])


def rate(name: str, which: NDArray[np.bool_] | None = None) -> float:
    column = flags_table()[:, ATTRIBUTES.index(name)]
    return float(column.mean() if which is None else column[which].mean())


def odds_ratio(name: str, diagnosis: str) -> float:
    inside, outside = rate(name, has(diagnosis)), rate(name, ~has(diagnosis))
    return inside / (1 - inside) / (outside / (1 - outside))


def pixels(case: Case, size: int = 96) -> NDArray[np.float64]:
    return np.asarray(render(case, size), dtype=float)


def test_same_case_gives_the_same_bytes() -> None:
    case = sample_case(11)
    assert sample_case(11) == case
    assert render(case, 96).tobytes() == render(case, 96).tobytes()
    assert render(case, 96).tobytes() != render(sample_case(12), 96).tobytes()


@pytest.mark.parametrize("size", [16, 57, 128])
def test_the_picture_is_square_rgb_of_the_size_asked_for(size: int) -> None:
    picture = render(sample_case(3), size)
    assert (picture.mode, picture.size) == ("RGB", (size, size))


def test_the_same_case_looks_alike_at_two_sizes() -> None:
    small, large = render(sample_case(5), 128), render(sample_case(5), 256).resize((128, 128))
    a, b = np.asarray(small, dtype=float), np.asarray(large, dtype=float)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.97


def test_the_diagnosis_itself_is_not_painted() -> None:
    case = sample_case(21)
    pictures = {render(replace(case, diagnosis=diagnosis), 64).tobytes() for diagnosis in DIAGNOSES}
    assert len(pictures) == 1


@pytest.mark.parametrize("artefact", ARTEFACTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_an_artefact_shows_and_leaves_most_of_the_lesion(artefact: str, seed: int) -> None:
    plain = Case(seed=seed, diagnosis="nevus")
    changed = np.abs(pixels(with_attribute(plain, artefact, True)) - pixels(plain)).max(axis=2) > 12
    lesion = lesion_shape(plain, 96).body > 0.5
    assert changed.mean() > 0.008
    assert changed[lesion].mean() < 0.3


@pytest.mark.parametrize("attribute", sorted(set(ATTRIBUTES) - set(ARTEFACTS)))
def test_an_attribute_of_skin_or_lesion_shows(attribute: str) -> None:
    case = Case(seed=4, diagnosis="nevus")
    on, off = with_attribute(case, attribute, True), with_attribute(case, attribute, False)
    changed = np.abs(pixels(on) - pixels(off)).max(axis=2) > 12
    assert changed.mean() > 0.01


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_structure_leaves_the_skin_around_it_alone(structure: str) -> None:
    case = Case(seed=8, diagnosis="nevus")
    far = lesion_shape(case, 96).depth < -0.6
    change = np.abs(pixels(with_attribute(case, structure, True)) - pixels(case)).max(axis=2)
    assert far.any()
    assert change[far].max() <= 2


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_attribute_is_neither_rare_nor_usual(attribute: str) -> None:
    assert 0.06 < rate(attribute) < 0.56


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_artefacts_are_a_minority(artefact: str) -> None:
    assert 0.08 <= rate(artefact) <= 0.25


@pytest.mark.parametrize("diagnosis", DIAGNOSES)
def test_every_attribute_occurs_with_every_diagnosis(diagnosis: str) -> None:
    for attribute in ATTRIBUTES:
        assert 0 < rate(attribute, has(diagnosis)) < 1, attribute


def test_planted_shortcuts_hold_and_the_rest_is_independent() -> None:
    assert PLANTED == {"ruler": "melanoma", "sticker": "nevus"}
    assert odds_ratio("ruler", "melanoma") > 2
    assert odds_ratio("sticker", "nevus") > 10
    for artefact in set(ARTEFACTS) - set(PLANTED) | {"dark_skin"}:
        assert 0.7 < odds_ratio(artefact, "melanoma") < 1.4, artefact


def test_the_documented_rates_are_those_of_the_sampler() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) %", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(rows) == set(ATTRIBUTES)
    for attribute, percent in rows.items():
        assert rate(attribute) == pytest.approx(int(percent) / 100, abs=0.015), attribute


@settings(max_examples=150)
@given(seed=st.integers(0, 10**6), attribute=st.sampled_from(ATTRIBUTES), on=st.booleans())
def test_switching_an_attribute_switches_its_flag(seed: int, attribute: str, on: bool) -> None:
    case = sample_case(seed)
    flags, before = with_attribute(case, attribute, on).flags(), case.flags()
    assert tuple(flags) == ATTRIBUTES
    assert flags[attribute] == on
    if attribute in SHAPE + ARTEFACTS:
        assert {name for name in ATTRIBUTES if flags[name] != before[name]} <= {attribute}


@given(seed=st.integers(0, 10**6))
@settings(max_examples=200)
def test_sampled_flags_agree_with_one_another(seed: int) -> None:
    flags = sample_case(seed).flags()
    assert not (flags["typical_network"] and flags["atypical_network"])
    if flags["blue_white_veil"] or flags["regression"]:
        assert flags["blue_grey"] and flags["white"]
    if flags["typical_network"] or flags["atypical_network"]:
        assert flags["light_brown"] or flags["dark_brown"]
    assert any(flags[name] for name in ("light_brown", "dark_brown", "black", "red", "blue_grey"))


def test_impossible_cases_are_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="diagnosis 'wart' is unknown"):
        Case(seed=0, diagnosis="wart")
    with pytest.raises(ValueError, match="diagnosis 'wart' is unknown"):
        sample_case(0, "wart")
    with pytest.raises(ValueError, match="skin_tone is 7"):
        Case(seed=0, diagnosis="nevus", skin_tone=7)
    with pytest.raises(ValueError, match="asymmetry is 3"):
        Case(seed=0, diagnosis="nevus", asymmetry=3)
    with pytest.raises(ValueError, match="colours unknown: pink"):
        Case(seed=0, diagnosis="nevus", colours=frozenset({"pink"}))
    with pytest.raises(ValueError, match="typical or atypical"):
        Case(seed=0, diagnosis="nevus", typical_network=True, atypical_network=True)
    with pytest.raises(ValueError, match="attribute 'halo' is unknown"):
        with_attribute(Case(seed=0, diagnosis="nevus"), "halo", True)
    with pytest.raises(ValueError, match="size is 8"):
        render(Case(seed=0, diagnosis="nevus"), 8)
