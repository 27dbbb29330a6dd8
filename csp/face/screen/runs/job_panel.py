"""A long job on a page: how far it is, when it will be done, Cancel, its log, and the way to what it made."""

import streamlit as st

from csp.errors import CspError, NotFoundError
from csp.face.screen.page.deeds import deed, say_refusal
from csp.face.screen.page.frame import own_edge
from csp.face.screen.page.identity import let_in, may_manage, me
from csp.face.screen.wording import as_sentence, plain
from csp.work.jobs.jobs import Job, cancel_job, count_jobs, job, last_job, list_jobs, resume_job, start_once
from csp.work.jobs.kind import Next
from csp.work.jobs.registry import check_job, doing, leads_to

SECONDS_BETWEEN_LOOKS = 1.0
STATES = {
    "queued": (":gray-badge[waits its turn]", "Jobs work one at a time: it begins when it is its turn."),
    "running": (":blue-badge[works]", ""),
    "done": (":green-badge[done]", ""),
    "failed": (":orange-badge[stopped by a fault]", ""),
    "cancelled": (":gray-badge[cancelled]", "What it computed is kept; resume it to go on from there."),
}
FAULT = "job-fault"


def job_panel(id_: str) -> None:
    """Draws the job, and draws it again each second until it has ended; then the whole page, once."""
    try:
        seen = job(id_)
    except NotFoundError as error:
        st.warning(as_sentence(error))
        return
    if seen.finished:
        _draw(seen)
    else:
        _watched(id_)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
@own_edge
def _watched(id_: str) -> None:
    let_in()
    say_refusal()
    seen = job(id_)
    _draw(seen)
    if seen.finished:
        st.rerun()


def _draw(seen: Job) -> None:
    badge, remark = STATES[seen.state]
    following = leads_to(seen.kind, seen.arguments) if seen.state == "done" else None
    with st.container(border=True, key=f"job-{seen.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            by = f" · asked for by {plain(seen.by)}" if seen.by else ""
            st.markdown(f"**{plain(seen.title)}** {badge}", width="content")
            st.caption(f"{seen.created:%d %b %Y, %H:%M} UTC{by}", width="content")
            st.space("stretch")
            _buttons(seen, following)
        if not seen.finished:
            _bar(seen)
        if remark:
            st.caption(remark)
        if following and following.remark:
            st.caption(plain(following.remark))
        if seen.error:
            st.error(plain(seen.error), icon=":material/error:")
        if seen.hopeless:
            st.caption("Resumed as it is, it would end the same way.")
        if fault := st.session_state.pop(f"{FAULT}-{seen.id}", ""):
            st.error(plain(fault), icon=":material/error:")
        if seen.log:
            with st.expander("Log", icon=":material/subject:"):
                st.code(seen.log, language=None, height=220)


def _bar(seen: Job) -> None:
    reached = seen.progress
    if seen.state == "queued" or reached is None or not reached.total:
        words = "getting ready …" if seen.state == "running" else "waiting …"
        st.progress(0.0, text=f"{plain(doing(seen.kind))}: {words}")
        return
    left = f" · {_time_left(reached.seconds_left)}" if reached.seconds_left else ""
    share = min(1.0, reached.done / reached.total)
    st.progress(share, text=f"{plain(reached.stage)}: {reached.done:,} of {reached.total:,}{left}")


def _time_left(seconds: float) -> str:
    """How long a job still takes, as people say it."""
    if seconds < 60:
        return "less than a minute left"
    minutes = round(seconds / 60)
    return f"about {minutes} min left" if minutes < 90 else f"about {minutes / 60:.0f} h left"


def _buttons(seen: Job, following: Next | None) -> None:
    if following:
        _next_button(seen, following)
    elif seen.result:
        _open(seen.result)
    if seen.finished and not seen.resumable:
        return
    refused = may_manage("stop or resume jobs")
    name = "Resume" if seen.finished else "Cancel"
    st.button(
        name,
        key=f"{name.lower()}-{seen.id}",
        on_click=_resume if seen.finished else _cancel,
        args=(seen.id,),
        disabled=bool(refused),
        help=refused or None,
    )


def _open(run: str) -> None:
    st.page_link(
        "pages/neurons.py",
        label="**Open the result**",
        icon=":material/arrow_forward:",
        query_params={"run": run},
    )


def _next_button(seen: Job, following: Next) -> None:
    """Starts the job that this one leads to, or opens what came of that."""
    if following.made:
        _open(following.made)
        return
    refused, started = may_manage("start jobs"), last_job(following.kind, following.arguments)
    st.button(
        following.button,
        key=f"next-{seen.id}",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=_start_next,
        args=(seen.id, following),
        disabled=bool(refused) or (started is not None and not started.finished),
        help=refused or None,
    )


@deed("start jobs")
def _start_next(id_: str, following: Next) -> None:
    try:
        start_once(check_job(following.kind, following.arguments), by=me().name)
    except CspError as error:
        st.session_state[f"{FAULT}-{id_}"] = str(error)


@deed("stop or resume jobs")
def _cancel(id_: str) -> None:
    cancel_job(id_)


@deed("stop or resume jobs")
def _resume(id_: str) -> None:
    try:
        if job(id_).finished:  # else the same press again: it goes on as was asked
            resume_job(id_)
    except CspError as error:  # someone else resumed it a moment ago
        st.session_state[f"{FAULT}-{id_}"] = str(error)


MOST = 20


def job_list() -> None:
    """Draws the panels of the latest jobs."""
    jobs = list_jobs(MOST)
    if not jobs:
        st.info("No job was started on this machine yet.", icon=":material/info:")
    for listed in jobs:
        job_panel(listed.id)
    if (count := count_jobs()) > MOST:
        st.caption(f"The latest {MOST} of {count}; `csp jobs list --last {count}` lists all.")
