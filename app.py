"""The start page: the question, one live example, and the run at a glance."""

import streamlit as st

from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.start.home import example, example_neurons, run_summary
from csp.face.screen.state.cached import chosen_explorer, chosen_layer
from csp.face.screen.wording import plain

IDEA = (
    "A classifier is made of neurons, and each answers to something in the picture. To see what, compare the "
    "pictures that make a neuron fire with look-alikes that make it fire less."
)

with frame("Start"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)

    st.title("Does this neuron fire for the lesion or for the ruler?", anchor=False)
    st.markdown(IDEA)
    neurons = example_neurons(explorer, layer)
    if neurons:
        example(explorer, layer, neurons)
    else:
        st.info(f"No neuron of {plain(layer)} has a label that is likely enough to be an example here.")
    run_summary(explorer)
    run_line(explorer.run)
