"""Scores and ranks the texts of a vocabulary for a neuron, under every labeler at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from csp.keeping.code_hash import code_hash
from csp.keeping.run_folder.run import Run
from csp.method.examples.neighbours import Neighbours
from csp.method.examples.outlying import steady
from csp.method.examples.select import Examples
from csp.method.examples.select_layer import contrast_all
from csp.method.labelers.clip_dissect import layer_prior
from csp.method.labelers.clip_dissect_mean import LABELER as MEAN_CLIP_DISSECT
from csp.method.labelers.clip_dissect_mean import text_prior
from csp.method.labelers.consensus import RULE, own_contrast
from csp.method.labelers.correlation import image_scatter, layer_pulls, spread_by
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.registry import LABELERS, all_scores
from csp.method.labelers.whitened import Whitened, whiten
from csp.method.modes import Modes
from csp.work.labels.rows import LabelRow, Labels
from csp.work.run_cache import RunCache
from csp.work.splits import selection

TOP = 10
"""How many best texts of each labeler are kept for a neuron."""

AT_ONCE = 128
"""Neurons for which a pass over all images is made together; fewer where there are very many images."""
NUMBERS_AT_ONCE = 2**22
"""So many activations are held for such a pass, in double precision."""

OVER_IMAGES = MEAN_CLIP_DISSECT.name
"""The labeler that holds a text against all images."""

Scores = Mapping[str, Float32[np.ndarray, " t"]]
OfTexts = Float64[np.ndarray, " t"]
Keep = Callable[[str, Callable[[], OfTexts]], OfTexts]


def _anew(what: str, compute: Callable[[], OfTexts]) -> OfTexts:
    return compute()


def _none(layer: str) -> None:
    """No image of a layer."""


def neurons_at_once(images: int) -> int:
    """How many neurons share a pass over so many images."""
    return max(1, min(AT_ONCE, NUMBERS_AT_ONCE // max(1, images)))


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores texts for any neuron of a run; what neurons share is computed once."""

    embeddings: Float32[np.ndarray, "n d"]
    """Of the images."""
    text_embeddings: Float32[np.ndarray, "t d"]
    """Of the vocabulary, and behind it of any other texts."""
    selection: Bool[np.ndarray, " n"] | None
    """The images that may decide a label beside the examples (`splits.selection`); None: all."""
    activation_blocks: Callable[[str], Iterable[Float32[np.ndarray, "n b"]]]
    """All neurons of a layer, some at a time: a labeler may compare one with the others."""
    neighbours: Neighbours | None = None
    empty_text: Float32[np.ndarray, " d"] | None = None
    """See `Evidence.empty_text`."""
    vocabulary: int | None = None
    """How many of the texts are the vocabulary; None: all."""
    keep: Keep = _anew
    """Where what neurons share may be kept beyond this scorer: name and computation to value."""
    outlying: Callable[[str], Bool[np.ndarray, " n"] | None] = _none
    """By layer, see `Evidence.outlying`."""
    _priors: dict[str, OfTexts] = field(default_factory=dict)

    @cached_property
    def prior(self) -> Float64[np.ndarray, " t"]:
        """How often each text suits an image of the run."""
        return self.keep("prior", lambda: text_prior(self.embeddings, self.text_embeddings))

    @cached_property
    def scatter(self) -> Float64[np.ndarray, "d d"]:
        """How the images that may decide vary together."""
        flat = self.keep("scatter", lambda: image_scatter(self.embeddings, self.selection).ravel())
        return flat.reshape(self.embeddings.shape[1], -1)

    @cached_property
    def spread(self) -> Float64[np.ndarray, " t"]:
        """How much each text's likeness to the images that may decide varies."""
        return self.keep("spread", lambda: spread_by(self.scatter, self.text_embeddings))

    @cached_property
    def whitened(self) -> Whitened:
        """Texts as the images that may decide tell them apart."""
        return whiten(self.scatter, self.text_embeddings, self.vocabulary)

    @cached_property
    def modes(self) -> Modes:
        """Which images surely show what a text names."""
        return Modes(self.embeddings, self.text_embeddings)

    def layer_prior(self, layer: str) -> Float64[np.ndarray, " t"]:
        """How often each text suits a neuron of a layer."""
        if layer not in self._priors:
            self._priors[layer] = self.keep(
                f"prior of {layer}",
                lambda: layer_prior(self.activation_blocks(layer), self.embeddings, self.text_embeddings),
            )
        return self._priors[layer]

    def of_other(self, layer: str, activations: Float32[np.ndarray, "n c"]) -> "Scorer":
        """The same for another model's neurons in the place of a layer."""
        priors = {layer: layer_prior([activations], self.embeddings, self.text_embeddings)}
        return replace(self, outlying=_none, _priors=priors)

    def evidence(
        self,
        layer: str,
        activations: Float32[np.ndarray, " n"],
        examples: Examples,
        names: Iterable[str] = LABELERS,
    ) -> Evidence:
        """What these labelers may look at for one neuron of a layer.

        All images and texts, and the layer, are only gone through for the labelers that a prior is for.
        """
        asked = set(names)
        among = any(LABELERS[name].among_neurons for name in asked)
        return Evidence(
            activations,
            self.embeddings,
            examples,
            text_prior=self.prior if OVER_IMAGES in asked else None,
            selection=self.selection,
            text_spread=self.spread,
            layer_prior=self.layer_prior(layer) if among else None,
            whitened=self.whitened,
            neighbours=self.neighbours,
            empty_text=self.empty_text,
            outlying=self.outlying(layer),
            vocabulary=self.vocabulary,
        )

    def layer_evidence(
        self,
        layer: str,
        activations: Float32[np.ndarray, "n c"],
        examples: Sequence[Examples],
        wide: Sequence[Examples] | None = None,
    ) -> Iterator[Evidence]:
        """The same for many neurons, in order: a pass over all images is made for some at a time.

        `wide` are their `Evidence.wide`, where they are known.
        """
        if wide is None:
            activating = [one.activating for one in examples]
            wide = contrast_all(
                activations, self.embeddings, activating, neighbours=self.neighbours, rule=RULE
            )
        together, outlying = neurons_at_once(len(activations)), self.outlying(layer)
        for start in range(0, len(examples), together):
            part = examples[start : start + together]
            block = np.asfortranarray(activations[:, start : start + together])
            steadied = block if outlying is None else steady(block, outlying)
            pulls = layer_pulls(steadied, self.embeddings, self.selection).astype(np.float32)
            for place, one in enumerate(part):
                evidence = self.evidence(layer, block[:, place], one)
                evidence = replace(evidence, pull=pulls[place], wide=wide[start + place])
                yield replace(evidence, contrast=own_contrast(evidence))

    def layer_scores(
        self,
        layer: str,
        activations: Float32[np.ndarray, "n c"],
        examples: Sequence[Examples],
        gamma: float,
        wide: Sequence[Examples] | None = None,
    ) -> Iterator[Scores]:
        """As `scores`, of many neurons of a layer, in order; `wide` as of `layer_evidence`."""
        for evidence in self.layer_evidence(layer, activations, examples, wide):
            yield self.scores_of(evidence, gamma)

    def scores_of(self, evidence: Evidence, gamma: float) -> Scores:
        """As `scores`, of a neuron of which the evidence is there."""
        return self._of(LABELERS.keys(), evidence, gamma)

    def scores(
        self,
        layer: str,
        activations: Float32[np.ndarray, " n"],
        examples: Examples,
        gamma: float,
        settled: Scores | None = None,
    ) -> Scores:
        """The score of every text under every labeler; nothing for a neuron that never fires.

        `settled` are those of some labelers that are known already.
        """
        known = settled or {}
        found = {**known, **self._by(LABELERS.keys() - known.keys(), layer, activations, examples, gamma)}
        return {name: found[name] for name in LABELERS if name in found}

    def settled(self, layer: str, activations: Float32[np.ndarray, " n"], examples: Examples) -> Scores:
        """The same under the labelers in which gamma plays no part."""
        names = {name for name, labeler in LABELERS.items() if not labeler.uses_gamma}
        return self._by(names, layer, activations, examples, gamma=1.0)

    def _by(
        self,
        names: Set[str],
        layer: str,
        activations: Float32[np.ndarray, " n"],
        examples: Examples,
        gamma: float,
    ) -> Scores:
        return self._of(names, self.evidence(layer, activations, examples, names), gamma)

    def _of(self, names: Set[str], evidence: Evidence, gamma: float) -> Scores:
        if not (evidence.examples.activation > 0).any():
            return {}
        found = all_scores(names, evidence, self.text_embeddings, gamma)
        return {name: found[name] for name in LABELERS if name in found}


def best_texts(scores: Scores, texts: tuple[str, ...], top: int = TOP) -> Labels:
    """Under each labeler the texts among the `top` best of any labeler, best first, with true ranks."""
    orders = {name: np.argsort(-values, kind="stable") for name, values in scores.items()}
    chosen = {int(text) for order in orders.values() for text in order[:top]}
    return {name: _rows(order, scores[name], texts, chosen) for name, order in orders.items()}


def rank(scores: Float32[np.ndarray, " t"], index: int) -> int:
    """The place of one text among all, 1 the best; of equals the first comes first."""
    better = np.count_nonzero(scores > scores[index])
    return int(better + np.count_nonzero(scores[:index] == scores[index])) + 1


def _rows(
    order: Int64[np.ndarray, " t"],
    scores: Float32[np.ndarray, " t"],
    texts: tuple[str, ...],
    chosen: set[int],
) -> tuple[LabelRow, ...]:
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return tuple(
        LabelRow(texts[text], float(scores[text]), int(ranks[text]))
        for text in sorted(chosen, key=lambda text: int(ranks[text]))
    )


def scorer_of(run: Run, text_embeddings: Float32[np.ndarray, "t d"], keep: Keep = _anew) -> Scorer:
    """A scorer of the texts of a run's vocabulary, and of any that stand behind them."""
    return Scorer(
        embeddings=run.embeddings,
        text_embeddings=text_embeddings,
        selection=selection(run),
        activation_blocks=run.activation_blocks,
        neighbours=run.neighbours,
        vocabulary=len(run.vocabulary) or None,
        keep=keep,
        outlying=run.outlying,
    )


def run_scorer(cache: RunCache) -> Scorer | None:
    """The scorer of a run; None for one without a vocabulary."""
    run = cache.run
    if run.text_embeddings is None:
        return None

    def kept(what: str, compute: Callable[[], OfTexts]) -> OfTexts:
        found = cache.get_or_compute({"what": what}, lambda: compute().tolist())
        return np.array(found.value, dtype=np.float64)

    return scorer_of(run, run.text_embeddings, kept)


def labelers_code(names: Iterable[str] = LABELERS) -> dict[str, str]:
    """By labeler, the hash of its code: what an answer by labelers depends on, those of plug-ins too."""
    return {name: code_hash(LABELERS[name].score.__module__) for name in names}
