"""Neurons that show what look-alikes are for: the plain labeler names one thing, look-alikes reveal another.

A neuron is chosen by rule, in any run. Its first labels by SemanticLens (which sees the activating images
alone) and by CSP differ, and the pairs say why: over them, the text of CSP falls off more than the plain one,

    telling = mean_p [(e_p - e_n(p)) . t_csp] - mean_p [(e_p - e_n(p)) . t_plain]    (a difference of cosines)

Where the dataset states what the images show, the neurons come first whose images bear this out: what CSP
names is in the activating ones and not in the look-alikes, what the plain labeler names is in both. Of those,
the neurons that turn out to follow an artefact come first; then those whose label became true by the images
held out. A label that these contradict is counted, and shown to nobody as an example.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64

from csp.keeping.run_folder.run import Run
from csp.method.metrics.ground_truth import true_attributes
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import LIKELY, label_chances
from csp.work.labels.stored import StoredLabels
from csp.work.labels.vocabulary import Vocabulary, run_vocabulary
from csp.work.metrics.ground_truth import truth_table
from csp.work.neurons.compare import compare_labelers
from csp.work.reviews.checklist import artefacts_of, criteria
from csp.work.splits import held_out

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
    likely: bool = True
    """Whether it is the label that the machine suggests, and likely to be true as far as that is known."""
    holds: bool | None = None
    """Whether CSP names what the neuron follows, by the images held out; None where they don't tell."""
    plain_holds: bool | None = None
    """The same of the plain labeler."""

    @property
    def may_be_shown(self) -> bool:
        """Whether people may be shown it as an example: likely, and not contradicted by the dataset."""
        return self.likely and self.holds is not False


STANDS_OUT = 2.0
"""How much more strongly than on average the strongest image makes an example's neuron fire."""
EXAMPLES = 12
"""How many neurons the start page takes turns with."""
PLAINLY = 0.8
"""What an example's label names is seen in this much more of the activating images than of their look-alikes:
of six pairs, one may differ."""
EXAMPLE_PAIRS = 6
"""How many pairs of each it shows."""


def start_examples(explorer: Explorer, layer: str) -> list[int]:
    """Neurons that explain the idea well, each with another label: one that is likely to be true, as far as
    that was worked out, and that the dataset does not contradict.

    First those for which the look-alikes change what the label means, then by score; among those whose
    strongest image stands out, if any does. Where the dataset tells what neurons follow, the label is that,
    and where it states what images show, the pairs that are shown bear the label out, if any neuron's do.
    """
    frame = explorer.neurons(layer).frame
    labelled = frame[frame["label"].notna()]
    likely, noise = likely_labels(explorer.run, layer), unclaimed(explorer, layer)
    labelled = labelled[likely[labelled["neuron"]] & ~labelled["neuron"].isin(noise)]
    holds = label_holds(explorer.run, layer, dict(zip(labelled["neuron"], labelled["label"], strict=True)))
    if any(holds.values()):
        labelled = labelled[labelled["neuron"].isin([neuron for neuron, held in holds.items() if held])]
    pictures, examples = _ShownTexts(explorer.run), explorer.run.neurons(layer).set_index("neuron")
    plain_to_see = [
        neuron
        for neuron, label in zip(labelled["neuron"], labelled["label"], strict=True)
        if pictures.bear_out(label, *examples.loc[neuron, ["activating", "contrastive"]])
    ]
    if plain_to_see:
        labelled = labelled[labelled["neuron"].isin(plain_to_see)]
    vivid = labelled[labelled["maximum"] >= STANDS_OUT * labelled["mean"]]
    first = explorer.stored_labels.first_labeler(layer)
    told = compare_labelers(explorer, layer, PLAIN, first).frame.set_index("neuron")
    telling = told["changed"] & ~told["reworded"]
    chosen = (labelled if vivid.empty else vivid).join(telling.rename("telling"), on="neuron")
    chosen = chosen.sort_values(["telling", "score"], ascending=False)
    return [int(neuron) for neuron in chosen.drop_duplicates("label")["neuron"].head(EXAMPLES)]


def likely_labels(run: Run, layer: str) -> Bool[np.ndarray, " c"]:
    """By neuron whether its first label is likely to be true; all, where no chance was worked out."""
    chances = label_chances(run, layer)
    return chances >= LIKELY if np.isfinite(chances).any() else np.ones(len(chances), dtype=bool)


def label_holds(run: Run, layer: str, labels: Mapping[int, str]) -> dict[int, bool]:
    """By neuron: whether its label names the attribute that it follows clearly on the images held out.

    Only neurons that follow one of the stated attributes clearly, with a label whose things are stated.
    """
    if not run.attributes:
        return {}
    named = dict(zip(run.vocabulary["text"], run.vocabulary["attributes"], strict=True))
    images, _ = held_out(run)
    followed = true_attributes(truth_table(run, layer, images))
    return {
        neuron: run.attributes[followed[neuron]] in named[label]
        for neuron, label in labels.items()
        if followed[neuron] >= 0 and len(named.get(label, ()))
    }


def turns(run: Run) -> tuple[LabelChange, ...]:
    """All such neurons of a run, the most telling first; none without a vocabulary or labels."""
    pictures = _ShownTexts(run)
    found = [turn for layer in run.layers for turn in _turns(pictures, layer)]
    return tuple(sorted(found, key=_order))


def _order(turn: LabelChange) -> tuple[bool, bool, bool, bool, bool, float]:
    borne_out = turn.shares is not None and turn.shares.bear_out and turn.holds is not False
    artefact, better = borne_out and turn.artefact, bool(turn.holds) and not turn.plain_holds
    return turn.holds is False, not turn.likely, not borne_out, not artefact, not better, -turn.telling


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

    def bear_out(self, text: str, firing: Images, alike: Images) -> bool:
        """Whether what a text names is plainly in the activating images and not in their look-alikes: in all
        pairs (the look-alike is -1 where there is none), and in those that the start page shows."""
        firing, alike = np.asarray(firing), np.asarray(alike)
        firing, alike = firing[alike >= 0], alike[alike >= 0]
        if text not in self.shown or not len(firing):
            return False
        falls = self.shown[text][firing].astype(float) - self.shown[text][alike]
        return bool(min(falls.mean(), falls[:EXAMPLE_PAIRS].mean()) >= PLAINLY)

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
    seen, plainly = (
        label_holds(pictures.run, layer, dict(zip(differing.index.tolist(), differing[labeler], strict=True)))
        for labeler in (CONTRASTIVE, PLAIN)
    )
    examples = dict(
        zip(table["neuron"], zip(table["activating"], table["contrastive"], strict=True), strict=True)
    )
    suggested, likely = StoredLabels(pictures.run).first_labels(layer), likely_labels(pictures.run, layer)
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
                likely=bool(likely[neuron]) and suggested.get(neuron) == contrastive,
                holds=seen.get(neuron),
                plain_holds=plainly.get(neuron),
            )
