"""Present mode: a guided tour of five steps, or one neuron after the other, for people who look at a wall."""

import streamlit as st

from csp.face.screen.elements.components import PARTS
from csp.face.screen.page.shortcuts import shortcut
from csp.face.screen.start.slides import SLIDES, neuron_slide
from csp.face.screen.state.cached import reviewed, turns_of
from csp.face.screen.url.params import Params, note_read, whole_number
from csp.face.screen.url.state import put, stands_at
from csp.work.explorer.explorer import Explorer
from csp.work.reviews.label_in_force import label_in_force


def present(params: Params, explorer: Explorer, layer: str) -> None:
    """Draws the slide that the address asks for, and the foot with its two keys."""
    note_read("step")  # a run may have no tour
    st.html(PARTS / "present.css")
    with st.container(key="present"):
        if "neuron" in params:
            _one_neuron(params, explorer, layer)
        else:
            _tour(params, explorer)


def _tour(params: Params, explorer: Explorer) -> None:
    found = turns_of(explorer)
    if not found or not found[0].may_be_shown:
        st.info("In this run, look-alikes lead to no other likely label, so there is nothing to tour.")
        _foot(params, "", ("step", 1, 1, 1))
        return
    step = whole_number(params, "step", 1, len(SLIDES), 1)
    view = explorer.neuron(found[0].layer, found[0].neuron)
    with st.container(key="slide"):
        SLIDES[step - 1](explorer, view, found)
    _foot(params, f"{step} of {len(SLIDES)}", ("step", step, 1, len(SLIDES)))


def _one_neuron(params: Params, explorer: Explorer, layer: str) -> None:
    neurons = explorer.run.layer(layer).neurons
    neuron = whole_number(params, "neuron", 0, neurons - 1, 0)
    machine = explorer.stored_facets.machine_labels(layer).get(neuron)
    label = label_in_force(machine, reviewed(explorer, layer).get(neuron))
    with st.container(key="slide"):
        neuron_slide(explorer, explorer.neuron(layer, neuron), label)
    _foot(params, "", ("neuron", neuron, 0, neurons - 1))


def _foot(params: Params, where: str, moves: tuple[str, int, int, int]) -> None:
    """Back, Next and the way out; `moves` is the parameter that changes, its value, and its range."""
    _, value, low, high = moves
    with st.container(horizontal=True, vertical_alignment="center", key="present-foot"):
        for key, label, by in (("previous", "Back", -1), ("next", "Next", 1)):
            st.button(
                label,
                key=key,
                shortcut=shortcut(key),
                disabled=not low <= value + by <= high,
                on_click=_turn,
                args=(by, moves),
            )
        st.markdown(where, width="content")
        st.space("stretch")
        st.markdown("Not for diagnosis", width="content")
        kept = {key: text for key, text in params.items() if key in ("run", "layer", "neuron")}
        page = "pages/neuron.py" if "neuron" in params else "app.py"
        st.page_link(page, label="Leave", icon=":material/close:", query_params=kept)


def _turn(by: int, moves: tuple[str, int, int, int]) -> None:
    name, value, low, high = moves
    put(name, str(min(max(stands_at(name, value) + by, low), high)))
