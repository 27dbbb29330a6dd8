"""What a page lacks, and the button that has a job make it; then how far that is."""

from typing import Any

import streamlit as st

from csp.face.screen.page.deeds import deed
from csp.face.screen.page.identity import may_manage, me
from csp.face.screen.runs.job_panel import job_panel
from csp.work.jobs.jobs import last_job, start_once
from csp.work.jobs.registry import check_job


def job_offer(
    kind: str, arguments: dict[str, Any], missing: str, *, button: str, key: str, icon: str, command: str
) -> None:
    """Says what is `missing` beside the button of the job, or draws the job while it is not done.

    `command` does the same on the command line.
    """
    asked = last_job(kind, arguments)
    if asked is not None and asked.state != "done":
        job_panel(asked.id)
        return
    st.info(missing, icon=icon)
    refused = may_manage("start jobs")
    st.button(
        button,
        key=key,
        type="primary",
        on_click=_start,
        args=(kind, arguments),
        disabled=bool(refused),
        help=refused or f"Or, on the command line: {command}",
    )


@deed("start jobs")
def _start(kind: str, arguments: dict[str, Any]) -> None:
    start_once(check_job(kind, arguments), by=me().name)
