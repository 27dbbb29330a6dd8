"""Artefact neurons with the class that they push and the evidence: their strongest pictures."""

from urllib.parse import urlencode

import streamlit as st

from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.wording import plain, spot
from csp.work.attribution.class_attribution import HOW
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.artefacts import ArtefactNeuron

PICTURES = 5
LEAF = 25
"""Rows at a time."""


def artefact_table(explorer: Explorer, artefacts: list[ArtefactNeuron], page: int) -> None:
    """One leaf of the artefact neurons, those that push a class most first."""
    if not artefacts:
        st.caption(
            "No label in force and no tag names an artefact: ruler, hair, ink, sticker, gel, dark corner."
        )
        return
    run, shown = explorer.run, artefacts[(page - 1) * LEAF : page * LEAF]
    frames = {layer: explorer.neurons(layer).frame for layer in {one.layer for one in shown}}
    rows = []
    for one in shown:
        images = frames[one.layer]["top_images"].iloc[one.neuron][:PICTURES]
        pushes: Cell = (
            ("lines", (one.pushes, f"{one.push:+.2f}, {one.how}")) if one.pushes else ("quiet", "none")
        )
        rows.append(
            Row(
                [
                    ("text", spot(one.layer, one.neuron)),
                    ("images", [{"src": source(run, image), "alt": f"image {image}"} for image in images]),
                    ("lines", (one.words, f"label: {one.label or 'none fits'}")),
                    pushes,
                    ("quiet", "a person's label" if one.source == "person" else "machine's suggestion"),
                ],
                href="neuron?" + urlencode({"run": run.name, "layer": one.layer, "neuron": one.neuron}),
            )
        )
    columns = [
        Column("Neuron"),
        Column("What makes it fire"),
        Column("Artefact"),
        Column("Pushes", "The class that the neuron speaks for most"),
        Column("Whose label"),
    ]
    row_table("Artefact neurons", columns, rows, key="audit-artefacts")
    for how in sorted({one.how for one in shown if one.how}):
        st.caption(f"**{plain(how)}**: {plain(HOW[how])}")
