"""What is known of a neuron's label without any truth: the facts that its chance is worked out from.

encoded = Encoded(embeddings, text_embeddings)                   # shared by all neurons of a run
facts = layer_facts(encoded, activations, labelled)              # [neurons, `FACTS`]

Texts are compared less what all texts of the vocabulary have in common: the bare cosine to a text is mostly
that, and differs between encoders more than between right and wrong texts. Most facts compare them as the
images vary, as consensus does (`labelers/whitened.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64, Int64

from csp.method.examples.neighbours import Neighbours
from csp.method.examples.select import Examples
from csp.method.examples.select_layer import contrast_all
from csp.method.labelers.consensus import RULE
from csp.method.labelers.correlation import Scale, column_groups
from csp.method.labelers.projection import concept_vector, weights
from csp.method.labelers.whitened import VANISHED, image_metric
from csp.method.scatter import scatter

SAME = 0.9
"""Texts mean the same when their embeddings, or their cosines to the images, are this alike."""
THIRD = 2
BLOCK = 1024
"""Neurons whose contrastive examples are searched together; texts that are changed together."""
IN_DOUBLE = 256
"""Neurons whose activations are held in double precision at a time."""
TINY = 1e-12

FACTS = ("lead", "further lead", "likeness of the layer", "short of the layer's best")
"""What the model looks at; `text_facts` and `Layer` say what each is."""
ENOUGH_LEAD, ENOUGH_FURTHER, ENOUGH_OF_LAYER = 0.3, 0.4, 0.5
"""More than this of a fact makes no label likelier: an encoder whose cosines are all high, or a label that is
far ahead, is not the surer for it. About what true labels have in the worlds that the model is fitted on."""
BEST = 0.9
"""The layer's best labels are as near to what their neurons look for as this quantile of its labels."""
SURE = 0.5
"""At least so much of what a neuron looks for counts as more than chance: what is less is hardly measured."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """What the encoder shows of a run: the same for all its neurons."""

    embeddings: Float[np.ndarray, "n d"]
    texts: Float[np.ndarray, "t d"]
    """The vocabulary."""
    neighbours: Neighbours | None = None
    """Each image's nearest. Given, it spares work and changes nothing."""

    @cached_property
    def common(self) -> Float64[np.ndarray, " d"]:
        """What the texts have in common."""
        common: Float64[np.ndarray, " d"] = self.texts.mean(axis=0, dtype=np.float64)
        return common

    @cached_property
    def centre(self) -> Float64[np.ndarray, " d"]:
        """The mean image."""
        centre: Float64[np.ndarray, " d"] = self.embeddings.mean(axis=0, dtype=np.float64)
        return centre

    @cached_property
    def covariance(self) -> Float64[np.ndarray, "d d"]:
        """Of the images: C."""
        return scatter(self.embeddings, self.embeddings.mean(axis=0)) / max(len(self.embeddings), 1)

    @cached_property
    def root(self) -> Float64[np.ndarray, "d d"]:
        """C = root root'."""
        values, directions = np.linalg.eigh(self.covariance)
        root: Float64[np.ndarray, "d d"] = directions * np.sqrt(np.maximum(values, 0.0))
        return root

    @cached_property
    def varied(self) -> Float64[np.ndarray, "d d"]:
        """P = varied varied', the metric in which consensus compares texts: `whitened.image_metric`."""
        varied: Float64[np.ndarray, "d d"] = np.linalg.cholesky(image_metric(self.covariance))
        return varied

    @cached_property
    def apart(self) -> float:
        """The mean squared distance of the images from their centre, as they vary."""
        return float(np.einsum("de,de->", self.covariance @ self.varied, self.varied))

    @cached_property
    def told_texts(self) -> Float64[np.ndarray, "t d"]:
        """The texts as the images vary."""
        return _by_parts(self.told, self.texts)

    @cached_property
    def typical(self) -> float:
        """Their mean squared length: a text that says little does not count as much as others."""
        return float(np.einsum("td,td->t", self.told_texts, self.told_texts).mean())

    @cached_property
    def seen_texts(self) -> Float64[np.ndarray, "t d"]:
        """The texts as images tell them apart."""
        return _by_parts(self.seen, self.texts)

    def seen(self, texts: Float[np.ndarray, "p d"]) -> Float64[np.ndarray, "p d"]:
        """Texts times the root of `covariance`, of unit length: products are correlations over the images."""
        return _unit(texts.astype(np.float64) @ self.root)

    def own(self, texts: Float[np.ndarray, "p d"]) -> Float64[np.ndarray, "p d"]:
        """Texts less what is common, of unit length."""
        return _unit(texts.astype(np.float64) - self.common)

    def told(self, texts: Float[np.ndarray, "p d"]) -> Float64[np.ndarray, "p d"]:
        """Texts less what is common, times `varied`."""
        told: Float64[np.ndarray, "p d"] = (texts.astype(np.float64) - self.common) @ self.varied
        return told


@dataclass(frozen=True, eq=False)
class Labelled:
    """One neuron with the labels that it might have."""

    neuron: int
    examples: Examples
    texts: Int64[np.ndarray, " p"]
    """Rows of the texts that some labeler ranks high, best first by the labeler that comes first."""


@dataclass(frozen=True, eq=False)
class Sought:
    """What neurons look for, as directions of unit length in the embedding space; 0 where there is none."""

    contrast: Float64[np.ndarray, "l d"]
    """The contrastive concept vector, with five contrastive examples for each activating one."""
    pull: Float64[np.ndarray, "l d"]
    """sum_i (a_i - mean a) e_i over all images."""
    sure: Float64[np.ndarray, "l 2"]
    """Of the squared length of either, as the images vary, the share that is no luck of which images there
    are; from `SURE` to 1. Of few examples, or of a faint neuron, much is luck, and no text is near to that.
    For the contrast it is estimated from the activating examples alone."""

    def of(
        self, place: int
    ) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " d"], Float64[np.ndarray, " 2"]]:
        """All of one neuron."""
        return self.contrast[place], self.pull[place], self.sure[place]


def sought(
    encoded: Encoded,
    activations: Float[np.ndarray, "n c"],
    labelled: Sequence[Labelled],
    contrasts: Float[np.ndarray, "c d"] | None = None,
) -> Sought:
    """The directions of these neurons of a layer, in order.

    `contrasts` are the first of them, by neuron, where they are known (`Evidence.contrast`).
    """
    neurons = [one.neuron for one in labelled]
    contrast = np.zeros((len(labelled), encoded.embeddings.shape[1]))
    pull, sure = np.zeros_like(contrast), np.ones((len(labelled), 2))
    sure[:, 0] = [_sure_of_examples(encoded, one.examples) for one in labelled]
    if contrasts is not None:
        contrast[:] = contrasts[neurons]
    for start in range(0, len(labelled), BLOCK):
        part = labelled[start : start + BLOCK]
        columns = np.asfortranarray(activations[:, neurons[start : start + BLOCK]])
        for place in range(0, len(part), IN_DOUBLE):
            few = columns[:, place : place + IN_DOUBLE]
            these = slice(start + place, start + place + few.shape[1])
            pulls, squares = _pulls(few, encoded.embeddings)
            pull[these] = _unit(pulls)
            sure[these, 1] = 1 - squares * encoded.apart / _squared(pulls @ encoded.varied)
        if contrasts is not None:
            continue
        activating = [one.examples.activating for one in part]
        wide = contrast_all(columns, encoded.embeddings, activating, neighbours=encoded.neighbours, rule=RULE)
        for place, examples in enumerate(wide):
            contrast[start + place] = concept_vector(examples, encoded.embeddings, 1.0)
    return Sought(contrast, pull, np.clip(sure, SURE, 1.0))


def _sure_of_examples(encoded: Encoded, examples: Examples) -> float:
    """1 - the squared standard error of the examples' weighted mean / its squared length."""
    share = weights(examples)
    seen = (encoded.embeddings[examples.activating] - encoded.centre) @ encoded.varied
    mean, even = share @ seen, float(share @ share)
    error = float(share**2 @ _squared(seen - mean)) / max(1 - even, TINY)
    return 1 - error / float(_squared(mean[None])[0])


@dataclass(frozen=True)
class Layer:
    """What the first labels of a layer have in common, beside which each text of it stands."""

    likeness: float
    """Their mean likeness, as far as it counts: low where the encoder hardly sees what the layer follows."""
    best: tuple[float, float]
    """The 90 % quantile of how near they are, by contrast and over all images: what a neuron gets here whose
    true text is in the vocabulary."""

    def complete(self, facts: Float64[np.ndarray, "q 5"]) -> Float64[np.ndarray, "q 4"]:
        """`FACTS` of texts of which `text_facts` are known.

        The last is by how much the text is less near than the layer's best, by whichever way it is nearer to
        them: minus the square, since a little less says hardly anything.
        """
        short = np.minimum((facts[:, 3:] - self.best).max(axis=1), 0.0)
        return np.column_stack([facts[:, :2], np.where(np.isnan(short), np.nan, self.likeness), -(short**2)])


def layer_of(facts: Float64[np.ndarray, "l 5"]) -> Layer:
    """What a layer's first labels have in common; their facts are NaN where they are not known."""
    known = facts[~np.isnan(facts[:, 0])]
    if not len(known):
        return Layer(0.0, (0.0, 0.0))
    by_contrast, over_all = np.quantile(known[:, 3:], BEST, axis=0).tolist()
    return Layer(min(float(known[:, 2].mean()), ENOUGH_OF_LAYER), (by_contrast, over_all))


def layer_facts(
    encoded: Encoded, activations: Float[np.ndarray, "n c"], labelled: Sequence[Labelled]
) -> Float64[np.ndarray, "l f"]:
    """`FACTS` of the first label of these neurons of a layer; NaN for a neuron with fewer than two texts."""
    found = first_facts(encoded, labelled, sought(encoded, activations, labelled))
    return layer_of(found).complete(found)


def first_facts(
    encoded: Encoded, labelled: Sequence[Labelled], directions: Sought
) -> Float64[np.ndarray, "l 5"]:
    """`text_facts` of the first label of each neuron; NaN for a neuron with fewer than two texts."""
    found = np.full((len(labelled), 5), np.nan)
    for place, one in enumerate(labelled):
        if len(one.texts) > 1:
            first = encoded.texts[one.texts[:1]]
            found[place] = text_facts(encoded, first, one.texts, *directions.of(place))[0]
    return found


def text_facts(
    encoded: Encoded,
    texts: Float[np.ndarray, "q d"],
    rivals: Int64[np.ndarray, " p"],
    contrast: Float64[np.ndarray, " d"],
    pull: Float64[np.ndarray, " d"],
    sure: Float64[np.ndarray, " 2"],
) -> Float64[np.ndarray, "q 5"]:
    """What is known of any texts for one neuron, beside rivals that mean another thing:

    lead: by how much its cosine to the neuron's contrastive concept vector (`Sought.contrast`), as consensus
    works it out (`Whitened.cosines`), is above the best rival's;
    further lead: the same of what all images say (`Sought.pull`) and the third best rival, since a neuron may
    follow two things;
    likeness: its plain cosine to the concept vector, less what the texts of the vocabulary have in common;
    near by contrast, and over all images: its cosines to both as the images vary, whatever its length, as
    shares of what is `sure` of them (`Sought.sure`): had they no error, a text would be so near.

    `rivals` are rows of the vocabulary; texts mean the same when their embeddings, or their cosines to the
    images, are as alike as `SAME`. Without rivals, theirs counts as 0.
    """
    alike = _unit(texts.astype(np.float64)) @ _unit(encoded.texts[rivals].astype(np.float64)).T
    different = np.maximum(alike, encoded.seen(texts) @ encoded.seen_texts[rivals].T) < SAME
    directions = _unit(np.stack([contrast, pull]) @ encoded.varied).T
    told, others = encoded.told(texts), encoded.told_texts[rivals]
    cosines, theirs = (one @ directions / _lengths(one, encoded.typical)[:, None] for one in (told, others))
    near = told @ directions / _lengths(told)[:, None] / np.sqrt(sure)
    by_contrast, by_pull = np.where(different[:, :, None], theirs, -np.inf).transpose(2, 0, 1)
    count = different.sum(axis=1)
    return np.column_stack(
        [
            np.minimum(cosines[:, 0] - _best_but(by_contrast, count, 0), ENOUGH_LEAD),
            np.minimum(cosines[:, 1] - _best_but(by_pull, count, THIRD), ENOUGH_FURTHER),
            encoded.own(texts) @ contrast,
            near,
        ]
    )


def _best_but(
    cosines: Float64[np.ndarray, "q p"], count: Int64[np.ndarray, " q"], better: int
) -> Float64[np.ndarray, " q"]:
    """The best of each row's `count` numbers but for so many, or the least of them; 0 without any."""
    if not cosines.shape[1]:
        return np.zeros(len(cosines))
    ordered = -np.sort(-cosines, axis=1)
    chosen = ordered[np.arange(len(ordered)), np.clip(count - 1, 0, better)]
    return np.where(count == 0, 0.0, chosen)


def _lengths(vectors: Float64[np.ndarray, "p d"], more: float = 0.0) -> Float64[np.ndarray, " p"]:
    """Their lengths, had each `more` of squared length; infinite where it would hold rounding errors only."""
    squared = np.einsum("pd,pd->p", vectors, vectors) + more
    return np.where(squared > VANISHED**2, np.sqrt(squared), np.inf)


def _squared(vectors: Float64[np.ndarray, "p d"]) -> Float64[np.ndarray, " p"]:
    """Their squared lengths, not quite 0."""
    squared: Float64[np.ndarray, " p"] = np.maximum(np.einsum("pd,pd->p", vectors, vectors), TINY**2)
    return squared


def _pulls(
    activations: Float[np.ndarray, "n b"], embeddings: Float[np.ndarray, "n d"]
) -> tuple[Float64[np.ndarray, "b d"], Float64[np.ndarray, " b"]]:
    """Pulls, and what the activations' squares about their mean add up to.

    Activations that are not finite count as their mean; 0 for a neuron that does not vary.
    """
    centred, varies = np.empty_like(activations, np.float32), np.empty(activations.shape[1], bool)
    squares = np.empty(activations.shape[1])
    for some in column_groups(*activations.shape):
        scale = Scale.of(activations[:, some])
        values = scale.centred(activations[:, some])
        centred[:, some], varies[some] = values, np.abs(values).max(axis=0, initial=0.0) > TINY
        squares[some] = scale.length**2
    pulls: Float64[np.ndarray, "b d"] = (centred.T @ embeddings).astype(np.float64)
    pulls[~varies], squares[~varies] = 0.0, 0.0
    return pulls, squares


def _by_parts(
    change: Callable[[Float[np.ndarray, "p d"]], Float64[np.ndarray, "p d"]], texts: Float[np.ndarray, "t d"]
) -> Float64[np.ndarray, "t d"]:
    """`change` of all texts, some at a time: of a large vocabulary little more than the result is held."""
    found = np.empty(texts.shape)
    for start in range(0, len(texts), BLOCK):
        found[start : start + BLOCK] = change(texts[start : start + BLOCK])
    return found


def _unit(vectors: Float64[np.ndarray, "p d"]) -> Float64[np.ndarray, "p d"]:
    found: Float64[np.ndarray, "p d"] = vectors / np.maximum(
        np.linalg.norm(vectors, axis=1, keepdims=True), TINY
    )
    return found
