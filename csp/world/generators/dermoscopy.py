"""Draws what a label names in the demo world: a random case, with the label's attributes switched on."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from csp.errors import BadInputError
from csp.world.dermoscopy.attributes import ATTRIBUTES, DIAGNOSES, sample_case, with_attribute
from csp.world.dermoscopy.render import render
from csp.world.dermoscopy.term_lists import EITHER
from csp.world.dermoscopy.terms import DIAGNOSIS_NAMES, bare, vocabulary
from csp.world.protocols.generator import CannotDrawError, SwitchedCase

NAME = "drawn"
SIZE = 256
"""Side of a picture in pixels, as the demo's probe images."""
FIRST_SEED = 3_000_000
"""No training, validation, probe or test image has a seed from here on."""


@dataclass(frozen=True)
class DrawnDermoscopy:
    """The demo world's renderer as an image generator."""

    spec: str = f"dermoscopy:{NAME}"
    name: str = "drawn dermoscopy"

    @property
    def weights_hash(self) -> str:
        """SHA-256 over the pixels of a few drawn cases: changes with the pictures, not with the code."""
        return _hash()

    def generate(self, text: str, count: int, seed: int) -> Sequence[Image.Image]:
        """Cases with all attributes that the text names; of an either-or term, one of them each time."""
        ways = attributes_in(text)
        diagnosis = None if ways else diagnosis_in(text)
        if not ways and diagnosis is None:
            raise CannotDrawError(f"the drawn dermoscopy world has no picture of {text!r}")
        first = FIRST_SEED + int.from_bytes(hashlib.sha256(f"{seed} {text}".encode()).digest()[:4], "big")
        return [_draw(first + place, ways, diagnosis) for place in range(count)]

    @property
    def attributes(self) -> tuple[str, ...]:
        """All of the drawn world."""
        return ATTRIBUTES

    def switched(self, number: int, attributes: Sequence[str]) -> SwitchedCase:
        """A random case; a network switches its opposite off, and a colour the structures that show it."""
        case = sample_case(FIRST_SEED + number)
        shows = {name: case.flags()[name] for name in attributes}
        other = {name: render(with_attribute(case, name, not on), SIZE) for name, on in shows.items()}
        return SwitchedCase(render(case, SIZE), shows, other)


def open_generator(name: str) -> DrawnDermoscopy:
    """Open the renderer; there is only `drawn`."""
    if name != NAME:
        raise BadInputError(f"The image generator 'dermoscopy:{name}' is not dermoscopy:{NAME}.")
    return DrawnDermoscopy()


def attributes_in(text: str) -> list[tuple[str, ...]]:
    """What a text names, one entry a term: the attributes of which one at least must show.

    Terms are those of the vocabulary; the longest are found first, and no word counts twice.
    """
    found, rest = [], text.casefold()
    for term, attributes in _terms():
        pattern = rf"(?<!\w){re.escape(term)}(?!\w)"
        if re.search(pattern, rest):
            rest = re.sub(pattern, " ", rest)
            found.append(attributes)
    return found


def diagnosis_in(text: str) -> str | None:
    """The diagnosis that a text is a name of."""
    names = {
        bare(name).casefold(): diagnosis for diagnosis, names in DIAGNOSIS_NAMES.items() for name in names
    }
    return names.get(text.casefold(), text if text in DIAGNOSES else None)


def _draw(seed: int, ways: Sequence[tuple[str, ...]], diagnosis: str | None) -> Image.Image:
    rng, case = np.random.default_rng(seed), sample_case(seed, diagnosis)
    for attributes in ways:
        if not any(case.flags()[name] for name in attributes):
            case = with_attribute(case, attributes[int(rng.integers(len(attributes)))], True)
    return render(case, SIZE)


@cache
def _terms() -> tuple[tuple[str, tuple[str, ...]], ...]:
    known = {term.text.casefold(): term.attributes for term in vocabulary() if term.attributes}
    known |= {text.casefold(): attributes for text, attributes in EITHER.items()}
    return tuple(sorted(known.items(), key=lambda item: -len(item[0])))


@cache
def _hash() -> str:
    digest = hashlib.sha256()
    for seed in range(FIRST_SEED, FIRST_SEED + 8):
        digest.update(np.asarray(render(sample_case(seed), 64)).tobytes())
    return digest.hexdigest()
