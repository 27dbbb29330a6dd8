"""The jobs that a page can start, each with its form."""

from collections.abc import Callable

import streamlit as st

from csp.face.screen.runs.index_form import index_fields
from csp.face.screen.runs.job_form import Fields, Given, job_form
from csp.face.screen.runs.run_fields import (
    candidate_fields,
    control_fields,
    latents_fields,
    measure_fields,
    mend_fields,
    run_fields,
    sae_fields,
)
from csp.face.screen.url.params import Params, one_of
from csp.face.screen.url.state import choose
from csp.work.jobs.registry import KINDS


def new_job(params: Params) -> None:
    """Chooses the kind of job, and draws its form."""
    kind = KINDS[one_of(params, "kind", tuple(KINDS), "index")]
    choose("kind", kind.name, {name: one.words for name, one in KINDS.items()}, "What to start")
    st.caption(kind.what)
    with st.container(key=f"form-{kind.name}"):
        job_form(kind, FORMS.get(kind.name, run_fields))


def _add_fields(fields: Fields) -> Given:
    left, right = st.columns(2, gap="medium")
    with left:
        folder = st.text_input(
            "Folder of the run, on the machine that runs this app",
            key=fields.key("folder"),
            placeholder="/data/runs/my-run",
        )
        fields.fault("folder")
    with right:
        name = st.text_input("Name of the run here", key=fields.key("out"), placeholder="my-run")
        fields.fault("out")
    return {"folder": folder.strip(), "out": name.strip()}


FORMS: dict[str, Callable[[Fields], Given]] = {
    "index": index_fields,
    "candidates": candidate_fields,
    "control": control_fields,
    "evaluate": measure_fields,
    "mend": mend_fields,
    "add": _add_fields,
    "sae": sae_fields,
    "latents": latents_fields,
}
"""By kind, what draws its fields; those of the other kinds are a run and a layer."""
