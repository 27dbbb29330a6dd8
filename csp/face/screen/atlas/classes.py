"""What speaks for a class and what against it: neurons as cards, artefacts flagged."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from csp.face.screen.atlas.facts import claimed_texts, label_lines, persons_line, strongest_images
from csp.face.screen.elements.components import Badge, Card, Cell, Column, Row, card_grid, row_table
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.runs.job_offer import job_offer
from csp.face.screen.state.cached import guesses
from csp.face.screen.url.links import link, neuron_link
from csp.face.screen.url.params import Params, one_of
from csp.face.screen.url.state import follow, ranges, write
from csp.face.screen.wording import NOISE_HELP, by_chance, counted, plain
from csp.keeping.run_folder.run import Run
from csp.work.attribution.class_attribution import (
    HOW,
    ClassAttribution,
    artefact_attribution,
    extremes,
    on_both_sides,
)
from csp.work.attribution.model_card import GUESSES_BY_NONE
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.rows import NeuronRows
from csp.work.reliance.words import signed
from csp.work.reviews.artefacts import artefacts_by_chance, artefacts_untrained

SIDE_BY_SIDE = 4
"""So many classes stand beside each other; of more, one is chosen."""
EACH, ALONE = 3, 12
"""Neurons for and against a class: where several stand side by side, and where it stands alone."""
IMAGES = 4
MOST_NEURONS = 8
_OTHERS = Column("Most of the other classes", "Which class of those not shown these neurons push most")
NO_CLASSES = (
    "This run names no classes: the model gave no class probabilities, so no neuron can be said to push "
    "towards one. Make the run with `csp index` from a classifier, or give the probabilities to `csp import`."
)


NO_MODEL = (
    "How much neurons push towards each class was not measured, and can't be: the run was imported and names "
    "no model to ask. Make the run with `csp index`."
)


def not_measured(run: Run, layer: str) -> None:
    """Says that no push was measured in this layer, beside the button that has it done where it can be."""
    if not run.manifest.target.spec:
        st.info(NO_MODEL, icon=":material/balance:")
        return
    job_offer(
        "attribution",
        {"run": run.name, "layer": layer},
        f"How much the neurons of {plain(layer)} push towards each class was not measured. "
        "It takes a minute or so, once, and needs the model.",
        button="Measure it",
        key="measure-attribution",
        icon=":material/balance:",
        command=f"csp attribute {run.name} --layer {layer}",
    )


def chosen_classes(params: Params, classes: Sequence[str]) -> list[str]:
    """The class that the address asks for; without one all of a few, or the first of many."""
    if "class" in params:
        return [one_of(params, "class", classes, classes[0])]
    return list(classes) if len(classes) <= SIDE_BY_SIDE else [classes[0]]


def class_picker(classes: Sequence[str], shown: Sequence[str]) -> None:
    """Chooses one class, or all where they are few."""
    few = len(classes) <= SIDE_BY_SIDE
    options = (["", *classes]) if few else list(classes)
    follow("class", "" if few and len(shown) > 1 else shown[0])
    st.selectbox(
        "Class",
        options,
        format_func=lambda name: name or "All classes",
        key="class",
        on_change=write,
        args=("class",),
        label_visibility="collapsed",
        width=240,
    )


def class_columns(run: Run, rows: NeuronRows, attribution: ClassAttribution, shown: Sequence[str]) -> None:
    """A column for each class, or one over the whole width."""
    st.caption(f"How the number is found: {plain(HOW[attribution.how])}.")
    alone = len(shown) == 1
    ends = [extremes(attribution, name, ALONE if alone else EACH) for name in shown]
    labels = dict(enumerate(map(claimed_texts, rows.frame.to_dict("records"))))
    if both := [(found.name, texts) for found in ends if (texts := on_both_sides(found, labels))]:
        said = "; ".join(
            f"both for and against {plain(name)}: *{plain(', '.join(texts))}*" for name, texts in both
        )
        st.caption(
            f"{said[0].upper()}{said[1:]}. A label says what makes a neuron fire, not how the model uses it: "
            "neurons with the same label may push opposite ways. What they do together is told by "
            "*What it leans on*."
        )
    with st.container(key="class-push"):
        for position, (column, name, found) in enumerate(
            zip(st.columns(len(shown), gap="medium"), shown, ends, strict=True)
        ):
            with column.container(gap="xsmall"):
                st.subheader(plain(name), anchor=False)
                for side, neurons in (("for", found.speak_for), ("against", found.speak_against)):
                    st.markdown(f"**Speak {side} it**" if neurons else f"No neuron speaks {side} it.")
                    cards = [_card(run, rows, neuron, value) for neuron, value in neurons]
                    key = f"class-{position}-{side}"
                    card_grid(f"Speak {side} {name}", cards, columns=4 if alone else 1, key=key)


def artefact_section(
    explorer: Explorer, rows: NeuronRows, attribution: ClassAttribution, shown: Sequence[str]
) -> None:
    """Artefacts that a label or a person's tag names, and how much their neurons push towards each class."""
    run = explorer.run
    st.subheader("Artefacts, and the classes they push towards", anchor=False)
    table = artefact_attribution(rows.frame[["neuron", "artefacts"]], attribution)
    chance = by_chance(
        [artefacts_by_chance(explorer, rows.layer)], [artefacts_untrained(explorer, rows.layer)]
    )
    neurons = int(rows.frame["artefacts"].map(bool).sum())
    if neurons and chance:
        void = f" {GUESSES_BY_NONE}" if guesses(explorer) else ""
        st.caption(f"{counted(neurons, 'neuron')} in all; {chance}.{void}", help=NOISE_HELP)
    with st.container(key="artefact-push"):
        if table.empty:
            st.caption("No label in force and no tag in this layer names an artefact.")
            return
        columns = [
            Column("Artefact", "From the list in checklist.csv, which can be replaced in CSP_HOME"),
            Column("Strongest neuron", "Of those whose label, or a person's tag, names the artefact"),
            Column("Neurons", "How many there are, and the first of them"),
            *(Column(name, "The strongest push of these neurons for or against the class") for name in shown),
            *([_OTHERS] if len(shown) < len(run.manifest.classes) else []),
        ]
        artefacts = [_artefact(run, rows, shown, facts) for facts in table.to_dict("records")]
        row_table("Artefacts", columns, artefacts, key="artefact-table")


def _card(run: Run, rows: NeuronRows, neuron: int, value: float) -> Card:
    facts = rows.frame.iloc[neuron].to_dict()
    marks: list[Badge] = [(word, "orange", f"An artefact: {word}") for word in facts["artefacts"]]
    return Card(
        href=neuron_link(run.name, rows.layer, neuron),
        title=f"{neuron} · {signed(value, 2)}",
        label=label_lines(facts)[0],
        line="",
        pictures=strongest_images(run, facts, IMAGES),
        badges=marks,
        hint=f"Neuron {neuron}, push {signed(value, 3)}",
        whose=persons_line(facts),
    )


def _artefact(run: Run, rows: NeuronRows, shown: Sequence[str], facts: Mapping[Any, Any]) -> Row:
    neurons, pushes = [int(neuron) for neuron in facts["neurons"]], facts["attribution"]
    first = rows.frame.iloc[neurons[0]]
    images = [
        {"src": source(run, int(image)), "alt": f"Image {image}, of neuron {neurons[0]}"}
        for image in first["top_images"][:IMAGES]
    ]
    named = ", ".join(map(str, neurons[:MOST_NEURONS])) + (" …" if len(neurons) > MOST_NEURONS else "")
    cells: list[Cell] = [
        ("text", str(facts["artefact"])),
        ("images", images),
        ("lines", (f"{len(neurons)}", named)),
        *(("text", signed(pushes[name], 2)) for name in shown),
    ]
    if others := {name: push for name, push in pushes.items() if name not in shown}:
        most = max(others, key=lambda name: abs(others[name]))
        cells.append(
            ("lines", (f"{'for' if others[most] > 0 else 'against'} {most}", signed(others[most], 2)))
        )
    listed = link("neurons", run=run.name, layer=rows.layer, picked=ranges(neurons))
    return Row(cells, href=listed, hint=f"Lists these {counted(len(neurons), 'neuron')}")
