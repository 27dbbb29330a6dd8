"""What the audit report says, as plain values that its template lays out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from csp.keeping.manifest import Manifest
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.state import NeuronReview
from csp.work.artefacts import ArtefactNeuron, artefact_neurons
from csp.work.audit import Audit, audit_of
from csp.work.explorer import Explorer
from csp.work.provenance import csp_version
from csp.work.reviewing import Reviewing
from csp.work.views import LabelRow, NeuronView, Pair

PAIRS = 6
LABELS = 3


@dataclass(frozen=True)
class NeuronEntry:
    """One neuron of the report."""

    layer: str
    neuron: int
    label: str | None
    """In force: a person's first, else the machine's."""
    state: NeuronReview
    machine: tuple[LabelRow, ...]
    """The machine's best labels, csp."""
    view: NeuronView
    pairs: tuple[Pair, ...]

    @property
    def anchor(self) -> str:
        """Its place in the file."""
        return f"neuron-{self.layer}-{self.neuron}"


@dataclass(frozen=True)
class ClassRow:
    """One class of the target model on the probe dataset."""

    name: str
    images: int
    """With this true class; 0 where the dataset names none."""
    predicted: int
    right: int
    """Of `images`, those that the model calls so."""


@dataclass(frozen=True)
class Content:
    """The whole report."""

    manifest: Manifest
    fingerprint: str
    made: datetime
    version: str
    audit: Audit
    artefacts: tuple[ArtefactNeuron, ...]
    classes: tuple[ClassRow, ...]
    attributes: tuple[tuple[str, int], ...]
    """Attributes of the dataset, and on how many images each holds."""
    splits: tuple[tuple[str, int], ...]
    neurons: tuple[NeuronEntry, ...]
    left_out: int
    """Neurons of the run that the report does not show one by one."""
    events: tuple[Event, ...]


def content(explorer: Explorer, desk: Reviewing, *, reviewed_only: bool = False) -> Content:
    """Everything the report says of a run; `reviewed_only` leaves out neurons that nobody looked at.

    Raises UnavailableError when the review record can't be read, BadRunError for a damaged run.
    """
    run, states = explorer.run, desk.states()
    spots = [(layer.layer, neuron) for layer in run.manifest.layers for neuron in range(layer.neurons)]
    shown = [spot for spot in spots if spot in states or not reviewed_only]
    images = run.images
    return Content(
        manifest=run.manifest,
        fingerprint=run.fingerprint,
        made=datetime.now(UTC),
        version=csp_version(),
        audit=audit_of(explorer, desk),
        artefacts=tuple(artefact_neurons(explorer, states)),
        classes=_classes(run.manifest.classes, images),
        attributes=tuple((name, int(images[name].fillna(False).sum())) for name in run.attributes),
        splits=tuple((str(name), int(count)) for name, count in images["split"].value_counts().items()),
        neurons=tuple(_entry(explorer, spot, states.get(spot, NeuronReview())) for spot in shown),
        left_out=len(spots) - len(shown),
        events=tuple(desk.events()),
    )


def pictured(neurons: Sequence[NeuronEntry]) -> list[int]:
    """The images that the neurons' pairs show, each once, in ascending order."""
    facts = [
        one for entry in neurons for pair in entry.pairs for one in (pair.activating, pair.contrastive) if one
    ]
    return sorted({one.image for one in facts})


def _entry(explorer: Explorer, spot: tuple[str, int], state: NeuronReview) -> NeuronEntry:
    view = explorer.neuron(*spot)
    machine = view.labels.get("csp", ())[:LABELS]
    first = machine[0].label if machine else None
    label = first if state.deciding is None else state.label
    return NeuronEntry(*spot, label, state, machine, view, view.pairs[:PAIRS])


def _classes(names: Sequence[str], images: pd.DataFrame) -> tuple[ClassRow, ...]:
    true, predicted = images["label"], images["prediction"]
    rows = ((true == name, predicted == name) for name in names)
    return tuple(
        ClassRow(name, int(is_it.sum()), int(called.sum()), int((is_it & called).sum()))
        for name, (is_it, called) in zip(names, rows, strict=True)
    )
