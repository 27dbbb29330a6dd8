"""Judges labelers against known truth: does a neuron's first label name the attribute that it follows?

Truth comes from the run's own attribute columns: a neuron follows the attribute that its activations tell
best on held-out images, where that is clear (AUROC of at least 0.85). The result is written beside the run's
arrays and is no part of its fingerprint.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from csp.errors import BadInputError
from csp.keeping.atomic import write_bytes
from csp.keeping.run import Run
from csp.method.labelers import LABELERS
from csp.method.metrics import Interval, bootstrap_interval
from csp.method.truth import (
    CLEAR,
    Verdict,
    attribute_auroc,
    paired_difference,
    shares,
    true_attributes,
    verdict,
)
from csp.work.explorer import Explorer

HELD_OUT = ("held-out", "test")
"""Values of the column `split` that mark held-out images; without such rows all images count."""
RESULT = "evaluation/ground-truth.json"
SEED = 0


def ground_truth(explorer: Explorer, methods: Sequence[str] = tuple(LABELERS)) -> dict[str, Any]:
    """Shares of true, too broad, other and nothing among the first labels of neurons with a clear truth.

    Written into the run as `evaluation/ground-truth.json` too. Raises BadInputError for an unknown method,
    and where the run has no attributes or no vocabulary that says which text names which attribute.
    """
    run = explorer.run
    _check(run, methods)
    images, split = held_out(run)
    neurons = [row for layer in run.layers for row in _clear_neurons(explorer, layer, images, methods)]
    firsts = {method: [neuron["labels"][method] for neuron in neurons] for method in methods}
    verdicts = {method: [Verdict(first["verdict"]) for first in firsts[method]] for method in methods}
    result = {
        "run": run.name,
        "fingerprint": run.fingerprint,
        "metric": "ground-truth",
        "images": int(images.sum()),
        "split": split,
        "attributes": list(run.attributes),
        "threshold": CLEAR,
        "neurons": sum(record.neurons for record in run.manifest.layers),
        "clear": len(neurons),
        "methods": {method: _summary(verdicts[method], firsts[method]) for method in methods},
        "differences": _differences(verdicts),
        "judged": neurons,
    }
    _write(run, result)
    return result


def held_out(run: Run) -> tuple[Bool[np.ndarray, " n"], str]:
    """Which images truth is measured on, and the name of that part: a split, or `all`."""
    split = run.images["split"].str.lower()
    for name in HELD_OUT:
        rows = (split == name).to_numpy(dtype=bool)
        if rows.any():
            return rows, name
    return np.ones(len(split), dtype=bool), "all"


def attribute_table(run: Run, layer: str, images: Bool[np.ndarray, " n"]) -> Float[np.ndarray, "c a"]:
    """AUROC of every neuron for every attribute on these images; NaN where it can't be judged."""
    activations, table = run.layer_activations(layer), run.images
    columns = []
    for name in run.attributes:
        known = images & table[name].notna().to_numpy()
        truth = table.loc[known, name].to_numpy(dtype=bool)
        columns.append(attribute_auroc(activations[known], truth[:, None])[:, 0])
    return np.stack(columns, axis=1)


def _check(run: Run, methods: Sequence[str]) -> None:
    if unknown := [method for method in methods if method not in LABELERS]:
        raise BadInputError(f"there is no labeler {unknown[0]!r}; there are {', '.join(LABELERS)}")
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


def _clear_neurons(
    explorer: Explorer, layer: str, images: Bool[np.ndarray, " n"], methods: Sequence[str]
) -> list[dict[str, Any]]:
    run, choice = explorer.run, explorer.choice()
    auroc = attribute_table(run, layer, images)
    meanings = run.vocabulary.set_index("text")
    found = []
    for neuron, attribute in enumerate(true_attributes(auroc)):
        if attribute < 0:
            continue
        labels, _ = explorer.labels(layer, neuron, choice)
        name = run.attributes[attribute]
        firsts = {
            method: _judged(labels[method][0].label, meanings, name)
            for method in methods
            if labels.get(method)
        }
        nothing = {"label": None, "verdict": Verdict.NOTHING.value, "alone": False}
        found.append(
            {
                "layer": layer,
                "neuron": neuron,
                "attribute": name,
                "auroc": round(float(auroc[neuron, attribute]), 4),
                "labels": {method: firsts.get(method, nothing) for method in methods},
            }
        )
    return found


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
    if "csp" not in verdicts:
        return {}
    return {
        f"csp - {method}": _interval(
            paired_difference(verdicts["csp"], verdicts[method], np.random.default_rng(SEED))
        )
        for method in verdicts
        if method != "csp"
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    values = {"share": interval.value, "low": interval.low, "high": interval.high}
    return {name: round(value, 4) if np.isfinite(value) else None for name, value in values.items()}


def _write(run: Run, result: dict[str, Any]) -> None:
    path = run.path / RESULT
    with suppress(OSError):  # a run on a read-only disk can still be judged
        path.parent.mkdir(exist_ok=True)
        write_bytes(path, json.dumps(result, indent=1, ensure_ascii=False).encode())
