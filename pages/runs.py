"""The runs on this machine, the jobs at work, and the form that makes a new run."""

import streamlit as st

from csp.face.screen.address import choose
from csp.face.screen.frame import frame
from csp.face.screen.index_form import index_form
from csp.face.screen.job_list import job_list
from csp.face.screen.place import choice
from csp.face.screen.run_cards import run_cards

VIEWS = {"runs": "Runs", "jobs": "Jobs", "new": "Make a run"}

with frame("Runs"):
    view = choice(st.query_params.to_dict(), "view", tuple(VIEWS), "runs")
    choose("view", view, VIEWS, "What to see")
    if view == "runs":
        run_cards()
    elif view == "jobs":
        job_list()
    else:
        index_form()
    st.caption("A research and audit aid, **not for diagnosis**.")
