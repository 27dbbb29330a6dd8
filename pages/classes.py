"""For each class the neurons that push towards it most and least, and the artefacts among them."""

import streamlit as st

from csp.face.screen.atlas.classes import (
    NO_CLASSES,
    artefact_section,
    chosen_classes,
    class_columns,
    class_picker,
    not_measured,
)
from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.page.pickers import layer_picker, run_picker
from csp.face.screen.state.cached import attribution_of, chosen_explorer, chosen_layer, rows_of
from csp.work.attribution.class_attribution import has_classes

with frame("Classes"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)
    run, attribution = explorer.run, attribution_of(explorer, layer)
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar", gap="small"):
        st.subheader("What speaks for each class", anchor=False, width="content")
        layer_picker(run, layer)
        run_picker(run)
        if has_classes(run):
            shown = chosen_classes(params, run.manifest.classes)
            class_picker(run.manifest.classes, shown)
    if not has_classes(run):
        st.info(NO_CLASSES)
    elif attribution is None:
        not_measured(run, layer)
    else:
        rows = rows_of(explorer, layer)
        class_columns(run, rows, attribution, shown)
        artefact_section(explorer, rows, attribution, shown)
    run_line(run)
