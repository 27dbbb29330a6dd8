"""What changes between two labelers, two gammas or two runs; one neuron's labels as gamma goes from 0 to 1.

found = compare_labelers(explorer, "layer4", "csp", "semanticlens")
found.changed, found.reworded           # how many first labels differ, and how many of them only in words
found.frame                             # neuron, label_a, score_a, label_b, score_b, changed, reworded
curve = gamma_curve(explorer, "layer4", 17)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32

from csp.errors import BadInputError
from csp.method.labelers.registry import check_labeler
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.concept_vectors import GammaPath, gamma_path
from csp.work.neurons.counterparts import Counterparts, counterparts

GAMMAS = tuple(step / 20 for step in range(21))
CURVES = 5
"""How many labels a curve follows at most."""


@dataclass(frozen=True)
class Comparison:
    """First labels of the same neurons under two choices, a and b."""

    frame: pd.DataFrame
    """One row a neuron: neuron, label_a, score_a, label_b, score_b (None and NaN without a label), changed,
    reworded, neuron_b (the counterpart, -1 without one), alike. Those that mean something else first, then
    those that mean the same in other words, then those that did not change, then those without a counterpart;
    in each the best score under b first."""

    images: int | None = None
    """Shared images on which neurons of other weights were matched; None: their numbers tell."""

    @property
    def compared(self) -> int:
        """How many neurons have a counterpart to compare with."""
        return int((self.frame["neuron_b"] >= 0).sum())

    @property
    def changed(self) -> int:
        """How many neurons have another first label."""
        return int(self.frame["changed"].sum())

    @property
    def reworded(self) -> int:
        """How many of them mean the same in other words."""
        return int(self.frame["reworded"].sum())


@dataclass(frozen=True, eq=False)
class GammaCurve:
    """How labels of one neuron fare at each of `GAMMAS`."""

    labels: tuple[str, ...]
    """Labels that come first at some gamma, in that order, then the next best at the ends that mean something
    else than those before them."""
    scores: Float32[np.ndarray, "labels gammas"]
    first: tuple[str, ...]
    """The first label at each gamma."""


def compare_labelers(explorer: Explorer, layer: str, a: str, b: str) -> Comparison:
    """The first labels of two labelers as the run stores them; BadInputError for an unknown labeler."""
    check_labeler(a)
    check_labeler(b)
    stored = explorer.stored_labels.frame(layer)
    firsts = stored[stored["rank"] == 1].set_index("neuron")
    sides = [firsts.loc[firsts["labeler"] == name, ["label", "score"]] for name in (a, b)]
    return _compared(explorer, layer, sides[0], sides[1])


def compare_gammas(
    explorer: Explorer, layer: str, path: GammaPath, gammas: tuple[float, float]
) -> Comparison:
    """The first csp labels at two gammas; `path` is the layer's. BadInputError without a vocabulary."""
    texts = _texts(explorer)
    names = explorer.run.vocabulary["text"].to_numpy(dtype=object)
    neurons = explorer.neurons(layer).frame["neuron"]
    sides = [_firsts(path.at(gamma), texts, names, neurons) for gamma in gammas]
    return _compared(explorer, layer, sides[0], sides[1])


def compare_runs(a: Explorer, b: Explorer, layer: str) -> Comparison:
    """The first labels of the neurons of a layer in one run and of their counterparts in another.

    Raises BadInputError when a run lacks the layer, or its neurons can't be matched (`counterparts`).
    """
    for one in (a, b):
        if layer not in one.run.layers:
            raise BadInputError(
                f"the run {one.run.name} has no layer {layer}; it has {', '.join(one.run.layers)}"
            )
    matched = counterparts(a.run, b.run, layer)
    sides = [one.neurons(layer).frame.set_index("neuron")[["label", "score"]] for one in (a, b)]
    opposite = sides[1].reindex(matched.paired_b).set_axis(sides[0].index)
    return _compared(a, layer, sides[0], opposite, matched)


def gamma_curve(explorer: Explorer, layer: str, neuron: int) -> GammaCurve:
    """One neuron's labels over gamma; no label for a neuron that never fires. BadInputError likewise."""
    texts = _texts(explorer)
    names = explorer.run.vocabulary["text"].tolist()
    path = gamma_path(explorer.run, layer, [neuron])
    vectors = np.concatenate([path.at(gamma) for gamma in GAMMAS])
    if not vectors.any():
        return GammaCurve((), np.zeros((0, len(GAMMAS)), np.float32), ())
    scores: Float32[np.ndarray, "gammas t"] = np.clip(vectors @ texts.T, -1.0, 1.0).astype(np.float32)
    first = scores.argmax(axis=1)
    followed = list(dict.fromkeys(first.tolist()))
    ends = np.argsort(-scores[[0, -1]], axis=1, kind="stable").T.ravel()
    for text in ends.tolist():
        if len(followed) >= CURVES:
            break
        if not any(explorer.synonyms.same(names[text], names[one]) for one in followed):
            followed.append(text)
    return GammaCurve(
        tuple(names[text] for text in followed), scores[:, followed].T, tuple(names[text] for text in first)
    )


def alikeness(explorer: Explorer, layer: str, a: int, b: int) -> float:
    """The cosine of two neurons' concept vectors at the run's own gamma; 0 when one never fires."""
    one, other = gamma_path(explorer.run, layer, [a, b]).at(explorer.run.manifest.parameters.gamma)
    return float(one @ other)


def _texts(explorer: Explorer) -> Float32[np.ndarray, "t d"]:
    texts = explorer.run.text_embeddings
    if texts is None:
        raise BadInputError(
            f"the run {explorer.run.name} has no vocabulary, so there are no labels to compare"
        )
    return texts


def _firsts(
    vectors: Float[np.ndarray, "c d"], texts: Float[np.ndarray, "t d"], names: np.ndarray, neurons: pd.Series
) -> pd.DataFrame:
    """The first label and its score of every neuron with a direction."""
    scores = np.clip(vectors @ texts.T, -1.0, 1.0)
    first = scores.argmax(axis=1)
    fires = np.flatnonzero(np.abs(vectors).max(axis=1) > 0)
    found = {"label": names[first[fires]], "score": scores[fires, first[fires]]}
    return pd.DataFrame(found, index=neurons.to_numpy()[fires])


def _compared(
    explorer: Explorer,
    layer: str,
    a: pd.DataFrame,
    b: pd.DataFrame,
    matched: Counterparts | None = None,
) -> Comparison:
    """Two labels mean the same when the encoder of `explorer` can hardly tell them apart."""
    frame = pd.DataFrame({"neuron": explorer.neurons(layer).frame["neuron"].to_numpy()})
    for side, labels in (("a", a), ("b", b)):
        aligned = labels.reindex(frame["neuron"])
        known = [label if isinstance(label, str) else None for label in aligned["label"]]
        frame[f"label_{side}"] = pd.Series(known, dtype=object)
        frame[f"score_{side}"] = aligned["score"].to_numpy(dtype=np.float64)
    frame["neuron_b"] = frame["neuron"] if matched is None else matched.paired_b
    frame["alike"] = np.nan if matched is None else matched.alike
    there = frame["neuron_b"] >= 0
    both = list(zip(frame["label_a"], frame["label_b"], strict=True))
    changed = [one != other for one, other in both]
    same = [None not in (one, other) and explorer.synonyms.same(one, other) for one, other in both]
    frame["changed"] = np.array(changed, dtype=bool) & there
    frame["reworded"] = frame["changed"] & np.array(same, dtype=bool)
    frame["weight"] = 2 * frame["changed"].astype(int) - frame["reworded"].astype(int) + there.astype(int)
    frame = frame.sort_values(["weight", "score_b"], ascending=False, kind="stable", na_position="last")
    return Comparison(
        frame.drop(columns="weight").reset_index(drop=True), matched.images if matched else None
    )
