"""Choosing the run and the layer that a page shows."""

import streamlit as st

from csp.face.screen.state.cached import run_names
from csp.face.screen.url.state import follow, write
from csp.keeping.run_folder.run import Run


def layer_picker(run: Run, layer: str) -> None:
    """Chooses the layer; the neuron and page of the old one are forgotten."""
    follow("layer", layer)
    st.selectbox(
        "Layer",
        run.layers,
        run.layers.index(layer),
        key="layer",
        on_change=write,
        args=("layer", ("neuron", "page", "pin", "image")),
        label_visibility="collapsed",
        width=112,
    )


def run_picker(run: Run) -> None:
    """Chooses the run; drawn only where there is a choice."""
    names = run_names()
    if len(names) < 2:
        return
    follow("run", run.name)
    st.selectbox(
        "Run",
        names,
        names.index(run.name),
        key="run",
        on_change=write,
        args=("run", ("layer", "neuron", "page", "examples", "pin", "image")),
        label_visibility="collapsed",
        width=124,
    )
