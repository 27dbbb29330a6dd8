"""Captions of drawn cases in varied wording, to train and test the small CLIP on.

What is said is true of the case; what is left unsaid may be true too, as with captions in life.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from csp.world.dermoscopy.attributes import ARTEFACTS, Case
from csp.world.dermoscopy.term_lists import GENERAL, JUDGEMENTS
from csp.world.dermoscopy.terms import DIAGNOSIS_NAMES, WORDINGS, bare

TEMPLATES: tuple[str, ...] = (
    "a photo of {}",
    "an image of {}",
    "a picture of {}",
    "a close-up photo of {}",
    "a close-up of {}",
    "an image showing {}",
    "a photo showing {}",
    "a dermoscopy image of {}",
    "a dermoscopy image with {}",
    "a dermoscopic photograph showing {}",
    "a skin lesion with {}",
    "a mole with {}",
    "dermoscopy: {}",
)
SUBJECTS: tuple[str, ...] = (
    "a lesion",
    "a skin lesion",
    "a pigmented lesion",
    "a mole",
    "a spot on the skin",
    "a dermoscopy image",
    "a dermoscopic picture",
    "dermoscopy",
)
LINKS: tuple[str, ...] = ("with", "showing", "that shows")
ON_SKIN: tuple[str, ...] = ("on", "against", "surrounded by")
IN_PICTURE: tuple[str, ...] = (
    "The picture also contains {}.",
    "In the picture there are also signs of {}.",
    "Also in view: {}.",
    "The view is disturbed by {}.",
    "Artefacts: {}.",
)
ABSENCES: tuple[str, ...] = ("no {}", "without {}", "{} cannot be seen", "no sign of {}")
LIGHT_SKIN: tuple[str, ...] = ("fair skin", "light skin", "pale skin", "a light skin tone")
OPPOSITES: dict[str, tuple[str, ...]] = {
    "asymmetry": ("a symmetric shape", "symmetry", "two matching halves"),
    "irregular_border": ("a regular border", "a smooth even edge"),
    "hairs": ("hairless skin", "an unobstructed view"),
}


def caption(case: Case, rng: np.random.Generator) -> str:
    """One sentence or phrase about `case`; style, attributes named and words come from `rng`."""
    if not any(case.flags().values()):
        return _general(case, rng)
    style = STYLES[int(rng.choice(len(STYLES), p=STYLE_SHARES))]
    return style(case, rng)


def _term(case: Case, rng: np.random.Generator) -> str:
    """One to two attributes alone, as a vocabulary term: "blue-white veil with hairs"."""
    nouns = [bare(_noun(name, rng)) for name in _some(case, rng, most=2)]
    return _one(("{} with {}", "{} and {}"), rng).format(*nouns) if len(nouns) == 2 else nouns[0]


def _adjective(case: Case, rng: np.random.Generator) -> str:
    """A described lesion alone: "dark brown asymmetric lesion"."""
    described = _described(case, rng, most=2)
    return _one((bare(described), described, f"a photo of {described}", f"an image of {described}"), rng)


def _templated(case: Case, rng: np.random.Generator) -> str:
    """A CLIP template: "a photo of hairs", or without the article as templates over a vocabulary are."""
    nouns = [_noun(name, rng) for name in _some(case, rng, most=3)]
    if rng.random() < 0.5:
        nouns = [bare(noun) for noun in nouns]
    return _one(TEMPLATES, rng).format(_listed(nouns, rng))


def _sentence(case: Case, rng: np.random.Generator) -> str:
    """A whole description: lesion first, then its skin, then what disturbs the view."""
    chosen = _some(case, rng, least=2, most=5)
    findings = [name for name in chosen if name not in ARTEFACTS and name != "dark_skin"]
    artefacts = [name for name in chosen if name in ARTEFACTS]
    subject = _subject(case, rng)
    text = f"{subject} {_one(LINKS, rng)} {_listed(_nouns(findings, rng), rng)}" if findings else subject
    if "dark_skin" in chosen or rng.random() < 0.1:
        text += f" {_one(ON_SKIN, rng)} {_skin(case, rng)}"
    if artefacts:
        return f"{_capital(text)}. {_one(IN_PICTURE, rng).format(_listed(_nouns(artefacts, rng), rng))}"
    return _capital(text) + _one((".", ""), rng)


def _mixed(case: Case, rng: np.random.Generator) -> str:
    """One list of anything that applies, in any order: "A mole with ruler marks, streaks and dark skin"."""
    nouns = _nouns(_some(case, rng, least=2, most=4), rng)
    return _capital(f"{_subject(case, rng)} with {_listed(nouns, rng)}") + _one((".", ""), rng)


def _report(case: Case, rng: np.random.Generator) -> str:
    """A clinician's note: "Asymmetry, atypical network; hairs. Melanoma." """
    nouns = [bare(noun) for noun in _nouns(_some(case, rng, least=2, most=5), rng)]
    note = _capital(_one((", ", "; "), rng).join(nouns)) + "."
    return f"{note} {_capital(bare(_diagnosis(case, rng)))}." if rng.random() < 0.3 else note


def _negative(case: Case, rng: np.random.Generator) -> str:
    """What is not there: "A mole without ruler marks", "fair skin", "a regular border"."""
    absent = [name for name, on in case.flags().items() if not on]
    name = _one(absent, rng)
    opposite = OPPOSITES.get(name, LIGHT_SKIN if name == "dark_skin" and case.skin_tone <= 3 else ())
    if opposite and rng.random() < 0.7:
        return f"{_subject(case, rng)} with {_one(opposite, rng)}"
    return _capital(f"{_subject(case, rng)}, {_one(ABSENCES, rng).format(bare(_noun(name, rng)))}")


def _general(case: Case, rng: np.random.Generator) -> str:
    """Only what is true of any case, or its diagnosis: "a photo of a mole"."""
    judged = [text for text, diagnoses in JUDGEMENTS.items() if case.diagnosis in diagnoses]
    name = _one((*GENERAL, *judged, *DIAGNOSIS_NAMES[case.diagnosis]), rng)
    name = bare(name) if rng.random() < 0.4 else name
    return _one(TEMPLATES[:7], rng).format(name) if rng.random() < 0.5 else name


Style = Callable[[Case, np.random.Generator], str]
STYLES: tuple[Style, ...] = (_term, _adjective, _templated, _sentence, _mixed, _report, _negative, _general)
STYLE_SHARES: tuple[float, ...] = (0.16, 0.08, 0.20, 0.20, 0.14, 0.16, 0.02, 0.04)


def _some(case: Case, rng: np.random.Generator, most: int, least: int = 1) -> list[str]:
    """`least` to `most` of the case's attributes (as far as it has them), in random order."""
    present = [name for name, on in case.flags().items() if on]
    count = int(rng.integers(least, most + 1))
    return [str(name) for name in rng.permutation(present)[:count]]


def _described(case: Case, rng: np.random.Generator, most: int) -> str:
    able = [name for name, on in case.flags().items() if on and WORDINGS[name].adjectives]
    words = [
        _one(WORDINGS[name].adjectives, rng)
        for name in rng.permutation(able)[: int(rng.integers(1, most + 1))]
    ]
    return _with_article(f"{', '.join(words)} {_one(('lesion', 'lesion', 'mole', 'spot'), rng)}".strip())


def _subject(case: Case, rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.25:
        return _diagnosis(case, rng)
    return _described(case, rng, most=1) if kind < 0.4 else _one(SUBJECTS, rng)


def _diagnosis(case: Case, rng: np.random.Generator) -> str:
    return _one(DIAGNOSIS_NAMES[case.diagnosis], rng)


def _skin(case: Case, rng: np.random.Generator) -> str:
    if case.flags()["dark_skin"]:
        return _noun("dark_skin", rng)
    return _one(LIGHT_SKIN, rng) if case.skin_tone <= 3 else "olive skin"


def _nouns(attributes: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [_noun(name, rng) for name in attributes]


def _noun(attribute: str, rng: np.random.Generator) -> str:
    return _one(WORDINGS[attribute].nouns, rng)


def _listed(items: Sequence[str], rng: np.random.Generator) -> str:
    """ "a", "a and b", "a, b and c"; now and then commas only."""
    if len(items) == 1:
        return items[0]
    last = _one((" and ", " and ", " as well as "), rng)
    return ", ".join(items[:-1]) + last + items[-1]


def _with_article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _one(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
