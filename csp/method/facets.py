"""Facets: the several things that one neuron looks for.

A neuron's first label is one thing. Take away the images that show it: what still makes the neuron fire among
the others is another thing, and its label the next facet. All levels of activation count, the images held out
must bear each facet out, and most neurons have one. A neuron may also fire where a thing is lacking.

This project's; `python -m benchmarks.facets` measures it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy.stats import rankdata

from csp.method.checks import check_probe, check_texts
from csp.method.metrics.statistics import auroc
from csp.method.scatter import along, scatter

MOST = 5
"""Facets of a neuron."""
CLEAR = 0.85
"""A further facet's AUROC, on held-out images that show none of the others, is at least this: what also makes
an attribute clear where the truth is known."""
CLEAR_ABSENCE = 0.77
"""A lacking thing takes the place of a first label with less than this, when it has at least as much."""
LEAST_SHARE = 0.05
"""A further facet explains at least this much of the variance on held-out images beyond the others."""
FEWEST = 10
"""Images on either side of a cut that are needed to say anything."""
BEYOND_CHANCE = 3.0
"""Standard errors by which an AUROC must exceed 0.5, what shuffled activations give."""
RIVALS = 3
"""So many of a labeler's best labels of different meaning compete to name a further facet."""
MARGIN = 0.6
"""How far from the cut to the mean of what lies below it an image must lie to lack the thing."""
SHUFFLES = 20
"""Of the activations on held-out images, to say how much a facet explains by chance."""
RIDGE = 1.0
"""Of the whitening, in units of the mean variance of a dimension."""

Scores = Callable[[np.ndarray], np.ndarray]
"""A labeler's scores of all texts, [t], for activations [n]; NaN for images that play no part, which
`select_examples` and the labelers leave out."""


@dataclass(frozen=True, eq=False)
class Facet:
    """One of the things that a neuron looks for."""

    scores: Float[np.ndarray, " t"]
    """The labeler's scores of all texts for it."""
    text: int
    """The text that names it."""
    absent: bool
    """Whether the neuron fires where the thing is lacking."""
    clear: float
    """AUROC of the activations for it on held-out images that show no other facet; 0.5 is chance, also given
    where there are too few images to tell. For a lacking thing without the images that are not sure to show
    or to lack it."""
    share: float
    """How much of the variance of the activations on held-out images it explains beyond the facets before it,
    in [0, 1]."""
    by_chance: float
    """The same of activations that were shuffled over the held-out images, the mean of `SHUFFLES`."""
    images: Bool[np.ndarray, " n"]
    """The images that show it (or lack it) and no facet before."""


def split_facets(
    activations: Float[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    text_embeddings: Float[np.ndarray, "t d"],
    scores: Scores,
    selection: Bool[np.ndarray, " n"] | None,
    same: float,
) -> tuple[Facet, ...]:
    """The facets of one neuron, that of its first label before the others.

    The images of `selection` choose texts and cuts, the others judge; None: every other image chooses. Texts
    whose cosine is at least `same` mean the same. One after the other:

    1. The labeler scores texts on the images that show no facet yet. Of its `RIVALS` best of new meaning the
       one is taken whose cosines to the images tell the firing best: that has the highest Mann-Whitney z at
       its best cut. Cosines are read as they are or whitened (`readings`), whichever tells more.
    2. Images above the cut show the thing. Those well below lack it (`MARGIN`); the rest are left out of what
       follows, so that images the encoder is unsure of don't bring the same thing again.
    3. The facet stays if held-out images bear it out: its AUROC is clear and beyond chance, and it explains a
       share of the variance that the others don't.

    The first facet stays whatever they say, unless the neuron fires more clearly where a thing is lacking.
    None for a neuron that does not vary or never fires, and without texts. Raises BadInputError for arrays
    that do not belong together.
    """
    check_probe(activations, embeddings)
    check_texts(embeddings, text_embeddings)
    neuron = _Neuron(activations, embeddings, text_embeddings, selection, same)
    if not (len(text_embeddings) and neuron.varies):
        return ()
    everyone = np.ones(len(activations), dtype=bool)
    first = scores(activations)
    found = [neuron.thing(int(np.argmax(first)), first, everyone)]
    if neuron.judgeable:
        found = _weeded(neuron, list(_one_by_one(neuron, found[0], scores)))
        if len(found) == 1:
            found = [_present_or_absent(neuron, found[0], scores)]
    return tuple(_facets(neuron, found))


@dataclass(frozen=True, eq=False)
class _Thing:
    """A text, and which images show what it names; an image may do neither for sure."""

    scores: Float[np.ndarray, " t"]
    text: int
    absent: bool
    shown: Bool[np.ndarray, " n"]
    lacking: Bool[np.ndarray, " n"]
    z: float
    """How well its cut tells the firing, on the images that choose."""


@dataclass(frozen=True, eq=False)
class _Neuron:
    """What all steps look at."""

    activations: Float[np.ndarray, " n"]
    embeddings: Float[np.ndarray, "n d"]
    texts: Float[np.ndarray, "t d"]
    selection: Bool[np.ndarray, " n"] | None
    same: float
    _things: dict[int, Float64[np.ndarray, "n 2"]] = field(default_factory=dict)

    @cached_property
    def finite(self) -> Bool[np.ndarray, " n"]:
        finite: Bool[np.ndarray, " n"] = np.isfinite(self.activations)
        return finite

    @cached_property
    def choosing(self) -> Bool[np.ndarray, " n"]:
        every_other = np.arange(len(self.activations)) % 2 == 0
        chosen: Bool[np.ndarray, " n"] = np.array(every_other if self.selection is None else self.selection)
        chosen &= self.finite
        return chosen

    @cached_property
    def judging(self) -> Bool[np.ndarray, " n"]:
        every_other = np.arange(len(self.activations)) % 2 == 1
        held_out: Bool[np.ndarray, " n"] = every_other if self.selection is None else ~self.selection
        held_out &= self.finite
        return held_out

    @property
    def varies(self) -> bool:
        values = self.activations[self.finite]
        return bool(values.size and values.max() > 0 and values.min() < values.max())

    @property
    def judgeable(self) -> bool:
        return bool(min(self.choosing.sum(), self.judging.sum()) >= 2 * FEWEST)

    @cached_property
    def whitening(self) -> Float64[np.ndarray, "d d"]:
        centre = self.embeddings.mean(axis=0, dtype=np.float64)
        covariance = scatter(self.embeddings, centre) / (len(self.embeddings) - 1)
        mean_variance = max(float(np.trace(covariance)) / len(covariance), 1e-12)
        whitening: Float64[np.ndarray, "d d"] = np.linalg.inv(
            covariance / mean_variance + RIDGE * np.eye(len(covariance))
        )
        return whitening

    def readings(self, text: int) -> Float64[np.ndarray, "n 2"]:
        """How much each image shows a text, in two ways: by cosine, and by the cosine whitened.

        e . t, and e . (S / s + 1)^-1 (t - mean t), S the embeddings' covariance and s its mean variance:
        the direction that tells a thing from others that overlap with it (Fisher 1936), shrunk. Encoders that
        were trained well need no whitening; on others it tells much more.
        """
        if text not in self._things:
            direction = self.texts[text].astype(np.float64)
            centred = self.whitening @ (direction - self.texts.mean(axis=0))
            self._things[text] = along(self.embeddings, np.stack([direction, centred], axis=1))
        return self._things[text]

    def thing(
        self,
        text: int,
        scores: Float[np.ndarray, " t"],
        left: Bool[np.ndarray, " n"],
        absent: bool = False,
    ) -> _Thing:
        """Which images show what a text names, by the cut that tells the firing among those `left` best."""
        rows = self.choosing & left
        firing = -self.activations[rows] if absent else self.activations[rows]
        ways = [(*best_cut(reading[rows], firing), reading) for reading in self.readings(text).T]
        cut, z, reading = max(ways, key=lambda way: way[1])
        below = reading[rows & (reading <= cut)]
        low = cut - MARGIN * (cut - below.mean()) if below.size else cut
        shown, lacking = reading > cut, reading <= low
        return _Thing(scores, text, absent, *((lacking, shown) if absent else (shown, lacking)), z)

    def clear(self, thing: _Thing, left: Bool[np.ndarray, " n"], sure: bool = False) -> float:
        """AUROC for a thing on the held-out images among those `left`; 0.5 where it isn't beyond chance:
        within so many standard errors of what shuffled activations give (Mann and Whitney 1947).

        `sure` leaves images out that neither show nor lack it for sure; else they count as not showing it.
        """
        rows = self.judging & left
        if sure:
            rows &= thing.shown | thing.lacking
        shown = thing.shown[rows]
        yes, no = int(shown.sum()), int((~shown).sum())
        if min(yes, no) < FEWEST:
            return 0.5
        found = auroc(self.activations[rows], shown)
        error = np.sqrt((yes + no + 1) / (12 * yes * no))
        return found if found - 0.5 >= BEYOND_CHANCE * error else 0.5

    def new_meanings(self, order: Int64[np.ndarray, " t"], known: Sequence[int]) -> list[int]:
        """The first `RIVALS` texts in this order that mean neither what is known nor the same as another."""
        unit = self.texts / np.maximum(np.linalg.norm(self.texts, axis=1, keepdims=True), 1e-12)
        open_ = np.ones(len(unit), dtype=bool)
        for text in known:
            open_ &= (unit @ unit[text] < self.same) & (np.arange(len(unit)) != text)
        found: list[int] = []
        while len(found) < RIVALS and open_.any():
            text = int(order[open_[order]][0])
            found.append(text)
            open_ &= (unit @ unit[text] < self.same) & (np.arange(len(unit)) != text)
        return found


def _one_by_one(neuron: _Neuron, first: _Thing, scores: Scores) -> Iterator[_Thing]:
    """The first thing and those that come after it, each from the images that lack all before."""
    yield first
    left, known = first.lacking, [first.text]
    while len(known) < MOST and (neuron.choosing & left).sum() >= 2 * FEWEST:
        found = scores(np.where(neuron.choosing & left, neuron.activations, np.nan))
        rivals = neuron.new_meanings(np.argsort(-found, kind="stable"), known)
        if not rivals:
            return
        best = max((neuron.thing(text, found, left) for text in rivals), key=lambda one: one.z)
        if neuron.clear(best, left) < CLEAR:
            return
        yield best
        left, known = left & best.lacking, [*known, best.text]


def _weeded(neuron: _Neuron, found: list[_Thing]) -> list[_Thing]:
    """Without those that the held-out images don't bear out beside the others, the weakest out first."""
    while len(found) > 1:
        clear = _clear_alone(neuron, found)[1:]
        gained = _gained(neuron, found)[1:]
        weakness = [max(CLEAR - one, LEAST_SHARE - more) for one, more in zip(clear, gained, strict=True)]
        if max(weakness) <= 0:
            break
        del found[1 + int(np.argmax(weakness))]
    return found


def _present_or_absent(neuron: _Neuron, first: _Thing, scores: Scores) -> _Thing:
    """The first thing, or a lacking one if the neuron fires more clearly where that is lacking.

    Only images that show or lack a thing for sure count. Most of the others lie just below the cut and lack
    it: to count them as showing it would hide that the neuron fires where it is lacking.
    """
    everyone = np.ones(len(neuron.activations), dtype=bool)
    known = neuron.clear(first, everyone, sure=True)
    if known >= CLEAR_ABSENCE:
        return first
    highest = neuron.activations[neuron.finite].max()
    mirrored = scores(np.where(neuron.choosing, highest - neuron.activations, np.nan))
    lacking = neuron.thing(int(np.argmax(mirrored)), mirrored, everyone, absent=True)
    return lacking if neuron.clear(lacking, everyone, sure=True) >= CLEAR_ABSENCE else first


def _facets(neuron: _Neuron, found: Sequence[_Thing]) -> Iterator[Facet]:
    before = np.zeros(len(neuron.activations), dtype=bool)
    each = zip(
        found,
        _clear_alone(neuron, found),
        _gained(neuron, found),
        _gained_by_chance(neuron, found),
        strict=True,
    )
    for one, clear, gained, by_chance in each:
        yield Facet(one.scores, one.text, one.absent, clear, gained, by_chance, one.shown & ~before)
        before |= one.shown


def _gained_by_chance(neuron: _Neuron, found: Sequence[_Thing]) -> list[float]:
    """As `_gained`, where the activations on held-out images are shuffled among them."""
    rng, judging = np.random.default_rng(0), np.flatnonzero(neuron.judging)
    shuffles = []
    for _ in range(SHUFFLES):
        activations = neuron.activations.copy()
        activations[judging] = activations[rng.permutation(judging)]
        shuffles.append(_gained(replace(neuron, activations=activations), found))
    means: list[float] = np.mean(shuffles, axis=0).tolist()
    return means


def _clear_alone(neuron: _Neuron, found: Sequence[_Thing]) -> list[float]:
    """Of each thing the AUROC on the images that lack all others."""
    everyone = np.ones(len(neuron.activations), dtype=bool)
    return [
        neuron.clear(
            one,
            np.logical_and.reduce([everyone, *(other.lacking for other in found if other is not one)]),
            sure=one.absent,
        )
        for one in found
    ]


def _gained(neuron: _Neuron, found: Sequence[_Thing]) -> list[float]:
    """How much of the variance on held-out images each thing explains beyond those before it.

    An image is expected to fire as the mean of the choosing images whose first thing is the same.
    """
    activations = np.where(neuron.finite, neuron.activations, 0).astype(np.float64)
    judged = activations[neuron.judging]
    total = float(((judged - judged.mean()) ** 2).sum()) if judged.size else 0.0
    group, explained, gained = np.zeros(len(activations), dtype=np.int64), 0.0, []
    for place, one in enumerate(found, start=1):
        group[one.shown & (group == 0)] = place
        chosen = group[neuron.choosing]
        counts = np.bincount(chosen, minlength=place + 1)
        means = np.bincount(chosen, activations[neuron.choosing], place + 1) / np.maximum(counts, 1)
        left = float(((judged - means[group[neuron.judging]]) ** 2).sum())
        now = max(explained, 1 - left / total) if total > 0 else explained
        gained.append(now - explained)
        explained = now
    return gained


def best_cut(readings: Float[np.ndarray, " m"], firing: Float[np.ndarray, " m"]) -> tuple[float, float]:
    """The cut whose upper side fires most beyond its lower side, and how much: its Mann-Whitney z.

    z = (AUROC - 1/2) / sqrt((m + 1) / (12 u l)), u and l the images on the upper and the lower side, each at
    least `FEWEST`. The highest reading, and 0, where there is no such cut.
    """
    order = np.argsort(-readings, kind="stable")
    sorted_ = readings[order]
    upper = np.arange(1, len(order))
    lower = len(order) - upper
    wins = np.cumsum(rankdata(firing)[order])[:-1] - upper * (upper + 1) / 2
    z = (wins / (upper * lower) - 0.5) * np.sqrt(12.0 * upper * lower / (len(order) + 1))
    z[(upper < FEWEST) | (lower < FEWEST) | (sorted_[:-1] == sorted_[1:])] = -np.inf
    if not z.size or z.max() == -np.inf:
        return float(readings.max(initial=-np.inf)), 0.0
    at = int(z.argmax())
    return float((sorted_[at] + sorted_[at + 1]) / 2), float(z[at])
