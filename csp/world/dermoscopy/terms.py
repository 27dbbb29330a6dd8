"""The words of the drawn dermoscopy world: how each attribute is named, and the vocabulary built from them.

The single source of `assets/vocabularies/dermoscopy.*` and of the training captions. A wording is
written as it stands in a sentence, with its article; the vocabulary holds it without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from csp.world.dermoscopy.term_lists import ABSENT, EITHER, GENERAL, JUDGEMENTS, KINDS


@dataclass(frozen=True)
class Wording:
    """The names of one attribute: nouns fit after "with", adjectives before "lesion"."""

    nouns: tuple[str, ...]
    adjectives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """One vocabulary entry: the attributes its text names, and whether it is too broad to explain any."""

    text: str
    attributes: tuple[str, ...] = ()
    broad: bool = False


WORDINGS: dict[str, Wording] = {
    "asymmetry": Wording(
        (
            "asymmetry",
            "an asymmetric shape",
            "an asymmetrical outline",
            "a lopsided shape",
            "two halves that do not match",
        ),
        ("asymmetric", "asymmetrical", "lopsided", "uneven"),
    ),
    "irregular_border": Wording(
        (
            "an irregular border",
            "a ragged border",
            "notched edges",
            "jagged edges",
            "a scalloped border",
            "an uneven edge",
        ),
        ("irregularly bordered", "ragged-edged"),
    ),
    "light_brown": Wording(
        (
            "light brown colour",
            "light brown pigment",
            "a light brown area",
            "tan colour",
            "pale brown pigmentation",
        ),
        ("light brown", "tan", "pale brown"),
    ),
    "dark_brown": Wording(
        ("dark brown colour", "dark brown pigment", "a dark brown area", "chocolate brown colour"),
        ("dark brown", "deep brown", "chocolate brown"),
    ),
    "black": Wording(
        ("black colour", "black pigment", "a black area", "a jet-black zone", "a black blotch"),
        ("black", "jet-black"),
    ),
    "red": Wording(
        ("red colour", "redness", "a red area", "a pinkish-red zone", "erythema"),
        ("red", "reddish"),
    ),
    "white": Wording(
        ("white colour", "a white area", "a whitish zone", "a pale depigmented area", "a white patch"),
        ("partly white", "whitish"),
    ),
    "blue_grey": Wording(
        (
            "blue-grey colour",
            "a blue-grey area",
            "a slate-coloured zone",
            "grey-blue pigment",
            "a bluish area",
        ),
        ("blue-grey", "bluish", "slate-coloured"),
    ),
    "typical_network": Wording(
        (
            "a typical pigment network",
            "a regular pigment network",
            "an even honeycomb network",
            "a fine regular mesh of brown lines",
            "a uniform reticular pattern",
            "a regular net-like pattern",
        ),
        ("evenly reticulated",),
    ),
    "atypical_network": Wording(
        (
            "an atypical pigment network",
            "an irregular pigment network",
            "a broken-up network with thick lines",
            "a coarse uneven mesh of dark lines",
            "a prominent irregular reticular pattern",
            "an irregular net-like pattern",
        ),
        ("unevenly reticulated",),
    ),
    "globules": Wording(
        (
            "dots and globules",
            "brown globules",
            "pigmented dots",
            "small round brown clods",
            "brown dots",
            "many small dark specks",
        ),
        ("globular", "speckled"),
    ),
    "streaks": Wording(
        (
            "streaks",
            "radial streaming",
            "pseudopods",
            "peripheral streaks",
            "dark finger-like projections at the edge",
            "radial lines at the margin",
        ),
        ("streaky",),
    ),
    "blue_white_veil": Wording(
        (
            "a blue-white veil",
            "a blue-whitish veil",
            "a milky blue haze",
            "a bluish-white film over the lesion",
            "an opaque blue structureless area with a white haze",
            "a foggy blue-white overlay",
        ),
        ("veiled",),
    ),
    "regression": Wording(
        (
            "regression structures",
            "regression",
            "scar-like depigmentation",
            "white scar-like areas with grey peppering",
            "blue-grey peppering",
            "signs of regression",
        ),
        ("regressing",),
    ),
    "milia_like_cysts": Wording(
        (
            "milia-like cysts",
            "milia-like white dots",
            "tiny bright white cysts",
            "multiple white cysts",
            "small shiny white spots",
            "a starry pattern of white dots",
        ),
    ),
    "arborising_vessels": Wording(
        (
            "arborising vessels",
            "branching blood vessels",
            "tree-like vessels",
            "telangiectasia",
            "bright red branching vessels",
            "branched red lines",
        ),
        ("richly vascular",),
    ),
    "hairs": Wording(
        (
            "hairs",
            "body hair",
            "dark hairs",
            "hairs crossing the lesion",
            "thin dark strands of hair",
            "hair over the skin",
        ),
        ("hairy", "hair-covered"),
    ),
    "ruler": Wording(
        (
            "ruler marks",
            "a ruler",
            "a measuring scale",
            "scale bar ticks",
            "millimetre tick marks",
            "measurement markings",
        ),
    ),
    "gel_bubbles": Wording(
        (
            "gel bubbles",
            "air bubbles",
            "bubbles in the immersion gel",
            "bubbles of immersion fluid",
            "round shiny bubbles",
            "trapped air bubbles",
        ),
    ),
    "ink": Wording(
        (
            "ink marks",
            "pen marks",
            "surgical marker ink",
            "a skin marker line",
            "felt-tip pen on the skin",
            "marker pen drawings on the skin",
        ),
        ("pen-marked",),
    ),
    "sticker": Wording(
        (
            "a coloured sticker",
            "a colour patch",
            "a coloured calibration sticker",
            "a colour reference sticker",
            "a bright coloured adhesive",
            "a coloured round sticker at the edge of the picture",
        ),
    ),
    "dark_corners": Wording(
        (
            "dark corners",
            "black corners",
            "vignetting",
            "a dark circular frame",
            "a black vignette",
            "a round field of view with black edges",
        ),
    ),
    "dark_skin": Wording(
        (
            "dark skin",
            "dark brown skin",
            "darkly pigmented skin",
            "deeply pigmented skin",
            "a dark skin tone",
            "skin of colour",
        ),
    ),
}

DIAGNOSIS_NAMES: dict[str, tuple[str, ...]] = {
    "melanoma": ("a melanoma", "a malignant melanoma", "a melanoma of the skin"),
    "nevus": ("a nevus", "a melanocytic nevus", "a benign mole", "a common nevus"),
    "benign keratosis": ("a benign keratosis", "a seborrhoeic keratosis", "a keratosis"),
    "basal cell carcinoma": ("a basal cell carcinoma", "a BCC", "a basalioma"),
}


def bare(phrase: str) -> str:
    """The phrase without its leading article: "a blue-white veil" becomes "blue-white veil"."""
    return phrase.removeprefix("an ").removeprefix("a ")


def names(attribute: str) -> tuple[str, ...]:
    """Every vocabulary wording of one attribute, nouns first, without articles."""
    wording = WORDINGS[attribute]
    return (*map(bare, wording.nouns), *(f"{adjective} lesion" for adjective in wording.adjectives))


def vocabulary() -> tuple[Term, ...]:
    """The whole dermoscopy vocabulary: attributes, either-or names, broad and absent terms."""
    return tuple(_terms())


def _terms() -> Iterator[Term]:
    for attribute in WORDINGS:
        yield from (Term(text, (attribute,)) for text in names(attribute))
    for text, attributes in EITHER.items():
        yield Term(text, attributes)
    for diagnosis in DIAGNOSIS_NAMES.values():
        yield from (Term(bare(text), broad=True) for text in diagnosis)
    yield from (Term(bare(text), broad=True) for text in (*GENERAL, *JUDGEMENTS, *KINDS))
    yield from (Term(text) for text in ABSENT)


def vocabulary_text() -> str:
    """`dermoscopy.txt`: one term a line."""
    return "".join(f"{term.text}\n" for term in vocabulary())


def vocabulary_csv() -> str:
    """`dermoscopy.terms.csv`: text, attributes joined by `;`, broad as 0 or 1."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("text", "attributes", "broad"))
    writer.writerows((term.text, ";".join(term.attributes), int(term.broad)) for term in vocabulary())
    return out.getvalue()
