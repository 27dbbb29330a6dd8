"""All that is known of the neurons of a layer, one row each: what the table shows and what the export writes.

known = machine_rows(explorer, "layer4")                   # from the run and what was added to it: to be kept
rows = with_reviews(known, desk.reviewed("layer4"))        # people's labels first: cheap, done anew each time
rows.frame                                                 # columns(), in this order
rows.faithful_by, rows.attribution_how                     # what these numbers are; None: not measured
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import TAGS, Action
from csp.work.attribution.class_attribution import ClassAttribution, How, class_attribution
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import label_chances
from csp.work.metrics.registry import faithful_numbers, label_numbers, neuron_numbers
from csp.work.metrics.results import faithfulness
from csp.work.neurons.doubt import DOUBTFUL, DOUBTS, doubtful, doubts
from csp.work.provenance import Provenance
from csp.work.reviews.artefacts import artefact_tags
from csp.work.reviews.checklist import criteria
from csp.work.reviews.label_in_force import label_in_force
from csp.work.reviews.recalibrated import Recalibrated

UNSTABLE = 0.5
"""A first label with a smaller chance to stay first is unstable."""
UNREVIEWED, DISPUTED = "unreviewed", "disputed"
REVIEWS = (
    UNREVIEWED,
    *(str(act) for act in (Action.CONFIRM, Action.OVERRIDE, Action.REJECT, Action.UNSURE)),
    DISPUTED,
)
"""What the column `review` says; a settled dispute counts as its outcome."""


def columns() -> tuple[str, ...]:
    """The columns of `NeuronRows.frame`, in this order."""
    return (
        *("neuron", "label", "source", "whose", "in_force", "machine_label", "machine_labels", "above_noise"),
        *("chance", "score", "margin", "faithful"),
        *DOUBTS,
        "doubtful",
        *label_numbers(),
        *neuron_numbers(),
        *("push_class", "push", "artefacts", "review", "reviewers", "second_look"),
        *("state", "sentence", "mean", "maximum", "share_firing", "top_images"),
    )


@dataclass(frozen=True)
class NeuronRows:
    """The neurons of one layer."""

    layer: str
    frame: pd.DataFrame
    """One row a neuron, `columns`; NaN where something was not measured."""
    faithful_by: str | None
    """The measure in the column `faithful`; None where none was taken."""
    attribution_how: How | None
    """How `push` was found, see `ClassAttribution.how`; None where it was not measured."""
    provenance: Provenance
    chances_by: int = 0
    """Of how many neurons people's verdicts recalibrated `chance`; 0: none did."""


def machine_rows(explorer: Explorer, layer: str) -> NeuronRows:
    """What the machine says of each neuron; raises BadInputError for a run without precomputed neurons."""
    table = explorer.neurons(layer)
    measured = faithfulness(explorer, layer).set_index("neuron").reindex(table.frame["neuron"])
    faithful_by = next((name for name in faithful_numbers() if measured[name].notna().any()), None)
    noise = unclaimed(explorer, layer)
    frame = table.frame.assign(
        machine_label=table.frame["label"],
        machine_labels=_machine_labels(explorer, layer, table.frame["neuron"]),
        above_noise=~table.frame["neuron"].isin(noise),
        chance=label_chances(explorer.run, layer)[table.frame["neuron"]],
    )
    for name in (*label_numbers(), *neuron_numbers()):
        frame[name] = measured[name].to_numpy(dtype=np.float64)
    frame["faithful"] = frame[faithful_by] if faithful_by else np.nan
    doubted = doubts(explorer, layer, measured["stability"], measured[list(faithful_numbers())])
    frame = _of_absences(explorer, layer, frame.join(doubted, on="neuron"))
    frame["doubt"] = (1 - frame["chance"]).where(frame["chance"].notna(), frame["doubt"])
    frame["doubtful"] = doubtful(frame)
    attribution = class_attribution(explorer, layer)
    frame["push_class"], frame["push"] = _towards(attribution, len(frame))
    frame = frame.assign(**_unsaid(frame["machine_labels"], frame["above_noise"]))[list(columns())]
    return NeuronRows(layer, frame, faithful_by, attribution.how if attribution else None, table.provenance)


def doubted_under(rows: NeuronRows, under: float) -> NeuronRows:
    """The rows with `doubtful` by another chance."""
    if under == DOUBTFUL:
        return rows
    return replace(rows, frame=rows.frame.assign(doubtful=doubtful(rows.frame, under)))


def common_labels(layers: Sequence[NeuronRows], most: int) -> list[str]:
    """The labels in force that most neurons have, commonest first; what is not claimed counts for none."""
    frames = [one.frame[["in_force", "above_noise"]] for one in layers]
    counts = Counter(
        text
        for frame in frames
        for first, above in zip(frame["in_force"], frame["above_noise"], strict=True)
        if above or first.by is not None
        for text in first.texts
    )
    return [text for text, _ in counts.most_common(most)]


def with_chances(rows: NeuronRows, found: Recalibrated) -> NeuronRows:
    """The rows with the chances, and so the doubt, by people's verdicts on the run, where they are enough."""
    if not found.recalibrated:
        return rows
    frame = rows.frame.assign(chance=found.chances[rows.frame["neuron"]])
    frame["doubt"] = (1 - frame["chance"]).where(frame["chance"].notna(), frame["doubt"])
    frame["doubtful"] = doubtful(frame)
    return replace(rows, frame=frame, chances_by=found.judged)


def with_reviews(rows: NeuronRows, reviewed: Mapping[int, NeuronReview]) -> NeuronRows:
    """The rows with what people decided: their label before the machine's, and the artefacts named.

    Only the rows of `reviewed` change: of 50,000 neurons most were judged by nobody.
    """
    places = [place for place, neuron in enumerate(rows.frame["neuron"].tolist()) if neuron in reviewed]
    if not places:
        return rows
    states = [reviewed[neuron] for neuron in rows.frame["neuron"].iloc[places].tolist()]
    machine, above = (rows.frame[name].iloc[places].tolist() for name in ("machine_labels", "above_noise"))
    said = _said(machine, states, above)
    columns = {name: rows.frame[name].to_numpy(dtype=object, copy=True) for name in said}
    for name, values in said.items():
        for place, value in zip(places, values, strict=True):
            columns[name][place] = value
    people = {name: pd.Series(values, rows.frame.index, dtype=object) for name, values in columns.items()}
    return replace(rows, frame=rows.frame.assign(**people))


def _said(
    machine: Sequence[tuple[str, ...]], states: Sequence[NeuronReview], above_noise: Sequence[bool]
) -> dict[str, list[Any]]:
    """The columns that people's decisions change. A machine's label of noise names no artefact."""
    in_force = [label_in_force(own, state) for own, state in zip(machine, states, strict=True)]
    labels = [one.text for one in in_force]
    claimed = [
        text if above or state.source == "person" else None
        for text, state, above in zip(labels, states, above_noise, strict=True)
    ]
    return {
        "label": labels,
        "source": [state.source for state in states],
        "whose": [one.words for one in in_force],
        "in_force": in_force,
        "artefacts": _artefacts(claimed, states),
        "review": [_review(state) for state in states],
        "reviewers": [[who.name for who in state.verdicts] for state in states],
        "second_look": [state.second_look is not None for state in states],
    }


def _of_absences(explorer: Explorer, layer: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Where a lacking thing is the label, that and its score; what is known of the first label falls away."""
    found = explorer.stored_facets.absences(layer)
    lacking = frame["neuron"].isin(found.keys())
    if not lacking.any():
        return frame
    own = [found[neuron].labels[0] for neuron in frame.loc[lacking, "neuron"]]
    frame = frame.copy()
    frame.loc[lacking, "machine_label"] = [row.label for row in own]
    frame.loc[lacking, "score"] = [row.score for row in own]
    of_first = ["margin", "faithful", "lead", "doubt", *label_numbers()]
    frame.loc[lacking, of_first] = np.nan
    frame.loc[lacking, "meanings"] = 1
    frame.loc[lacking, "rival"] = None
    frame["doubts"] = frame["doubts"].where(~lacking, pd.Series([[]] * len(frame), frame.index, dtype=object))
    return frame


def _machine_labels(explorer: Explorer, layer: str, neurons: pd.Series) -> pd.Series:
    """All that the machine says each neuron looks for, as tuples; an empty one where it says nothing."""
    known = explorer.stored_facets.machine_labels(layer)
    return pd.Series([known.get(neuron, ()) for neuron in neurons.tolist()], neurons.index, dtype=object)


def _unsaid(machine: pd.Series, above_noise: pd.Series) -> dict[str, pd.Series]:
    """The same while nobody has decided anything: it depends on the label and whether it is above noise."""
    each = list(zip(machine.tolist(), above_noise.tolist(), strict=True))
    place = {one: number for number, one in enumerate(dict.fromkeys(each))}
    said = _said([label for label, _ in place], [NeuronReview()] * len(place), [above for _, above in place])
    order = [place[one] for one in each]
    return {
        name: pd.Series([values[one] for one in order], machine.index, dtype=object)
        for name, values in said.items()
    }


def _artefacts(labels: Sequence[str | None], states: Sequence[NeuronReview]) -> list[list[str]]:
    """In words; labels repeat, so each is looked through once."""
    known, nobody = criteria(), NeuronReview()
    named = {label: artefact_tags(label, nobody, known) for label in dict.fromkeys(labels)}
    tags = [
        artefact_tags(label, state, known) if state.events else named[label]
        for label, state in zip(labels, states, strict=True)
    ]
    return [[TAGS[tag] for tag in found] for found in tags]


def _review(state: NeuronReview) -> str:
    if state.disputed:
        return DISPUTED
    if state.verdict is Action.RESOLVE:
        return str(Action.REJECT if state.label is None else Action.OVERRIDE)
    return UNREVIEWED if state.verdict is None else str(state.verdict)


def _towards(attribution: ClassAttribution | None, neurons: int) -> tuple[pd.Series, pd.Series]:
    """The class that each neuron pushes towards most and how much; nothing where there is none."""
    if attribution is None:
        return pd.Series([None] * neurons, dtype=object), pd.Series([np.nan] * neurons, dtype=np.float64)
    most = attribution.most
    return most, attribution.table.max(axis=1).where(most.notna())
