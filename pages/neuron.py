"""One neuron: the images that make it fire beside their look-alikes, and what labels fit the difference."""

import streamlit as st

from csp.face.screen.judge.bar import verdict_bar
from csp.face.screen.judge.history import review_history
from csp.face.screen.neuron.histogram import activation_histogram
from csp.face.screen.neuron.image_dialog import image_dialog
from csp.face.screen.neuron.images import chosen_arrangement, neuron_images
from csp.face.screen.neuron.options import chosen_options
from csp.face.screen.neuron.scores import labels_panel
from csp.face.screen.neuron.similar import similar_panel
from csp.face.screen.neuron.toolbar import toolbar
from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.state.cached import chosen_explorer, chosen_layer
from csp.face.screen.url.params import whole_number
from csp.face.screen.wording import oddity, plain

with frame("Neuron"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)
    run = explorer.run
    neurons = run.layer(layer).neurons
    neuron = whole_number(params, "neuron", 0, neurons - 1, 0)
    options = chosen_options(params, explorer)
    kind = chosen_arrangement(params)
    view = explorer.neuron(layer, neuron, options)

    toolbar(run, layer, neuron, kind)
    if odd := oddity(view):
        st.info(plain(odd), icon=":material/info:")
    if note := run.outlying_note(layer):
        st.caption(f":material/bolt: {plain(note)}.")
    pictures, words = st.container(key="neuron-body").columns([52, 48], gap="medium")
    with pictures:
        images = neuron_images(explorer, view, kind)
        numbers, others = st.container(key="neuron-below").columns([54, 46], gap="small")
    with words:
        labels_panel(explorer, view)
    with numbers:
        activation_histogram(explorer, view)
    with others:
        similar_panel(explorer, view)
    review_history(explorer, view)
    run_line(run)
    verdict_bar(explorer, view)
    image_dialog(explorer, view, images)
