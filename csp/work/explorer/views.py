"""What the explorer answers with: frozen values that pages and commands draw."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from csp.method.states import NeuronState
from csp.work.explorer.options import ExampleOptions
from csp.work.labels.rows import LabelRow, ScoredText
from csp.work.provenance import Provenance


@dataclass(frozen=True)
class ImageFacts:
    """One probe image as the screen names it; `run.thumbnail(image, size)` gives its picture."""

    image: int
    path: str | None
    label: str | None
    split: str
    prediction: str | None
    attributes: tuple[str, ...]
    """Attributes that hold of the image, as pages show their names, where the dataset states them."""
    probability: float | None = None
    """What the target model gave to the class that it predicts, 0 to 1."""


@dataclass(frozen=True)
class Pair:
    """An activating example beside its contrastive one; the last four are None where there is none."""

    activating: ImageFacts
    activation: float
    contrastive: ImageFacts | None
    contrastive_activation: float | None
    similarity: float | None
    uses: int | None
    """How many pairs of this view share the contrastive image (1 = only this one)."""


@dataclass(frozen=True)
class Histogram:
    """Counts of activations over the probe set; `edges` has one more entry than `counts`."""

    edges: Float[np.ndarray, " bins_plus_1"]
    counts: Int[np.ndarray, " bins"]


@dataclass(frozen=True)
class NeuronView:
    """All that the neuron page shows."""

    run: str
    layer: str
    neuron: int
    options: ExampleOptions
    """Under which number of examples, gamma, reuse and contrast rule."""
    states: tuple[NeuronState, ...]
    sentences: tuple[str, ...]
    """One sentence a state for the screen, empty when the neuron is normal."""
    pairs: tuple[Pair, ...]
    labels: Mapping[str, tuple[LabelRow, ...]]
    """By labeler (`csp`, ...; the keys of `LABELERS`): its best texts; empty without a vocabulary."""
    scores: tuple[ScoredText, ...]
    """The score table: every text among some labeler's best, by the rank of the labeler that comes first."""
    margins: Mapping[str, float | None]
    """By labeler: first score minus second; None with fewer than two texts."""
    histogram: Histogram
    mean: float
    maximum: float
    share_firing: float
    """Share of probe images with an activation above 0."""
    firing: int
    """How many images these are."""
    provenance: Provenance
    """Of the pairs and the labels."""


@dataclass(frozen=True)
class NeuronTable:
    """The neurons of one layer as a table."""

    layer: str
    frame: pd.DataFrame
    """One row a neuron: neuron, state (values of `NeuronState`), sentence, mean, maximum, share_firing,
    label, score, margin (of the first labeler, at the run's parameters; None/nan without a vocabulary) and
    top_images (an array of image numbers, best activating images first)."""
    provenance: Provenance


@dataclass(frozen=True)
class TextScore:
    """How one text fares for one neuron."""

    text: str
    in_vocabulary: bool
    scores: Mapping[str, LabelRow]
    """By labeler: score, and the rank that the text has (or would have) in the vocabulary."""
    out_of: int
    """How many texts the rank counts: the vocabulary, plus this text when it isn't in it."""
    provenance: Provenance
