"""The runs on this machine, the jobs at work, and the forms that start new ones."""

import streamlit as st

from csp.face.screen.page.frame import frame
from csp.face.screen.runs.cards import run_cards
from csp.face.screen.runs.job_panel import job_list
from csp.face.screen.runs.new_job import new_job
from csp.face.screen.url.params import one_of
from csp.face.screen.url.state import choose

VIEWS = {"runs": "Runs", "jobs": "Jobs", "new": "Start a job"}

with frame("Runs"):
    params = st.query_params.to_dict()
    view = one_of(params, "view", tuple(VIEWS), "runs")
    choose("view", view, VIEWS, "What to see", drop=("kind", "run"))
    if view == "runs":
        run_cards()
    elif view == "jobs":
        job_list()
    else:
        new_job(params)
    st.caption("A research and audit aid, **not for diagnosis**.")
