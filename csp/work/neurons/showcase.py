"""Neurons that show what look-alikes are for: the plain labeler names one thing, look-alikes reveal another.

A neuron is chosen by rule, in any run. Its first labels by SemanticLens (which sees the activating images
alone) and by CSP differ, and the pairs say why: over them, the text of CSP falls off more than the plain one,

    telling = mean_p [(e_p - e_n(p)) . t_csp] - mean_p [(e_p - e_n(p)) . t_plain]    (a difference of cosines)

Where the dataset states what the images show, the neurons come first whose images bear this out: what CSP
names is in the activating ones and not in the look-alikes, what the plain labeler names is in both. Of those,
the neurons that turn out to follow an artefact come first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64

from csp.keeping.run_folder.run import Run
from csp.work.labels.vocabulary import Vocabulary, run_vocabulary
from csp.work.reviews.checklist import artefacts_of, criteria

Images = Int64[np.ndarray, " p"]

PLAIN, CONTRASTIVE = "semanticlens", "csp"
FALLS_OFF, STAYS = 0.5, 0.3
"""What CSP names is seen in this much more of the activating images than of their look-alikes; what the plain
labeler names in at least this share of both. Half of the pairs, and about a third, are plain to the eye."""


@dataclass(frozen=True)
class AttributeShares:
    """Share of the activating images, and of their look-alikes, that show what the two labels name."""

    plain: tuple[float, float]
    contrastive: tuple[float, float]

    @property
    def bear_out(self) -> bool:
        """Whether the look-alikes lack what CSP names, and show what the plain labeler names."""
        firing, alike = self.contrastive
        return firing - alike >= FALLS_OFF and min(self.plain) >= STAYS


@dataclass(frozen=True)
class LabelChange:
    """A neuron whose first label changes when its look-alikes count."""

    layer: str
    neuron: int
    plain: str
    contrastive: str
    telling: float
    shares: AttributeShares | None
    """None where the dataset does not state what the labels name."""
    artefact: bool
    """Whether CSP names an artefact and the plain labeler none."""


def turns(run: Run) -> tuple[LabelChange, ...]:
    """All such neurons of a run, the most telling first; none without a vocabulary or labels."""
    pictures = _ShownTexts(run)
    found = [turn for layer in run.layers for turn in _turns(pictures, layer)]
    return tuple(sorted(found, key=_order))


def _order(turn: LabelChange) -> tuple[bool, bool, float]:
    borne_out = turn.shares is not None and turn.shares.bear_out
    return not borne_out, not (borne_out and turn.artefact), -turn.telling


@dataclass(frozen=True, eq=False)
class _ShownTexts:
    """What is known of a run's images and texts, read once."""

    run: Run

    @cached_property
    def shown(self) -> dict[str, Bool[np.ndarray, " n"]]:
        """By text, which images show all that it names; only texts whose attributes the dataset states."""
        known, images = set(self.run.attributes), self.run.images
        named = dict(zip(self.run.vocabulary["text"], self.run.vocabulary["attributes"], strict=True))
        return {
            text: np.logical_and.reduce([images[name].to_numpy(dtype=bool) for name in names])
            for text, names in named.items()
            if len(names) and set(names) <= known
        }

    def shares(self, plain: str, contrastive: str, firing: Images, cold: Images) -> AttributeShares | None:
        """How often the two texts' things are seen; None where the dataset does not state it."""
        if not {plain, contrastive} <= set(self.shown):
            return None
        seen = [
            (float(self.shown[text][firing].mean()), float(self.shown[text][cold].mean()))
            for text in (plain, contrastive)
        ]
        return AttributeShares(plain=seen[0], contrastive=seen[1])

    def telling(self, plain: str, contrastive: str, firing: Images, cold: Images) -> float:
        """See the formula at the top; the pairs are aligned."""
        difference = (self._embeddings[firing] - self._embeddings[cold]).mean(axis=0)
        seen, alike = (self._vocabulary.embedding(text) for text in (contrastive, plain))
        assert seen is not None and alike is not None, "labels are texts of the vocabulary"
        return float(seen @ difference - alike @ difference)

    @cached_property
    def _embeddings(self) -> Float32[np.ndarray, "n d"]:
        return self.run.embeddings

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return run_vocabulary(self.run)


def _turns(pictures: _ShownTexts, layer: str) -> Iterator[LabelChange]:
    labels, table, known = pictures.run.labels(layer), pictures.run.neurons(layer), criteria()
    first = labels[labels["rank"] == 1].pivot(index="neuron", columns="labeler", values="label")
    if not {PLAIN, CONTRASTIVE} <= set(first.columns):
        return
    differing = first[[PLAIN, CONTRASTIVE]].dropna()
    differing = differing[differing[PLAIN] != differing[CONTRASTIVE]]
    examples = dict(
        zip(table["neuron"], zip(table["activating"], table["contrastive"], strict=True), strict=True)
    )
    for neuron, plain, contrastive in differing.itertuples(name=None):
        activating, cold = (np.asarray(images) for images in examples[neuron])
        there = cold >= 0
        if there.any():
            texts, pairs = (plain, contrastive), (activating[there], cold[there])
            yield LabelChange(
                layer=layer,
                neuron=int(neuron),
                plain=plain,
                contrastive=contrastive,
                telling=pictures.telling(*texts, *pairs),
                shares=pictures.shares(*texts, *pairs),
                artefact=bool(artefacts_of(contrastive, known)) and not artefacts_of(plain, known),
            )
