"""All neurons of a layer: thumbnails, suggested label, score, doubt. A click opens one."""

import streamlit as st

from csp.face.screen.data import chosen_explorer, chosen_layer, neurons_of
from csp.face.screen.frame import frame, run_line
from csp.face.screen.neuron_filters import chosen_filters, filter_bar, page_bar
from csp.face.screen.neuron_table import neuron_table
from csp.face.screen.words import origin, plain

with frame("Neurons"):
    address = st.query_params.to_dict()
    explorer = chosen_explorer(address)
    layer = chosen_layer(address, explorer)
    table = neurons_of(explorer, layer)
    filters = chosen_filters(address)

    filter_bar(explorer.run, layer, filters, table.frame)
    found = filters.apply(table.frame)
    page = page_bar(address, found, table.frame)
    neuron_table(explorer.run, layer, page, table.frame, explorer.score_range(layer))
    with st.container(key="provenance"):
        st.caption(f"Labels and scores: {plain(origin(table.provenance))}")
    run_line(explorer.run)
