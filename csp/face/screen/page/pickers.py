"""Choosing the run and the layer that a page shows."""

from collections.abc import Iterable

import streamlit as st

from csp.face.screen.state.cached import run_names
from csp.face.screen.url.params import Params, fraction
from csp.face.screen.url.state import follow, write
from csp.keeping.run_folder.run import Run
from csp.work.neurons.doubt import DOUBTFUL

TENTHS = (0.3, 0.5, 0.7, 0.9)


def layer_picker(run: Run, layer: str) -> None:
    """Chooses the layer; the neuron and page of the old one are forgotten."""

    def name_of(layer: str) -> str:
        return f"{layer} (SAE)" if run.layer(layer).sae else layer

    follow("layer", layer)
    st.selectbox(
        "Layer",
        run.layers,
        run.layers.index(layer),
        format_func=name_of,
        key="layer",
        on_change=write,
        args=("layer", ("neuron", "page", "most", "pin", "image")),
        label_visibility="collapsed",
        width=_wide_enough(map(name_of, run.layers)),
    )


def _wide_enough(names: Iterable[str]) -> int:
    """Pixels in which each name is read whole, as far as there is room: `features.1` is not `features.12`."""
    return min(max(104, *(48 + 8 * len(name) for name in names)), 300)


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
        args=("run", ("layer", "neuron", "page", "most", "examples", "pin", "image")),
        label_visibility="collapsed",
        width=_wide_enough([run.name]),
    )


def chosen_doubt(params: Params) -> float:
    """Under which chance to be true a label counts as doubtful: `under` in the address, 0 to 1."""
    return fraction(params, "under", DOUBTFUL)


def doubt_picker(under: float) -> None:
    """Chooses that chance."""
    follow("under", under)
    st.selectbox(
        "Doubtful: true in less than",
        sorted({*TENTHS, under}),
        key="under",
        format_func=lambda chance: f"Under {10 * chance:g} in 10",
        help="A label counts as doubtful when it is less likely to be true than this",
        on_change=write,
        args=("under", ("page", "neuron")),
        label_visibility="collapsed",
        width=140,
    )
