"""The jobs on this machine, those at work first."""

import streamlit as st

from csp.face.screen.job_panel import job_panel
from csp.work.jobs import list_jobs

MOST = 20


def job_list() -> None:
    """Draws the panels of the latest jobs."""
    jobs = list_jobs()
    if not jobs:
        st.info("No job was started on this machine yet.", icon=":material/info:")
    ordered = sorted(jobs, key=lambda job: job.finished)
    for job in ordered[:MOST]:
        job_panel(job.id)
    if len(jobs) > MOST:
        st.caption(f"The latest {MOST} of {len(jobs)}; `csp jobs` lists all.")
