"""Two neurons, two methods, two contrasts or two runs side by side: what changes comes first."""

import streamlit as st

from csp.face.screen.compare.sides import chosen_sides, side_pickers
from csp.face.screen.compare.views import compared
from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.page.pickers import layer_picker, run_picker
from csp.face.screen.state.cached import chosen_explorer, chosen_layer

with frame("Compare"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)
    sides = chosen_sides(params, explorer, layer)
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar", gap="small"):
        layer_picker(explorer.run, layer)
        run_picker(explorer.run)
        st.space("small")
        side_pickers(sides, explorer, layer)
    compared(explorer, layer, sides, params)
    run_line(explorer.run)
