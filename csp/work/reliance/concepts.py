"""The concepts of a run: sets of labels that mean the same, with the neurons whose label in force means it.

found = concepts(explorer, states)                # the most neurons first; states: where people judged
sticker = find_concept(found, "sticker")          # NotFoundError names those there are
sticker.of("layer4")                              # (17, 40, ...)
shown(explorer.run, sticker)                      # which images show it, and who says so
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from csp.errors import NotFoundError
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.run_folder.run import Run
from csp.method.scatter import along
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.labels.absence import lacking
from csp.work.labels.vocabulary import as_words, run_vocabulary
from csp.work.reliance.meanings import Meaning, Meanings
from csp.work.reviews.desk import Spot
from csp.work.reviews.label_in_force import LabelInForce, labels_in_force

ALIKE = 0.1
"""By the encoder, this share of the images, those most like the words, show a concept ..."""
UNLIKE = 0.5
"""... and this share, those least like them, do not; what lies between counts as neither."""
By = Literal["attributes", "encoder", "nothing"]


@dataclass(frozen=True)
class Concept:
    """One thing that neurons look for."""

    name: str
    labels: tuple[str, ...]
    """Labels in force that mean it, the commonest first."""
    neurons: tuple[Spot, ...]
    """Layer by layer, ascending."""
    checked: int
    """Of how many neurons the label in force is a person's."""
    reviewers: tuple[str, ...]
    """Whose these are."""
    beside: bool
    """Whether it is not the lesion: an artefact, or the skin around it."""
    attributes: tuple[str, ...]
    """The columns of the dataset that state whether an image shows it; any of them does."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that hold its neurons, in their order."""
        return tuple(dict.fromkeys(layer for layer, _ in self.neurons))

    def of(self, layer: str) -> tuple[int, ...]:
        """Its neurons in one layer."""
        return tuple(neuron for where, neuron in self.neurons if where == layer)


@dataclass(frozen=True, eq=False)
class Shown:
    """Which images show a concept and which do not; an image of which nobody says is in neither."""

    on: Bool[np.ndarray, " n"]
    off: Bool[np.ndarray, " n"]
    by: By
    """Who says so: the dataset's columns, the encoder, or nothing: then both are empty."""


def concepts(explorer: Explorer, states: Mapping[Spot, NeuronReview]) -> tuple[Concept, ...]:
    """All concepts of a run, those with the most neurons first; a neuron with two labels is in two.

    A neuron counts by the label in force, unless that is the machine's and not claimed ("nothing fits").
    """
    labels: dict[str, list[tuple[Spot, LabelInForce]]] = {}
    for layer in explorer.run.layers:
        reviewed = {neuron: state for (where, neuron), state in states.items() if where == layer}
        idle = unclaimed(explorer, layer)
        for neuron, label in labels_in_force(explorer, layer, reviewed).items():
            if neuron in idle and label.by is None:
                continue
            for text in () if label.sides else label.texts:
                if lacking(text) is not None:  # what is lacking can't be taken away
                    continue
                labels.setdefault(text, []).append(((layer, neuron), label))
    commonest = sorted(labels, key=lambda text: (-len(labels[text]), text))
    meanings = Meanings(explorer)
    groups: dict[str, list[str]] = {}
    meant = meanings.of(commonest)
    for text in commonest:
        groups.setdefault(meant[text].key, []).append(text)
    columns = _columns(explorer.run, meanings)
    found = [
        _concept(explorer.run, meant[texts[0]], texts, labels, meanings, columns) for texts in groups.values()
    ]
    return tuple(sorted(found, key=lambda one: (-len(one.neurons), one.name)))


def find_concept(found: Sequence[Concept], name: str) -> Concept:
    """The concept called `name`, or with such a label, in any case; NotFoundError names those there are."""
    asked = same_label(name)
    for one in found:
        if same_label(one.name) == asked:
            return one
    for one in found:
        if asked in map(same_label, (*one.labels, *map(as_words, one.attributes), *one.attributes)):
            return one
    known = ", ".join(one.name for one in found) or "none: no neuron has a label"
    raise NotFoundError(f"no neuron's label means {name!r}; the concepts of this run are: {known}")


def shown(run: Run, concept: Concept) -> Shown:
    """Which images show a concept: by the dataset's attributes where it states them, else by the encoder."""
    if concept.attributes:
        table = run.images[list(concept.attributes)]
        known = table.notna().to_numpy(dtype=bool)
        true = table.fillna(False).to_numpy(dtype=bool) & known
        return Shown(true.any(axis=1), known.all(axis=1) & ~true.any(axis=1), "attributes")
    likeness = _likeness(run, concept.labels)
    if likeness is None:
        none = np.zeros(run.manifest.images, dtype=bool)
        return Shown(none, none, "nothing")
    low, high = np.quantile(likeness, [UNLIKE, 1 - ALIKE])
    return Shown(likeness >= high, likeness < low, "encoder")


def _likeness(run: Run, labels: Sequence[str]) -> Float64[np.ndarray, " n"] | None:
    """How much more each image is like these texts than like all texts; None where none is known."""
    vocabulary = run_vocabulary(run)
    rows = [row for row in map(vocabulary.row, labels) if row is not None]
    if not rows:
        return None
    own = vocabulary.embeddings[rows].astype(np.float64).mean(axis=0)
    direction = own - vocabulary.embeddings.astype(np.float64).mean(axis=0)
    likeness: Float64[np.ndarray, " n"] = along(
        run.embeddings, (direction if direction.any() else own)[:, None]
    )[:, 0]
    return likeness


def _columns(run: Run, meanings: Meanings) -> dict[str, list[str]]:
    """By meaning, the columns of 0 and 1 whose name is a text of that meaning."""
    names = {column: as_words(column) or column for column in run.attributes}
    meant = meanings.of(dict.fromkeys(names.values()))
    found: dict[str, list[str]] = {}
    for column, name in names.items():
        found.setdefault(meant[name].key, []).append(column)
    return found


def _concept(
    run: Run,
    meaning: Meaning,
    texts: Sequence[str],
    labels: Mapping[str, Sequence[tuple[Spot, LabelInForce]]],
    meanings: Meanings,
    columns: Mapping[str, list[str]],
) -> Concept:
    order = {layer: place for place, layer in enumerate(run.layers)}
    spots = {spot: label for text in texts for spot, label in labels[text]}
    people = {spot: label.by for spot, label in spots.items() if label.by is not None}
    beside = Counter(meanings.beside(text) for text in texts for _ in labels[text])
    stated = [name for name in run.attributes if name in meaning.attributes]
    return Concept(
        name=meaning.name,
        labels=tuple(texts),
        neurons=tuple(sorted(spots, key=lambda spot: (order[spot[0]], spot[1]))),
        checked=len(people),
        reviewers=tuple(sorted({name for name in people.values() if name is not None})),
        beside=beside[True] > beside[False] or meanings.beside(meaning.name),
        attributes=tuple(stated or columns.get(meaning.key, ())),
    )
