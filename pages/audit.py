"""What an auditor asks: what was checked and overruled, which artefacts matter, is the record sound."""

import streamlit as st

from csp.face.screen.audit.artefacts import artefact_table
from csp.face.screen.audit.encoder import encoder_view
from csp.face.screen.audit.for_whom import for_whom
from csp.face.screen.audit.log import log_view, verify_button
from csp.face.screen.audit.numbers import (
    coverage_table,
    criteria_table,
    headline,
    overruled_line,
    sample_line,
    sample_table,
)
from csp.face.screen.audit.report import report_panel
from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.review.agreement import agreement_table, disputes_table
from csp.face.screen.state.cached import audited, chosen_explorer, chosen_layer
from csp.face.screen.url.params import one_of
from csp.face.screen.url.state import choose

VIEWS = {
    "checked": "What was checked",
    "artefacts": "Artefacts",
    "criteria": "Clinical criteria",
    "encoder": "Encoder",
    "model": "How good the model is, for whom",
    "log": "Log",
}

with frame("Audit"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    chosen_layer(params, explorer)  # which it carries to other pages
    view = one_of(params, "view", tuple(VIEWS), "checked")
    audit, artefacts, events = audited(explorer)

    headline(explorer, audit, artefacts)
    with st.container(horizontal=True, vertical_alignment="center"):
        choose("view", view, VIEWS, "What to see", drop=("page", "by", "class", "act", "words"))
        st.page_link(
            "pages/reliance.py",
            label="**What the model leans on**",
            icon=":material/balance:",
            query_params={"run": explorer.run.name},
        )
    if view == "checked":
        sample_line(audit)
        sample_table(audit)
        overruled_line(audit)
        coverage_table(audit)
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown("**Agreement of reviewers**")
            agreement_table(audit.agreement)
        with right:
            st.markdown("**Open disputes**")
            disputes_table(explorer.run, audit.disputes)
        report_panel(explorer)
    elif view == "artefacts":
        artefact_table(explorer, artefacts, params)
    elif view == "criteria":
        criteria_table(audit)
    elif view == "encoder":
        encoder_view(explorer)
    elif view == "model":
        for_whom(explorer, params)
    else:
        verify_button()
        log_view(explorer.run.name, events, params)
    run_line(explorer.run)
