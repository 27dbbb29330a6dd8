"""Facets: the several things that one neuron looks for.

A neuron's first label is one thing. Take away the images that show it: what still makes the neuron fire among
the others is another thing, and its label the next facet. Every text of the vocabulary is asked: do images
that surely show it fire more than those that surely don't? All levels of activation count, the images held
out must bear each facet out, and most neurons have one. A neuron may also fire where a thing is lacking.

This project's; `python -m benchmarks.facets` measures it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float64, Int8, Int64
from scipy.stats import rankdata

from csp.method.checks import check_probe, check_texts
from csp.method.metrics.statistics import auroc
from csp.method.modes import Modes

MOST = 5
"""Facets of a neuron."""
CLEAR = 0.85
"""A further facet's AUROC, on held-out images that show none of the others, is at least this: what also makes
an attribute clear where the truth is known."""
CLEAR_ABSENCE = 0.77
"""A lacking thing takes the place of a first label with less than this, when it has at least as much."""
FEWEST = 10
"""Images of either kind that are needed to say anything."""
BEYOND_CHANCE = 3.0
"""Standard errors by which an AUROC must exceed 0.5, what shuffled activations give."""
CANDIDATES = 100
"""So many texts, whose readings go best with the firing, compete to name a further facet."""
NEAR = 0.06
"""How far the lower bound of a text's AUROC may lie below the best one's for the labeler to choose it."""
MARGIN = 0.6
"""How far from the cut to the mean of what lies below it an image must lie to lack the thing, where the
firing gives the cut."""
SHUFFLES = 20
"""Of the activations on held-out images, to say how much a facet explains by chance."""
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
    where there are too few images to tell. Without the images that are not sure to show or to lack it."""
    share: float
    """How much of the variance of the activations on held-out images it explains beyond the facets before it,
    in [0, 1]."""
    by_chance: float
    """The same of activations that were shuffled over the held-out images, the mean of `SHUFFLES`."""
    images: Bool[np.ndarray, " n"]
    """The images that show it (or lack it) and no facet before."""


def split_facets(
    activations: Float[np.ndarray, " n"],
    modes: Modes,
    scores: Scores,
    selection: Bool[np.ndarray, " n"] | None,
    same: float,
) -> tuple[Facet, ...]:
    """The facets of one neuron, that of its first label before the others.

    The images of `selection` choose texts, the others judge; None: every other image chooses. Texts whose
    cosine is at least `same` mean the same. One after the other:

    1. Of the images that surely lack all things so far, those that surely show a text and those that surely
       don't (`Modes`) give the text's AUROC. The texts whose lower bound is within `NEAR` of the best are
       near enough; of them the labeler, asked about these images, chooses.
    2. The facet stays if held-out images bear it out: its AUROC is clear and beyond chance, also among images
       that lack the facets found after it.

    The first facet stays whatever they say, unless the neuron fires more clearly where a thing is lacking.
    None for a neuron that does not vary or never fires, and without texts. Raises BadInputError for arrays
    that do not belong together.
    """
    check_probe(activations, modes.embeddings)
    check_texts(modes.embeddings, modes.texts)
    neuron = _Neuron(activations, modes, selection, same)
    if not (len(modes.texts) and neuron.varies):
        return ()
    first = scores(activations)
    text = int(np.argmax(first))
    found = _weeded(neuron, list(_one_by_one(neuron, text, first, scores))) if neuron.judgeable else []
    if len(found) < 2:
        found = [_present_or_absent(neuron, neuron.by_cut(text, first), scores)]
    return tuple(_facets(neuron, found))


@dataclass(frozen=True, eq=False)
class _Thing:
    """A text, and which images show what it names; an image may do neither for sure."""

    scores: Float[np.ndarray, " t"]
    text: int
    absent: bool
    shown: Bool[np.ndarray, " n"]
    lacking: Bool[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class _Neuron:
    """What all steps look at."""

    activations: Float[np.ndarray, " n"]
    modes: Modes
    selection: Bool[np.ndarray, " n"] | None
    same: float

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

    def thing(self, text: int, scores: Float[np.ndarray, " t"]) -> _Thing:
        """Which images surely show what a text names, and which lack it."""
        state = self.modes.states([text])[:, 0]
        return _Thing(scores, text, False, state > 0, state < 0)

    def by_cut(self, text: int, scores: Float[np.ndarray, " t"], absent: bool = False) -> _Thing:
        """The same by the cut that tells the firing best, read as it is or whitened, whichever tells more: so
        where one thing has to be told from its lack, and for texts that don't part images in two heaps."""
        firing = self.activations[self.choosing] * (-1 if absent else 1)
        both = self.modes.readings(text)
        ways = [(*best_cut(reading[self.choosing], firing), reading) for reading in both.T]
        cut, _, reading = max(ways, key=lambda way: way[1])
        below = reading[self.choosing & (reading <= cut)]
        low = cut - MARGIN * (cut - below.mean()) if below.size else cut
        shown, lacking = reading > cut, reading <= low
        return _Thing(scores, text, absent, *((lacking, shown) if absent else (shown, lacking)))

    def clear(self, thing: _Thing, left: Bool[np.ndarray, " n"]) -> float:
        """AUROC for a thing on the held-out images among those `left` that surely show or lack it.

        0.5 where it isn't beyond chance: within so many standard errors of what shuffled activations give
        (Mann and Whitney 1947).
        """
        rows = self.judging & left & (thing.shown | thing.lacking)
        shown = thing.shown[rows]
        yes, no = int(shown.sum()), int((~shown).sum())
        if min(yes, no) < FEWEST:
            return 0.5
        found = auroc(self.activations[rows], shown)
        error = np.sqrt((yes + no + 1) / (12 * yes * no))
        return found if found - 0.5 >= BEYOND_CHANCE * error else 0.5

    def meaning(self, text: int) -> Bool[np.ndarray, " t"]:
        """The texts that mean the same as this one."""
        texts = self.modes.texts
        cosines = texts @ texts[text] / np.maximum(self.modes.lengths * self.modes.lengths[text], 1e-12)
        found: Bool[np.ndarray, " t"] = np.asarray(cosines >= self.same)
        found[text] = True
        return found

    def tell(self, open_: Bool[np.ndarray, " t"], rows: Int64[np.ndarray, " m"]) -> Int64[np.ndarray, " k"]:
        """Of the open texts those that tell the firing on these images best: clearly, and nearly as well as
        the best, by the AUROC less its standard error."""
        firing = self.activations[rows].astype(np.float64)
        likely = self.modes.most_like(rows, rankdata(firing), open_, CANDIDATES)
        texts: Int64[np.ndarray, " k"] = np.array(likely, dtype=np.int64)[self.modes.apart(likely)]
        if not len(texts):
            return texts
        found, error = sure_aurocs(firing, self.modes.states(texts.tolist())[rows])
        lower = found - error
        best = float(np.fmax.reduce(lower, initial=-np.inf))
        told: Int64[np.ndarray, " k"] = texts[(found >= CLEAR) & (lower >= best - NEAR)]
        return told


def _one_by_one(
    neuron: _Neuron, text: int, of_all: Float[np.ndarray, " t"], scores: Scores
) -> Iterator[_Thing]:
    """The first thing and those that come after it, each from the images that surely lack all before."""
    first = neuron.thing(text, of_all)
    if first.shown.sum() < FEWEST:
        return
    yield first
    left, open_ = first.lacking, ~neuron.meaning(text)
    for _ in range(MOST - 1):
        chosen = neuron.choosing & left
        if min(chosen.sum(), (neuron.judging & left).sum()) < 2 * FEWEST:
            return
        near = neuron.tell(open_, np.flatnonzero(chosen))
        if not len(near):
            return
        found = scores(np.where(chosen, neuron.activations, np.nan))
        best = neuron.thing(int(near[np.argmax(found[near])]), found)
        if neuron.clear(best, left) < CLEAR:
            return
        yield best
        left, open_ = left & best.lacking, open_ & ~neuron.meaning(best.text)


def _weeded(neuron: _Neuron, found: list[_Thing]) -> list[_Thing]:
    """Without those that the held-out images don't bear out beside the others, the weakest out first."""
    while len(found) > 1:
        clear = _clear_alone(neuron, found)[1:]
        if min(clear) >= CLEAR:
            break
        del found[1 + int(np.argmin(clear))]
    return found


def _present_or_absent(neuron: _Neuron, first: _Thing, scores: Scores) -> _Thing:
    """The first thing, or a lacking one if the neuron fires more clearly where that is lacking."""
    everyone = np.ones(len(neuron.activations), dtype=bool)
    if not neuron.judgeable or neuron.clear(first, everyone) >= CLEAR_ABSENCE:
        return first
    highest = neuron.activations[neuron.finite].max()
    mirrored = scores(np.where(neuron.choosing, highest - neuron.activations, np.nan))
    lacking = neuron.by_cut(int(np.argmax(mirrored)), mirrored, absent=True)
    return lacking if neuron.clear(lacking, everyone) >= CLEAR_ABSENCE else first


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


def sure_aurocs(
    firing: Float64[np.ndarray, " m"], states: Int8[np.ndarray, "m k"]
) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """Of each column the AUROC of the firing for 1 against -1, and its standard error (Hanley and McNeil
    1982); images of state 0 play no part. NaN with fewer than `FEWEST` of either.
    """
    order = np.argsort(firing, kind="stable")
    values = firing[order]
    lower, upper = (np.searchsorted(values, values, side=side) for side in ("left", "right"))
    yes, no = (states > 0).sum(axis=0), (states < 0).sum(axis=0)
    wins = np.empty(states.shape[1])
    for column, state in enumerate(states[order].T):
        below = np.concatenate([[0], np.cumsum(state < 0)])
        wins[column] = (below[lower] + below[upper])[state > 0].sum() / 2  # ties count half
    found = np.where(np.minimum(yes, no) < FEWEST, np.nan, wins / np.maximum(yes * no, 1))
    two_yes, two_no = found / (2 - found), 2 * found**2 / (1 + found)
    variance = found * (1 - found) + (yes - 1) * (two_yes - found**2) + (no - 1) * (two_no - found**2)
    return found, np.sqrt(np.maximum(variance / np.maximum(yes * no, 1), 0))


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
