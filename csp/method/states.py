"""Odd neurons, as states with names: each has a defined result and a sentence for the screen."""

from enum import StrEnum

import numpy as np
from jaxtyping import Float

from csp.method.checks import check_examples

ALWAYS_ON_SHARE = 0.8
"""A neuron that fires (activation above 0) on at least this share of the images is always on."""

ROUNDING = 1e-6
"""Activations that differ by no more than this share of the largest are the same but for rounding."""


class NeuronState(StrEnum):
    """What is odd about a neuron on this probe dataset; most serious first."""

    NON_FINITE = "non-finite"
    NEVER_FIRES = "never-fires"
    CONSTANT = "constant"
    NO_CONTRAST = "no-contrast"
    FEW_IMAGES = "few-images"
    RARE = "rare"
    ALWAYS_ON = "always-on"
    NEGATIVE = "negative"
    NORMAL = "normal"


_SENTENCES: dict[NeuronState, str] = {
    NeuronState.NON_FINITE: (
        "On some images the classifier gave no usable number for this neuron; those images are left out."
    ),
    NeuronState.NEVER_FIRES: (
        "This neuron did not respond to any image of this collection, so nothing can be said about "
        "what it looks for, and no label is shown."
    ),
    NeuronState.CONSTANT: (
        "This neuron responds equally to every image, so it does not tell images apart; "
        "do not rely on its labels."
    ),
    NeuronState.NO_CONTRAST: (
        "No image leaves this neuron cold, so there is nothing to compare its strongest images with; "
        "the labels describe the strongest images alone."
    ),
    NeuronState.FEW_IMAGES: (
        "The collection has fewer usable images than the number of examples asked for, "
        "so all of them are shown."
    ),
    NeuronState.RARE: (
        "Only {firing} of the images {makes} this neuron fire, fewer than the number of examples asked for; "
        "its labels rest on so few."
    ),
    NeuronState.ALWAYS_ON: (
        "This neuron responds to almost every image (80 % or more), so its labels may describe what all "
        "images have in common; look at the strongest images before trusting them."
    ),
    NeuronState.NEGATIVE: (
        "On some images this neuron's response is below zero; "
        "only responses above zero count as evidence for a label."
    ),
    NeuronState.NORMAL: "Nothing unusual about this neuron's responses.",
}


def sentence(state: NeuronState, firing: int) -> str:
    """What a state means, for the screen; `firing` is how many images make the neuron fire."""
    return _SENTENCES[state].format(firing=f"{firing:,}", makes="makes" if firing == 1 else "make")


def neuron_states(activations: Float[np.ndarray, " n"], k: int) -> tuple[NeuronState, ...]:
    """Name what is odd about one neuron; `(NORMAL,)` when nothing is. Most serious first.

    Non-finite activations are counted as such and otherwise left out. Raises BadInputError for k < 1.
    """
    check_examples(k)
    finite = activations[np.isfinite(activations)]
    constant = finite.size > 0 and bool(np.ptp(finite) <= ROUNDING * np.abs(finite).max())
    firing = int(np.count_nonzero(finite > 0))
    found = {
        NeuronState.NON_FINITE: finite.size < activations.size,
        NeuronState.NEVER_FIRES: firing == 0,
        NeuronState.CONSTANT: constant,
        NeuronState.NO_CONTRAST: constant or finite.size == 0,
        NeuronState.FEW_IMAGES: finite.size < k,
        NeuronState.RARE: 0 < firing < min(k, finite.size),
        NeuronState.ALWAYS_ON: finite.size > 0 and firing >= ALWAYS_ON_SHARE * finite.size,
        NeuronState.NEGATIVE: bool((finite < 0).any()),
    }
    return tuple(state for state, holds in found.items() if holds) or (NeuronState.NORMAL,)
