"""What the audit report says, as plain values that its template lays out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import pandas as pd

from csp.errors import BadInputError
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.run_folder.manifest import Manifest
from csp.keeping.versions import csp_version
from csp.method.control import ByChance
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.registry import LABELERS
from csp.work.attribution.class_attribution import ClassAttribution, class_attribution
from csp.work.attribution.model_card import GUESSES, ModelCard, Skill, model_card, skill
from csp.work.control.control import layer_control, unclaimed
from csp.work.control.sight import HARDLY_KNOWS, encoder_sight
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import Pair
from csp.work.labels.chance import chance_words
from csp.work.labels.rows import LabelRow
from csp.work.labels.vocabulary import shown_name
from csp.work.metrics.results import faithfulness
from csp.work.progress import Report, Stage, silent
from csp.work.report.findings import (
    ArtefactGroup,
    Effect,
    Leaning,
    ReviewerRow,
    artefact_groups,
    effect,
    leanings,
    reviewers,
)
from csp.work.report.leaning import LeaningPage, leaning_page
from csp.work.reviews.artefacts import (
    ArtefactNeuron,
    artefact_neurons,
    artefacts_by_chance,
    artefacts_untrained,
    claims,
)
from csp.work.reviews.audit import Audit, audit_of
from csp.work.reviews.desk import ReviewDesk, Spot
from csp.work.reviews.label_in_force import LabelInForce, label_in_force
from csp.work.reviews.recalibrated import Recalibrated, recalibrated_by
from csp.work.subgroups import people_columns

NO_GROUPS = (
    "the dataset has no column that tells people or places apart (skin tone, age, sex, site, device, "
    "hospital), so for whom it is good is not known"
)
NOTHING_FITS = "Nothing fits"
COSINE = "csp"
PAIRS = 6
LABELS = 3
EVERY = 20
"""Neurons between two reports of progress."""


@dataclass(frozen=True)
class NeuronEntry:
    """One neuron of the report."""

    layer: str
    neuron: int
    label: LabelInForce
    state: NeuronReview
    claimed: bool
    """Whether the label in force says something; if not, nothing fits, as the screens say."""
    chance: str
    """How likely the machine's label is to be true, in words; "" where that was not worked out."""
    lacking: bool
    """Whether the machine's label is what is lacking where it fires; of that no chance is said."""
    labeler: str
    """By what the machine suggests its label, as people read it."""
    machine: tuple[LabelRow, ...]
    """The machine's best labels by that."""
    beside: tuple[LabelRow, ...]
    """The best by CSP, and what it says of the machine's first; empty where the machine's are by CSP."""
    pairs: tuple[Pair, ...]
    sentence: str
    """What is odd about the neuron; empty when nothing is."""
    mean: float
    maximum: float
    share_firing: float
    effect: Effect | None
    stability: float
    """How often the machine's label stays first when the examples are drawn anew; NaN: not measured."""

    @property
    def title(self) -> str:
        """The label in force, or that nothing fits."""
        return self.label.shown if self.claimed else NOTHING_FITS

    @property
    def blind(self) -> int:
        """How many of its events were written before their author saw the machine's label."""
        return sum(event.blind and event.token not in self.state.undone for event in self.state.events)

    @property
    def anchor(self) -> str:
        """Its place in the file."""
        return f"neuron-{self.layer}-{self.neuron}"


@dataclass(frozen=True)
class NeuronGroup:
    """The neurons with one label in force, those that move a class most first."""

    label: str
    entries: tuple[NeuronEntry, ...]

    @property
    def strength(self) -> float:
        """How much its strongest neuron pushes towards a class."""
        return max((entry.effect.value for entry in self.entries if entry.effect), default=0.0)


@dataclass(frozen=True)
class LayerClaims:
    """Of how many neurons of a layer the machine's label is claimed, as the page of all neurons counts."""

    layer: str
    labelled: int
    claimed: int

    @property
    def by_chance(self) -> float:
        """At most so many would be if all were noise."""
        return self.labelled / 20


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
    guesses: bool
    """Whether the model is known to be hardly better than guessing."""
    warnings: tuple[str, ...]
    audit: Audit
    leaning: LeaningPage
    """What it leans on as far as switching concepts off tells."""
    leanings: Mapping[str, tuple[Leaning, ...]]
    """By class, what the classifier leans on as far as attribution tells."""
    reviewers: tuple[ReviewerRow, ...]
    artefacts: tuple[ArtefactNeuron, ...]
    artefact_groups: tuple[ArtefactGroup, ...]
    artefacts_by_chance: float | None
    """How many noise would give; None where that is not known."""
    artefacts_untrained: float | None
    """How many random weights would give; None where that was not measured."""
    claims: tuple[LayerClaims, ...]
    """By layer with labels and a control."""
    labelers: tuple[tuple[Labeler, tuple[str, ...]], ...]
    """By what the machine suggests labels, and in which layers."""
    judged: int
    """On how many neurons people's verdicts recalibrate the chances; 0: none do."""
    classes: tuple[ClassRow, ...]
    cards: tuple[ModelCard, ...]
    """How good the model is: on all images, then by each column that tells people and places apart."""
    no_card: str
    """Why that is not known; "" where it is."""
    attributes: tuple[tuple[str, int], ...]
    """Attributes of the dataset, and on how many images each holds."""
    splits: tuple[tuple[str, int], ...]
    groups: tuple[NeuronGroup, ...]
    left_out: int
    """Neurons of the run that the report does not show one by one."""
    events: tuple[Event, ...]

    @property
    def neurons(self) -> tuple[NeuronEntry, ...]:
        """Every neuron that the report shows one by one, in its order."""
        return tuple(entry for group in self.groups for entry in group.entries)

    @property
    def no_groups(self) -> str:
        """Why it is not known for whom the model is good; "" where it is."""
        return self.no_card or ("" if len(self.cards) > 1 else NO_GROUPS)


@dataclass(frozen=True)
class ReportOptions:
    """What a report is asked to show."""

    layers: tuple[str, ...]
    pictures: bool = True
    reviewed_only: bool = False
    """Leave out the neurons that nobody looked at."""


def content(explorer: Explorer, desk: ReviewDesk, wish: ReportOptions, report: Report = silent) -> Content:
    """Everything the report says of a run.

    A damaged review record is said first, and none of its verdicts is shown. Raises UnavailableError when
    the record can't be read, BadRunError for a damaged run.
    """
    run, audit = explorer.run, audit_of(explorer, desk)
    states = desk.states() if audit.finding.ok else {}
    spots = [(layer.layer, neuron) for layer in run.manifest.layers for neuron in range(layer.neurons)]
    shown = [spot for spot in spots if spot[0] in wish.layers and (spot in states or not wish.reviewed_only)]
    images, artefacts = run.images, tuple(artefact_neurons(explorer, states))
    found = {layer: class_attribution(explorer, layer) for layer in run.layers}
    attributions = {layer: one for layer, one in found.items() if one is not None}
    cards, no_card = _cards(explorer)
    chances = {layer: recalibrated_by(run, layer, states) for layer in run.layers}
    entries = tuple(_entries(explorer, shown, states, attributions, chances, report))
    return Content(
        manifest=run.manifest,
        fingerprint=run.fingerprint,
        made=datetime.now(UTC),
        version=csp_version(),
        guesses=_guesses(explorer) is not None,
        warnings=warnings(explorer),
        audit=audit,
        leaning=leaning_page(explorer, states, report),
        leanings=leanings(explorer, attributions, states),
        reviewers=reviewers(states),
        artefacts=artefacts,
        artefact_groups=artefact_groups(artefacts),
        artefacts_by_chance=_expected(artefacts_by_chance(explorer, layer) for layer in run.layers),
        artefacts_untrained=_expected(artefacts_untrained(explorer, layer) for layer in run.layers),
        claims=tuple(one for layer in run.layers if (one := layer_claims(explorer, layer)) is not None),
        labelers=_labelers(explorer),
        judged=next((one.judged for one in chances.values() if one.recalibrated), 0),
        classes=_classes(run.manifest.classes, images),
        cards=cards,
        no_card=no_card,
        attributes=tuple(
            (shown_name(run, name), int(images[name].fillna(False).sum())) for name in run.attributes
        ),
        splits=tuple((str(name), int(count)) for name, count in images["split"].value_counts().items()),
        groups=_groups(entries),
        left_out=len(spots) - len(shown),
        events=tuple(desk.events() if audit.finding.ok else ()),
    )


def warnings(explorer: Explorer) -> tuple[str, ...]:
    """What makes the report worth less: a model that guesses, an encoder that is near blind, a layer that
    gives way on some images."""
    found, sight = _guesses(explorer), encoder_sight(explorer)
    guesses = f"{GUESSES}. {found.sentence}." if found is not None else ""
    blind = f"{HARDLY_KNOWS}. {sight.sentence}." if sight is not None and sight.near_blind else ""
    outlying = (explorer.run.outlying_note(layer) for layer in explorer.run.layers)
    return tuple(filter(None, (guesses, blind, *(one and f"{one}." for one in outlying))))


def _guesses(explorer: Explorer) -> Skill | None:
    """What the model is worth, if it is hardly better than guessing."""
    found = skill(explorer.run)
    return found if found is not None and found.guessing else None


def layer_claims(explorer: Explorer, layer: str) -> LayerClaims | None:
    """None without labels or a control."""
    labelled = explorer.stored_labels.first_labels(layer).keys()
    noise = layer_control(explorer, layer).noise(explorer.stored_labels.first_labeler(layer))
    if noise is None or not labelled:
        return None
    return LayerClaims(layer, len(labelled), len(labelled - unclaimed(explorer, layer)))


def _labelers(explorer: Explorer) -> tuple[tuple[Labeler, tuple[str, ...]], ...]:
    stored, found = explorer.stored_labels, dict[str, list[str]]()
    for layer in explorer.run.layers:
        if stored.first_labels(layer):
            found.setdefault(stored.first_labeler(layer), []).append(layer)
    return tuple((LABELERS[name], tuple(layers)) for name, layers in found.items())


def _expected(counts: Iterable[ByChance | None]) -> float | None:
    known = [count.expected for count in counts if count is not None]
    return sum(known) if known else None


def pictured(neurons: Sequence[NeuronEntry]) -> list[int]:
    """The images that the neurons' pairs show, each once, in ascending order."""
    facts = [
        one for entry in neurons for pair in entry.pairs for one in (pair.activating, pair.contrastive) if one
    ]
    return sorted({one.image for one in facts})


def _entries(
    explorer: Explorer,
    spots: Sequence[Spot],
    states: Mapping[Spot, NeuronReview],
    attributions: Mapping[str, ClassAttribution],
    chances: Mapping[str, Recalibrated],
    report: Report,
) -> Iterator[NeuronEntry]:
    stage = Stage("neurons of the report", len(spots), report)
    rows = {layer: _rows(explorer, layer) for layer in explorer.run.layers}
    for position, spot in enumerate(spots):
        if position % EVERY == 0:
            stage.reached(position)
        own = effect(attributions.get(spot[0]), spot[1])
        chance = float(chances[spot[0]].chances[spot[1]])
        yield _entry(explorer, spot, states.get(spot, NeuronReview()), rows[spot[0]][spot[1]], own, chance)
    stage.reached(len(spots))


def _rows(explorer: Explorer, layer: str) -> dict[Any, dict[Any, Any]]:
    table = explorer.neurons(layer).frame
    stability = faithfulness(explorer, layer).set_index("neuron")["stability"]
    return table.assign(stability=table["neuron"].map(stability)).set_index("neuron").to_dict("index")


def _groups(entries: Sequence[NeuronEntry]) -> tuple[NeuronGroup, ...]:
    """By label in force; the group whose neuron moves a class most first, those that nothing fits last."""
    by_label: dict[str, list[NeuronEntry]] = {}
    for entry in entries:
        by_label.setdefault(_group_key(entry), []).append(entry)
    groups = {
        key: NeuronGroup(own[0].title if own[0].label.text else "No label", tuple(sorted(own, key=_strength)))
        for key, own in by_label.items()
    }
    last = {NOTHING_FITS: 1, "": 2}
    order = sorted(groups, key=lambda key: (last.get(key, 0), -groups[key].strength))
    return tuple(groups[key] for key in order)


def _group_key(entry: NeuronEntry) -> str:
    return (same_label(entry.label.text) or "") if entry.claimed else NOTHING_FITS


def _strength(entry: NeuronEntry) -> float:
    return -entry.effect.value if entry.effect else 0.0


def _entry(
    explorer: Explorer,
    spot: Spot,
    state: NeuronReview,
    row: Mapping[Any, Any],
    own: Effect | None,
    chance: float,
) -> NeuronEntry:
    layer, neuron = spot
    labels, _ = explorer.labels(layer, neuron)
    pairs, mean = explorer.pairs(layer, neuron)
    labeler = explorer.stored_labels.first_labeler(layer)
    machine = labels.get(labeler, ())[:LABELS]
    return NeuronEntry(
        layer=layer,
        neuron=neuron,
        label=label_in_force(explorer.stored_facets.machine_labels(layer).get(neuron), state),
        state=state,
        claimed=claims(neuron, state, unclaimed(explorer, layer)),
        chance=chance_words(chance) if isfinite(chance) else "",
        lacking=neuron in explorer.stored_facets.absences(layer),
        labeler=LABELERS[labeler].title,
        machine=machine,
        beside=() if labeler == COSINE else _beside(labels.get(COSINE, ()), machine),
        pairs=pairs[:PAIRS],
        sentence=row["sentence"],
        mean=mean,
        maximum=float(row["maximum"]),
        share_firing=float(row["share_firing"]),
        effect=own,
        stability=float(row["stability"]),
    )


def _beside(by_csp: Sequence[LabelRow], machine: Sequence[LabelRow]) -> tuple[LabelRow, ...]:
    best, first = tuple(by_csp[:LABELS]), {row.label for row in machine[:1]}
    return (*best, *(row for row in by_csp[LABELS:] if row.label in first))


def _cards(explorer: Explorer) -> tuple[tuple[ModelCard, ...], str]:
    try:
        return tuple(model_card(explorer, name) for name in (None, *people_columns(explorer.run))), ""
    except BadInputError as error:
        return (), str(error)


def _classes(names: Sequence[str], images: pd.DataFrame) -> tuple[ClassRow, ...]:
    true, predicted = images["label"], images["prediction"]
    rows = ((true == name, predicted == name) for name in names)
    return tuple(
        ClassRow(name, int(is_it.sum()), int(called.sum()), int((is_it & called).sum()))
        for name, (is_it, called) in zip(names, rows, strict=True)
    )
