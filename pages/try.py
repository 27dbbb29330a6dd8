"""One picture through the model: what it says, and which neurons made it say so."""

import streamlit as st

from csp.face.screen.elements.picture_picker import another_picture, chosen_picture, probe_picker, upload_box
from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.page.pickers import layer_picker, run_picker
from csp.face.screen.reliance.what_if import what_if_section
from csp.face.screen.search.beside import with_beside
from csp.face.screen.search.try_image import (
    chosen_image,
    chosen_order,
    neurons_behind,
    order_bar,
    prediction,
    try_chosen,
)
from csp.face.screen.state.cached import chosen_explorer, chosen_layer
from csp.face.screen.url.params import note_read

with frame("Try an image"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="try-bar"):
        st.subheader("Try an image", anchor=False, width="content")
        layer_picker(explorer.run, layer)
        run_picker(explorer.run)
    note_read("class", "page")  # stay for the way back to the pictures
    chosen = chosen_picture(params, explorer.run)
    if chosen is None:
        upload_box()
        probe_picker(params, explorer.run, columns=6)
    else:
        left, right = st.columns([28, 72], gap="medium")
        with left:
            chosen_image(explorer, chosen)
            chosen = with_beside(explorer.run, chosen)
        with right:
            outcome = try_chosen(explorer, layer, chosen)
            if outcome is not None:
                order = chosen_order(params, outcome)
                order_bar(order, outcome)
                neurons_behind(explorer, chosen, outcome, order, params)
        with left:
            if outcome is not None:
                prediction(explorer, chosen, outcome)
                what_if_section(explorer, params, chosen.upload or chosen.image or 0, chosen.token)
            another_picture()
    run_line(explorer.run)
