"""What the model leans on: what changes when all neurons of a concept are switched off."""

import streamlit as st

from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.page.pickers import run_picker
from csp.face.screen.reliance.choices import chosen_column, column_picker, found_reliance
from csp.face.screen.reliance.flips import flips_section
from csp.face.screen.reliance.mend import check_mend, mend_section
from csp.face.screen.reliance.one import concept_view
from csp.face.screen.reliance.table import download, headline, reliance_table, untested
from csp.face.screen.state.cached import chosen_explorer, chosen_layer
from csp.face.screen.url.params import text

with frame("What it leans on"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    chosen_layer(params, explorer)  # which it carries to other pages
    run, by = explorer.run, chosen_column(params, explorer.run)
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar", gap="small"):
        st.subheader("What the model leans on", anchor=False, width="content")
        column_picker(run, by)
        run_picker(run)
    concept = text(params, "concept") or None
    found = found_reliance(explorer, by, concept)
    if found is not None and concept:
        concept_view(run, found)
        if found.concepts:
            flips_section(explorer, found.concepts[0].concept, params)
        check_mend(explorer, params)
    elif found is not None:
        headline(found)
        reliance_table(run, found, params)
        untested(run, found)
        download(run, found)
        mend_section(explorer, params)
    run_line(run)
