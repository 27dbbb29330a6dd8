"""Judges labelers against known truth: does a neuron's first label name the attribute that it follows?

Truth comes from the run's own attribute columns: a neuron follows the attribute that its activations tell
best on held-out images, where that is clear (AUROC of at least 0.85). Where interventions were measured
(`csp/work/models/interventions.py`), theirs is the AUROC that counts.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.labelers.registry import FIRST, LABELERS, check_labeler
from csp.method.metrics.ground_truth import (
    CLEAR,
    Verdict,
    attribute_auroc,
    paired_difference,
    shares,
    true_attributes,
    verdict,
)
from csp.method.metrics.statistics import Interval, bootstrap_interval
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.metrics.metric import Metric, Number
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.settings import Settings
from csp.work.models.interventions import intervention_table
from csp.work.provenance import computed_by
from csp.work.splits import held_out

SEED = 0


def prepare(explorer: Explorer, request: MetricRequest) -> "GroundTruth":
    """Measure which attribute each neuron follows."""
    return GroundTruth(explorer, request)


class GroundTruth:
    """Judges labels of neurons that follow one attribute clearly."""

    def __init__(self, explorer: Explorer, request: MetricRequest) -> None:
        self.settings = Settings(request.options)
        images, split = held_out(explorer.run)
        self.by = computed_by(csp_version(), f"{int(images.sum())} images ({split})")
        self._meanings = explorer.run.vocabulary.set_index("text")
        self._followed = {
            layer: _followed(explorer.run, layer, images, set(numbers))
            for layer, numbers in request.neurons.items()
        }

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Two numbers a label, 1 or 0; none where the truth, or what the label names, is not known."""
        for one in subjects:
            if one.neuron in self._followed[one.layer] and one.label in self._meanings.index:
                attribute, _ = self._followed[one.layer][one.neuron]
                judged = _judged(one.label, self._meanings, attribute)
                yield Measured(one, "truth", float(judged["verdict"] == Verdict.TRUE.value))
                yield Measured(one, "truth_alone", float(judged["alone"]))


def ground_truth(
    explorer: Explorer,
    methods: Sequence[str] | None = None,
    options: ExampleOptions | None = None,
    chosen: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:
    """Shares of true, too broad, other and nothing among the first labels of neurons with a clear truth.

    `methods` are labelers, `chosen` neurons by layer; all of the run if left out.
    Raises BadInputError for an unknown method, and where the run has no attributes or no vocabulary that says
    which text names which attribute.
    """
    run, methods = explorer.run, tuple(LABELERS) if methods is None else tuple(methods)
    check(run)
    for method in methods:
        check_labeler(method)
    images, split = held_out(run)
    asked = options or explorer.options()
    if chosen is None:
        chosen = {record.layer: range(record.neurons) for record in run.manifest.layers}
    followed = {layer: _followed(run, layer, images, set(numbers)) for layer, numbers in chosen.items()}
    neurons = [
        row
        for layer, attributes in followed.items()
        for row in _clear_neurons(explorer, layer, attributes, methods, asked)
    ]
    firsts = {method: [neuron["labels"][method] for neuron in neurons] for method in methods}
    verdicts = {method: [Verdict(first["verdict"]) for first in firsts[method]] for method in methods}
    return {
        "run": run.name,
        "fingerprint": run.fingerprint,
        "metric": "ground-truth",
        "settings": Settings(asked).as_json(),
        "images": int(images.sum()),
        "split": split,
        "attributes": list(run.attributes),
        "threshold": CLEAR,
        "neurons": sum(map(len, chosen.values())),
        "clear": len(neurons),
        "interventions": _agreement(run, chosen, images),
        "methods": {method: _summary(verdicts[method], firsts[method]) for method in methods},
        "differences": _differences(verdicts),
        "judged": neurons,
    }


def attribute_table(run: Run, layer: str, images: Bool[np.ndarray, " n"]) -> Float[np.ndarray, "c a"]:
    """AUROC of every neuron for every attribute on these images; NaN where it can't be judged."""
    table = run.images
    known = {name: images & table[name].notna().to_numpy() for name in run.attributes}
    groups: dict[bytes, list[str]] = {}
    for name, rows in known.items():  # those known of the same images together: activations are ranked once
        groups.setdefault(rows.tobytes(), []).append(name)
    asked = [(known[names[0]], table.loc[known[names[0]], names].to_numpy(bool)) for names in groups.values()]
    order = np.argsort([run.attributes.index(name) for names in groups.values() for name in names])

    def of_block(activations: Float[np.ndarray, "n b"]) -> Float[np.ndarray, "b a"]:
        found = [attribute_auroc(activations[rows], truth) for rows, truth in asked]
        return np.concatenate(found, axis=1)[:, order]

    return run.each_neuron(layer, of_block)


def truth_table(run: Run, layer: str, images: Bool[np.ndarray, " n"]) -> Float[np.ndarray, "c a"]:
    """AUROC of every neuron for every attribute: by intervention where measured, else on these images."""
    observed, intervened = attribute_table(run, layer, images), intervention_table(run, layer)
    return observed if intervened is None else np.where(np.isnan(intervened), observed, intervened)


def measurable(run: Run) -> tuple[str, tuple[str, ...]]:
    """The metric for a run when none is named, and what can't be measured, in a sentence."""
    try:
        check(run)
    except BadInputError as error:
        found = "simcorr" if len(run.vocabulary) else "descriptive"
        return found, (f"{error}; measured instead: {found}",)
    return "ground-truth", ()


def check(run: Run) -> None:
    """Raise BadInputError for a run without attributes, or whose vocabulary names none."""
    if not run.attributes:
        raise BadInputError(
            f"the run {run.name} has no attributes of its images (columns of 0 and 1 in its csv: data), "
            "so there is no known truth to measure against"
        )
    if not any(len(names) for names in run.vocabulary["attributes"]):
        raise BadInputError(
            f"the vocabulary of the run {run.name} does not say which attributes its texts name; "
            "index with a .csv vocabulary (text, attributes, broad)"
        )


Followed = Mapping[int, tuple[str, float]]
"""By neuron that follows one clearly: the attribute and the AUROC for it."""


def _followed(run: Run, layer: str, images: Bool[np.ndarray, " n"], neurons: Container[int]) -> Followed:
    auroc = truth_table(run, layer, images)
    clear = enumerate(true_attributes(auroc).tolist())
    return {
        neuron: (run.attributes[attribute], float(auroc[neuron, attribute]))
        for neuron, attribute in clear
        if attribute >= 0 and neuron in neurons
    }


def _agreement(
    run: Run, chosen: Mapping[str, Sequence[int]], images: Bool[np.ndarray, " n"]
) -> dict[str, Any] | None:
    """How often the attribute told on probe images is the one that moves the neuron, if that was measured."""
    told: list[tuple[int, int, str, int]] = []
    for layer, neurons in chosen.items():
        intervened = intervention_table(run, layer)
        if intervened is None:
            return None
        pairs = np.stack(
            [true_attributes(attribute_table(run, layer, images)), true_attributes(intervened)], axis=1
        )
        told += [(*pairs[neuron].tolist(), layer, neuron) for neuron in neurons]
    both = [one for one in told if min(one[:2]) >= 0]
    return {
        "clear_on_images": sum(one[0] >= 0 for one in told),
        "clear_by_intervention": sum(one[1] >= 0 for one in told),
        "clear_in_both": len(both),
        "agree": sum(one[0] == one[1] for one in both),
        "disagree": [
            {
                "layer": layer,
                "neuron": neuron,
                "on_images": run.attributes[seen],
                "by_intervention": run.attributes[done],
            }
            for seen, done, layer, neuron in both
            if seen != done
        ],
    }


def _clear_neurons(
    explorer: Explorer,
    layer: str,
    followed: Followed,
    methods: Sequence[str],
    options: ExampleOptions,
) -> Iterator[dict[str, Any]]:
    meanings = explorer.run.vocabulary.set_index("text")
    nothing = {"label": None, "verdict": Verdict.NOTHING.value, "alone": False}
    for neuron, (attribute, auroc) in followed.items():
        labels, _ = explorer.labels(layer, neuron, options)
        firsts = {
            method: _judged(labels[method][0].label, meanings, attribute)
            for method in methods
            if labels.get(method)
        }
        yield {
            "layer": layer,
            "neuron": neuron,
            "attribute": attribute,
            "auroc": round(auroc, 4),
            "labels": {method: firsts.get(method, nothing) for method in methods},
        }


def _judged(label: str, meanings: pd.DataFrame, attribute: str) -> dict[str, Any]:
    """The label, its verdict, and whether it names the true attribute alone (not "hairs on dark skin")."""
    row = meanings.loc[label]
    named = set(row["attributes"])
    judged = verdict(named, bool(row["broad"]), attribute)
    return {"label": label, "verdict": judged.value, "alone": named == {attribute}}


def _summary(verdicts: list[Verdict], firsts: list[dict[str, Any]]) -> dict[str, Any]:
    found = shares(verdicts, np.random.default_rng(SEED))
    alone = np.array([first["alone"] for first in firsts], dtype=np.float64)
    parts = {
        kind.value.replace("-", "_"): _interval(found[kind]) for kind in Verdict if kind is not Verdict.TRUE
    }
    only = _interval(bootstrap_interval(alone, np.random.default_rng(SEED)))
    return {**_interval(found[Verdict.TRUE]), "n": len(verdicts), "alone": only, **parts}


def _differences(verdicts: dict[str, list[Verdict]]) -> dict[str, Any]:
    """The paired differences of the labeler that the app shows first, or csp, to each of the others."""
    first = next((name for name in (FIRST, "csp") if name in verdicts), None)
    if first is None:
        return {}
    return {
        f"{first} - {method}": _interval(
            paired_difference(verdicts[first], verdicts[method], np.random.default_rng(SEED))
        )
        for method in verdicts
        if method != first
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    values = {"share": interval.value, "low": interval.low, "high": interval.high}
    return {name: round(value, 4) if np.isfinite(value) else None for name, value in values.items()}


METRIC = Metric(
    "ground-truth",
    "how often the suggested label names the attribute that a neuron follows, where the truth is known",
    prepare,
    (
        Number(
            "truth",
            "Names the truth",
            "Whether the label names the attribute that the neuron follows on images held out. 1 yes, 0 no.",
            "higher",
            "AUROC of attributes: Hanley and McNeil 1982; this project",
            low=0,
            high=1,
            exported=False,
        ),
        Number(
            "truth_alone",
            "Names the truth alone",
            "Whether the label names the attribute that the neuron follows, and nothing else. 1 yes, 0 no.",
            "higher",
            "AUROC of attributes: Hanley and McNeil 1982; this project",
            low=0,
            high=1,
            exported=False,
        ),
    ),
    check=check,
    place=1,
)
