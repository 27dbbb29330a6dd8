"""Two neurons, two methods, two contrasts or two runs side by side: what changes comes first."""

import streamlit as st

from csp.face.screen.compare_sides import chosen_sides, side_pickers
from csp.face.screen.compare_views import compared
from csp.face.screen.data import chosen_explorer, chosen_layer
from csp.face.screen.frame import frame, run_line
from csp.face.screen.steering import layer_picker, run_picker

with frame("Compare"):
    address = st.query_params.to_dict()
    explorer = chosen_explorer(address)
    layer = chosen_layer(address, explorer)
    sides = chosen_sides(address, explorer, layer)
    with st.container(horizontal=True, vertical_alignment="center", key="steering", gap="small"):
        layer_picker(explorer.run, layer)
        run_picker(explorer.run)
        st.space("small")
        side_pickers(sides, explorer, layer)
    compared(explorer, layer, sides, address)
    run_line(explorer.run)
