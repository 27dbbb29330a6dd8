"""Concepts of two runs: which of their neurons are still there, and how much each leans on them."""

import streamlit as st

from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.state import review_store
from csp.face.screen.state.waiting import waited
from csp.face.screen.url.links import link
from csp.face.screen.wording import counted, plain
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.concepts_across import Across, ConceptAcross, Effect, concepts_across
from csp.work.neurons.counterparts import ALIKE
from csp.work.reliance.words import points


def concepts_of_two(a: Explorer, b: Explorer) -> None:
    """The table, those with the most neurons in the first run first."""
    states = [review_store.standing(one).states() for one in (a, b)]
    key = (
        a.run.fingerprint,
        b.run.fingerprint,
        *(sum(len(one.events) for one in own.values()) for own in states),
    )
    found = waited(
        "across", key, lambda: concepts_across(a, states[0], b, states[1]), "Matching neurons of two runs"
    )
    if found is None:
        return
    st.markdown(_how(found))
    with st.container(key="concepts-across"):
        rows = [_row(one, a.run.name) for one in found.concepts]
        row_table("Concepts of two runs", _columns(a.run.name, b.run.name), rows, key="across")


def _how(found: Across) -> str:
    layers = plain(", ".join(found.layers))
    if found.images is None:
        return (
            f"Neurons of {layers}: both runs are of the same weights, so equal numbers name the same neurons."
        )
    return (
        f"Neurons of {layers}, each matched with the one that fires most like it on "
        f"{counted(found.images, 'shared image')} (correlation of at least {ALIKE}). A model that was mended "
        "in its weights keeps its neurons: then only the last two columns fall."
    )


def _columns(a: str, b: str) -> list[Column]:
    return [
        Column("Concept"),
        Column(f"Neurons in {a}", numeric=True),
        Column("Still there", f"A neuron of {b} fires alike, and its label means the same", numeric=True),
        Column(
            "Other label", f"A neuron of {b} fires alike, and its label means something else", numeric=True
        ),
        Column("Gone", f"No neuron of {b} fires alike", numeric=True),
        Column(f"Neurons in {b}", numeric=True),
        Column("New", f"No neuron of {a} fires alike", numeric=True),
        Column(f"Switched off, {a}", "Change of the class that moves most, in points, where shown"),
        Column(f"Switched off, {b}", "The same in the other run"),
    ]


def _row(one: ConceptAcross, run: str) -> Row:
    counts = (one.in_a, one.kept, one.other_label, len(one.gone), one.in_b, len(one.new))
    cells: list[Cell] = [
        ("text", one.name),
        *(("text", f"{count:,}") for count in counts),
        _effect(one.effect_a),
        _effect(one.effect_b),
    ]
    if not one.in_a:
        return Row(cells)
    return Row(cells, href=link("reliance", run=run, concept=one.name), hint=f"Opens {one.name}")


def _effect(effect: Effect | None) -> Cell:
    if effect is None:
        return "quiet", "–"
    leans = "leans on it" if effect.leans else "not enough to matter"
    return "lines", (f"{effect.of_class} {points(effect.change)}", leans)
