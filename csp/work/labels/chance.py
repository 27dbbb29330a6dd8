"""How likely each neuron's first label is to be true (`csp.method.chance`), kept with the run.

label_chances(run, "layer4")                # by neuron; NaN: no label, or not worked out yet
measure_chances(run)                        # works out what is missing, and keeps it
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float, Float32, Float64

from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.method.chance.facts import (
    Encoded,
    Labelled,
    Layer,
    Sought,
    first_facts,
    layer_of,
    sought,
    text_facts,
)
from csp.method.chance.fitted import LABELER, MODEL
from csp.method.chance.model import chances
from csp.method.examples.outlying import steady
from csp.work.labels.stored import LATER, StoredLabels
from csp.work.labels.stored_facets import absent_firsts
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.progress import Report, Stage, silent

CHANCES = AddedTable(
    "chances",
    {"layer": pa.string(), "neuron": pa.int64(), "label": pa.string(), "chance": pa.float64()},
    ("layer", "neuron"),
)
"""Of each labelled neuron the label that was judged, and the chance that it is true."""

Contrasts = Float32[np.ndarray, "c d"]
"""`Evidence.contrast` of all neurons of a layer."""

LIKELY, UNLIKELY = 0.75, 0.25
"""From this chance on a label is called likely; under the second it is unlikely, and not claimed."""


def label_chances(run: Run, layer: str) -> Float64[np.ndarray, " c"]:
    """By neuron of the layer the chance that its first label is true, in [0, 1].

    NaN where there is no label, where it can't be said, where it was said of another label than the one that
    comes first today, and where that is not the label in force: the neuron fires where a thing is lacking.
    """
    stored = Additions(run).read(CHANCES)
    stored = stored[stored["layer"] == layer]
    firsts = StoredLabels(run).first_labels(layer)
    found = np.full(run.layer(layer).neurons, np.nan)
    rows = zip(stored["neuron"].tolist(), stored["label"].tolist(), stored["chance"].tolist(), strict=True)
    for neuron, label, chance in rows:
        if firsts.get(neuron) == label:
            found[neuron] = chance
    found[list(absent_firsts(run, layer))] = np.nan
    return found


def chance_words(chance: float) -> str:
    """How likely a label is to be true: `likely: 9 in 10`, `unlikely: less than 1 in 10`."""
    tenths, word = chance_lines(chance)
    return f"{word}: {tenths.replace('<', 'less than').replace('>', 'more than')}"


def chance_lines(chance: float) -> tuple[str, str]:
    """The same in two short lines: `9 in 10` and `likely`, `< 1 in 10` and `unlikely`."""
    word = "likely" if chance >= LIKELY else "unsure" if chance >= UNLIKELY else "unlikely"
    if chance < 0.05:
        return "< 1 in 10", word
    return ("> 9 in 10" if chance >= 0.95 else f"{10 * chance:.0f} in 10"), word


def measure_chances(
    run: Run,
    report: Report = silent,
    *,
    contrasts: Mapping[str, Contrasts] = MappingProxyType({}),
    in_place: bool = False,
) -> None:
    """Work out the chances of all layers that lack some, and keep them with the run.

    `contrasts` are those of layers that were labelled just now (`precompute`): they spare the search.
    Nothing happens to a run whose first labels are not those of the labeler that the model was fitted on.
    """
    if run.text_embeddings is None:
        return
    labels, additions, encoded = StoredLabels(run), Additions(run, in_place=in_place), _encoded(run)
    for layer in run.layers:
        firsts = labels.first_labels(layer)
        if labels.first_labeler(layer) != LABELER or not firsts:
            continue
        if not np.isnan(label_chances(run, layer)[sorted(firsts)]).all():
            continue
        stage = Stage(f"chances of {layer}", len(firsts), report)
        rows = pd.DataFrame({"layer": layer, "neuron": list(firsts), "label": list(firsts.values())})
        found = _chances(run, layer, encoded, labels, contrasts.get(layer))
        additions.append(CHANCES, rows.assign(chance=found))
        stage.reached(len(firsts))
    additions.compact(CHANCES)


def text_chances(run: Run, layer: str, texts: Float[np.ndarray, "q d"]) -> Float64[np.ndarray, "c q"] | None:
    """By neuron and text the chance that the text is true of the neuron, had it come first.

    0 for a neuron without a label; None where the first labels are not those that the model was fitted on.
    """
    labels, version = StoredLabels(run), Additions(run).version(LATER)
    if labels.first_labeler(layer) != LABELER or not labels.first_labels(layer):
        return None
    known = _known(run, layer, version)
    found = np.zeros((run.layer(layer).neurons, len(texts)))
    for place, one in enumerate(known.labelled):
        facts = text_facts(known.encoded, texts, one.texts, *known.sought.of(place))
        found[one.neuron] = chances(known.layer.complete(facts), MODEL)
    return np.nan_to_num(found)


@dataclass(frozen=True, eq=False)
class _Known:
    """What is the same for all texts that are asked about."""

    encoded: Encoded
    labelled: list[Labelled]
    sought: Sought
    layer: Layer


@lru_cache(maxsize=8)
def _known(run: Run, layer: str, version: tuple[str, ...]) -> _Known:
    encoded, labelled = _encoded(run), list(_labelled(run, layer, StoredLabels(run)))
    found = [part for _, part in _sought(run, layer, encoded, labelled)]
    directions = Sought(
        np.concatenate([part.contrast for part in found]),
        np.concatenate([part.pull for part in found]),
        np.concatenate([part.sure for part in found]),
    )
    return _Known(encoded, labelled, directions, layer_of(first_facts(encoded, labelled, directions)))


def _chances(
    run: Run, layer: str, encoded: Encoded, labels: StoredLabels, contrasts: Contrasts | None
) -> Float64[np.ndarray, " l"]:
    labelled = list(_labelled(run, layer, labels))
    found = _sought(run, layer, encoded, labelled, contrasts)
    facts = np.concatenate([first_facts(encoded, part, directions) for part, directions in found])
    return chances(layer_of(facts).complete(facts), MODEL)


def _sought(
    run: Run, layer: str, encoded: Encoded, labelled: list[Labelled], contrasts: Contrasts | None = None
) -> Iterator[tuple[list[Labelled], Sought]]:
    """What the labelled neurons look for, in their order (ascending); some are read at a time."""
    outlying, first, begin = run.outlying(layer), 0, 0
    for block in run.activation_blocks(layer):
        end = bisect_left(labelled, first + block.shape[1], lo=begin, key=lambda one: one.neuron)
        part = labelled[begin:end]
        known = None if contrasts is None else contrasts[first : first + block.shape[1]]
        block = steady(block, outlying)
        yield part, sought(encoded, block, [replace(one, neuron=one.neuron - first) for one in part], known)
        first, begin = first + block.shape[1], end


def _encoded(run: Run) -> Encoded:
    assert run.text_embeddings is not None, "a run with labels has a vocabulary"
    return Encoded(run.embeddings, run.text_embeddings, run.neighbours)


def _labelled(run: Run, layer: str, labels: StoredLabels) -> Iterator[Labelled]:
    """The labelled neurons, in the order of `first_labels`, with all texts that are stored for them."""
    row = {text: number for number, text in reversed(list(enumerate(run_vocabulary(run).texts)))}
    rows, examples = labels.first_rows(layer), run.layer_examples(layer)
    for neuron in rows:
        ranked = rows[neuron]
        yield Labelled(
            neuron=neuron,
            examples=examples[neuron],
            texts=np.array([row[one.label] for one in ranked], dtype=np.int64),
        )
