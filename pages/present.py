"""Present mode, for demonstrations: large type, no numbers, nothing that changes data."""

import streamlit as st

from csp.face.screen.page.frame import frame
from csp.face.screen.start.present import present
from csp.face.screen.state.cached import chosen_explorer, chosen_layer

with frame("Present"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    present(params, explorer, chosen_layer(params, explorer))
