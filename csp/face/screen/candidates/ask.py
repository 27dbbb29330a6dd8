"""Asking a vision-language model about one neuron, as a job that outlives the page."""

import streamlit as st

from csp.errors import CspError
from csp.face.screen.page.deeds import deed, say_refusal
from csp.face.screen.page.frame import own_edge
from csp.face.screen.page.identity import let_in, may_manage, me
from csp.face.screen.runs.job_form import check_on_page
from csp.face.screen.runs.vlm_wording import MODES, MODES_HELP, SPEC_HELP
from csp.face.screen.wording import as_sentence, plain
from csp.keeping.reviews.vocabulary import Role
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.jobs.jobs import last_job, start_once
from csp.work.jobs.kinds.candidates import offered_vlm
from csp.world.specs.registry import VLMS


@st.dialog("Ask a model", width="medium")
@own_edge
def ask_dialog(explorer: Explorer, view: NeuronView) -> None:
    """Chooses the model and what it is shown, and starts the job."""
    let_in()
    offered = offered_vlm()
    refused = may_manage("choose a model")
    st.markdown(
        f"A vision-language model sees pictures of neuron {view.neuron} and names up to three concepts. "
        "Its answer is kept word for word."
    )
    spec = st.text_input(
        "Model",
        value=offered,
        key="vlm-spec",
        help=SPEC_HELP,
        placeholder=VLMS.placeholder,
        disabled=bool(refused),
    )
    mode = st.segmented_control(
        "What it sees",
        tuple(MODES),
        format_func=MODES.__getitem__,
        default="contrastive",
        key="vlm-mode",
        help=MODES_HELP,
        required=True,
    )
    seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="vlm-seed", help="Another seed gives another answer.")
    if refused and not offered:
        st.caption(plain(refused))
    if spec.startswith("openai:"):
        st.caption("The pictures are sent to that server.", text_alignment="left")
    if st.button("Ask", key="vlm-ask", type="primary", disabled=not spec.strip()):
        contrast = str(view.options.contrast)
        asked = {"vlm": spec.strip(), "mode": mode, "seed": int(seed), "contrast": contrast}
        _start(explorer, view, asked)
        say_refusal()


def current_job(explorer: Explorer, view: NeuronView) -> str | None:
    """The job that asks about this neuron, or the last one if it did not end well; None when all is done."""
    job = last_job("candidates", _about(explorer, view))
    return None if job is None or job.state == "done" else job.id


def _about(explorer: Explorer, view: NeuronView) -> dict[str, object]:
    return {"run": str(explorer.run.path), "layer": view.layer, "neurons": str(view.neuron)}


@deed("ask a model", Role.REVIEWER)
def _start(explorer: Explorer, view: NeuronView, asked: dict[str, object]) -> None:
    chosen = asked["vlm"] != offered_vlm() and may_manage("choose a model")
    if chosen:  # the box was closed to this person, which only hides it
        st.error(plain(chosen), icon=":material/lock:")
        return
    try:
        checked = check_on_page("candidates", _about(explorer, view) | {"by": me().name} | asked)
    except CspError as error:
        st.error(as_sentence(error), icon=":material/error:")
        return
    start_once(checked, f"Candidates for neuron {view.neuron} of {view.layer}", me().name)
    st.rerun()
