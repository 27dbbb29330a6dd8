"""The jobs that a page can start, each with its form."""

import streamlit as st

from csp.face.screen.runs.index_form import NEEDED, index_fields
from csp.face.screen.runs.job_form import Fields, Given, JobForm, job_form
from csp.face.screen.runs.run_fields import candidate_fields, measure_fields, run_fields
from csp.face.screen.url.params import Params, one_of
from csp.face.screen.url.state import choose


def new_job(params: Params) -> None:
    """Chooses the kind of job, and draws its form."""
    kind = one_of(params, "kind", tuple(FORMS), "index")
    choose("kind", kind, {name: form.name for name, form in FORMS.items()}, "What to start")
    st.caption(FORMS[kind].what)
    with st.container(key=f"form-{kind}"):
        job_form(kind, FORMS[kind])


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


def _where(given: Given) -> str:
    return f"{given.get('layer', 'every layer')} of {given['run']}"


FORMS = {
    "index": JobForm(
        "Make a run",
        "Every image goes once through the model and the encoder; the run that comes of it opens anywhere.",
        index_fields,
        lambda given: f"Run {given['out']}",
        needed=NEEDED,
        opens="csp.work.jobs.index:open_everything",
    ),
    "candidates": JobForm(
        "Ask a model for labels",
        "A vision-language model sees the pictures of each neuron and names up to three concepts. Every "
        "answer is kept word for word, and nothing is asked twice.",
        candidate_fields,
        lambda given: f"Candidates for neurons {given['neurons']} of {_where(given)}",
        needed=("run", "vlm", "neurons"),
    ),
    "evaluate": JobForm(
        "Measure labels",
        "Measures how good labels are, or neurons without labels; the results join the run.",
        measure_fields,
        lambda given: f"Measure {given['metric']}, {_where(given)}",
        needed=("run",),
    ),
    "map": JobForm(
        "Draw the map",
        "Places neurons that look for alike things close together; the map joins the run.",
        run_fields,
        lambda given: f"Map of {_where(given)}",
        needed=("run",),
    ),
    "push": JobForm(
        "Measure class push",
        "Measures with the model how each neuron pushes each class; the result joins the run.",
        run_fields,
        lambda given: f"Class push of {_where(given)}",
        needed=("run",),
    ),
    "add": JobForm(
        "Add a run",
        "Copies a run that was made on another machine to the runs here, with what was added to it. Each "
        "file is compared with its fingerprint. To bring the run to this machine, copy its folder as it is.",
        _add_fields,
        lambda given: f"Add {given['out']}",
        needed=("folder", "out"),
    ),
}
"""By kind, in the order of the row of choices."""
