"""Which neurons look for this? By words, by a picture, or like another neuron."""

import streamlit as st

from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.search.bar import (
    chosen_layers,
    chosen_way,
    neuron_box,
    query_box,
    search_bar,
    suggestions,
)
from csp.face.screen.search.found import found_by_picture, found_by_words, found_like
from csp.face.screen.state.cached import chosen_explorer, chosen_layer
from csp.face.screen.url.params import note_read, text

with frame("Search"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)
    note_read("query", "neuron", "image", "class", "page")  # stay for the way back to another way to search
    way, layers = chosen_way(params), chosen_layers(params, explorer.run, layer)

    search_bar(explorer.run, layer, way, layers)
    if way == "words":
        words = text(params, "query").strip()
        query_box(words, explorer.run)
        if words:
            found_by_words(explorer, layers, words, params)
        else:
            suggestions(explorer, layers)
    elif way == "neuron":
        neuron = neuron_box(params, explorer.run, layer)
        found_like(explorer, layers, layer, neuron, params)
    else:
        found_by_picture(explorer, layers, params)
    run_line(explorer.run)
