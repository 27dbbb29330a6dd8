"""Moving from neuron to neuron: pickers, previous, next, random, jump. Each writes the address only."""

import random

import streamlit as st

from csp.face.screen.neuron.images import arrangement_picker
from csp.face.screen.page.pickers import layer_picker, run_picker
from csp.face.screen.page.shortcuts import shortcut
from csp.face.screen.state.cached import chosen_explorer, chosen_layer
from csp.face.screen.url.params import whole_number
from csp.face.screen.url.state import follow, put, stands_at
from csp.keeping.run_folder.run import Run


def toolbar(run: Run, layer: str, neuron: int, kind: str) -> None:
    """One line of controls above the pictures. Keys are stable, so fast presses meet the same button."""
    neurons = run.layer(layer).neurons
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar", gap="xsmall"):
        st.subheader(f"Neuron {neuron}", anchor=False, width="content")
        st.caption(f"of {neurons} in", width="content")
        layer_picker(run, layer)
        run_picker(run)
        st.space("stretch")
        arrangement_picker(kind)
        _pin(run, layer, neuron)
        _step("previous", "Previous", -1)
        _jump_box(neuron, neurons)
        _step("next", "Next", 1)
        st.button("Random", key="random", on_click=_go_anywhere)


def _jump_box(neuron: int, neurons: int) -> None:
    """Each neuron has a box of its own. With one for all, a browser that still shows the last neuron would
    send its number along with the next press of a key, and that would count as a jump back.
    """
    key = f"jump-from-{neuron}"
    follow(key, neuron)
    st.number_input(
        "Jump to neuron",
        0,
        neurons - 1,
        neuron,
        key=key,
        on_change=_jump,
        args=(key, neuron),
        label_visibility="collapsed",
        width=76,
    )


def _jump(key: str, neuron: int) -> None:
    """A box that is on its way out of the browser still reports its number: that is no jump."""
    wanted = int(st.session_state[key])
    if wanted != neuron and st.query_params.get("neuron", "0") == str(neuron):
        _go(wanted)


def _pin(run: Run, layer: str, neuron: int) -> None:
    """Keeps a neuron in the address, to be compared with another one later."""
    pinned = whole_number(st.query_params.to_dict(), "pin", 0, run.layer(layer).neurons - 1, -1)
    if pinned not in (-1, neuron):
        sides = {"run": run.name, "layer": layer, "what": "neurons", "a": str(pinned), "b": str(neuron)}
        st.page_link("pages/compare.py", label=f"Compare with {pinned}", query_params=sides)
    on = pinned == neuron
    st.button(
        "Pinned" if on else "Pin",
        key="pin",
        shortcut=shortcut("pin"),
        type="primary" if on else "secondary",
        help="Remembers this neuron: at the next one, a link sets the two side by side.",
        on_click=_switch_pin,
        args=(pinned,),
    )


def _switch_pin(pinned: int) -> None:
    neuron = stands_at("neuron", 0)
    put("pin", "" if neuron == pinned else str(neuron))


def _step(key: str, label: str, by: int) -> None:
    # While a picture is open large, the arrows go through the pictures.
    keyed = None if "image" in st.query_params else shortcut(key)
    st.button(label, key=key, shortcut=keyed, on_click=_move, args=(by,))


def _move(by: int) -> None:
    _go((stands_at("neuron", 0) + by) % _neurons_there())


def _go_anywhere() -> None:
    """Callback: to any other neuron, drawn by lot when it is pressed: each press leads elsewhere."""
    neurons = _neurons_there()
    if neurons > 1:
        _move(random.randrange(1, neurons))  # noqa: S311


def _neurons_there() -> int:
    """How many the layer in the address has, which may not be drawn yet."""
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    return explorer.run.layer(chosen_layer(params, explorer)).neurons


def _go(neuron: int) -> None:
    put("neuron", str(neuron), drop=("image",))
