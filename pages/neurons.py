"""All neurons of a layer as a table, as cards or as a map. A click opens one."""

import streamlit as st

from csp.face.screen.atlas.bulk import bulk_menu, bulk_note
from csp.face.screen.atlas.chips import chip_bar, chips_of
from csp.face.screen.atlas.columns import chosen_columns, column_picker, context_of
from csp.face.screen.atlas.export import export_menu
from csp.face.screen.atlas.filters import (
    PAGE,
    chosen_filters,
    count_line,
    filter_bar,
    nothing_found,
)
from csp.face.screen.atlas.map import chosen_colour, colour_picker, map_view
from csp.face.screen.atlas.table import neuron_cards, neuron_table
from csp.face.screen.elements.pager import chosen_page, pager
from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.page.pickers import chosen_doubt, doubt_picker
from csp.face.screen.state.cached import chosen_explorer, chosen_layer, controls_of, map_of, rows_of
from csp.face.screen.wording import NOISE_HELP, layer_beside_noise, measured_line, plain
from csp.work.neurons.rows import doubted_under

with frame("Neurons"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)
    run, rows = explorer.run, doubted_under(rows_of(explorer, layer), chosen_doubt(params))
    chips = chips_of(run.manifest.classes)
    filters = chosen_filters(params, len(rows.frame), chips)
    columns, colour = chosen_columns(params, rows), chosen_colour(params)
    context = context_of(run, rows, explorer.stored_labels.score_range(layer))
    fitting = filters.apply(rows.frame, chips)
    found = filters.within(fitting)
    page = chosen_page(params, len(found), PAGE[filters.view])
    shown = found.iloc[page.rows]

    filter_bar(run, layer, filters)
    chip_bar(filters.within(rows.frame), chips, filters.only)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page-bar"):
        count_line(run, filters, len(found), len(rows.frame))
        if filters.view == "map":
            colour_picker(colour, context)
        if "doubtful" in filters.only:
            doubt_picker(chosen_doubt(params))
        st.space("stretch")
        pager(page)
        if filters.view == "table":
            column_picker(rows, columns)
        bulk_menu(explorer, rows, found)
        export_menu(explorer, rows, found)
    bulk_note()
    if note := run.outlying_note(layer):
        st.caption(f":material/bolt: {plain(note)}.")
    if filters.view == "map":
        map_view(context, map_of(explorer, layer), fitting, shown, colour)
    elif found.empty:
        nothing_found()
    elif filters.view == "table":
        neuron_table(context, shown, columns, filters.order, params)
    else:
        neuron_cards(context, shown, columns=4)
    with st.container(key="provenance"):
        controls = controls_of(explorer, layer, explorer.stored_labels.first_labeler(layer))
        if beside := layer_beside_noise(rows, *controls):
            st.caption(beside, help=NOISE_HELP)
        st.caption(measured_line(rows, run))
    run_line(run)
