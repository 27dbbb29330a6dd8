"""Artefact neurons with the class that they push towards and the evidence: their strongest pictures."""

import streamlit as st

from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.elements.pager import chosen_page, pager
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.url.links import neuron_link
from csp.face.screen.url.params import Params
from csp.face.screen.wording import plain, spot
from csp.keeping.reviews.vocabulary import NO_LABEL_FITS
from csp.work.attribution.class_attribution import HOW
from csp.work.explorer.explorer import Explorer
from csp.work.reliance.words import signed
from csp.work.reviews.artefacts import ArtefactNeuron
from csp.work.reviews.label_in_force import in_words

IMAGES = 5
PAGE = 25
"""Rows at a time."""


def artefact_table(explorer: Explorer, artefacts: list[ArtefactNeuron], params: Params) -> None:
    """One page of the artefact neurons, those that push towards a class most first."""
    if not artefacts:
        st.caption(
            "No label in force and no tag names an artefact: ruler, hair, ink, sticker, gel, dark corner."
        )
        return
    page = chosen_page(params, len(artefacts), PAGE)
    run, shown = explorer.run, artefacts[page.rows]
    frames = {layer: explorer.neurons(layer).frame for layer in {one.layer for one in shown}}
    rows = []
    for one in shown:
        images = frames[one.layer]["top_images"].iloc[one.neuron][:IMAGES]
        towards: Cell = (
            ("lines", (one.towards, f"{signed(one.attribution or 0.0, 2)}, {one.how}"))
            if one.towards
            else ("quiet", "none" if one.how else "not measured")
        )
        rows.append(
            Row(
                [
                    ("text", spot(one.layer, one.neuron)),
                    ("images", [{"src": source(run, image), "alt": f"image {image}"} for image in images]),
                    ("lines", (one.words, f"label: {in_words(one.label) or NO_LABEL_FITS}")),
                    towards,
                    ("quiet", "a person's label" if one.source == "person" else "machine's suggestion"),
                ],
                href=neuron_link(run.name, one.layer, one.neuron),
            )
        )
    columns = [
        Column("Neuron"),
        Column("What makes it fire"),
        Column("Artefact"),
        Column("Pushes towards", "The class that the neuron speaks for most"),
        Column("Whose label"),
    ]
    row_table("Artefact neurons", columns, rows, key="audit-artefacts")
    pager(page)
    for how in sorted({one.how for one in shown if one.how}):
        st.caption(f"**{plain(how)}**: {plain(HOW[how])}")
