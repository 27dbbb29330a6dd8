"""Present mode, for demonstrations: large type, no numbers, nothing that changes data."""

import streamlit as st

from csp.face.screen.data import chosen_explorer, chosen_layer
from csp.face.screen.frame import frame
from csp.face.screen.present import present

with frame("Present"):
    address = st.query_params.to_dict()
    explorer = chosen_explorer(address)
    present(address, explorer, chosen_layer(address, explorer))
