"""The candidates of a neuron in a few lines: what models or people proposed, and a box for one's own."""

import streamlit as st

from csp.errors import CspError
from csp.face.screen.candidates.ask import ask_dialog, current_job
from csp.face.screen.candidates.dialog import candidates_dialog, neuron_candidates
from csp.face.screen.page.deeds import deed
from csp.face.screen.page.identity import may_review, me
from csp.face.screen.runs.job_panel import job_panel
from csp.face.screen.wording import LABELERS, as_sentence, origin, plain, score
from csp.keeping.reviews.vocabulary import Role
from csp.method.states import NeuronState
from csp.work.candidates.read import Candidate, add_candidate, vlm_answers
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.typed_text import score_text
from csp.work.explorer.views import NeuronView, TextScore

FIRST = 3
"""Candidates in the short line."""
HELP = (
    "Texts that a vision-language model proposed after seeing two grids of pictures (what fires, and what "
    "looks alike but does not), or that people added. The number is the CSP score: more is better."
)


def candidates_panel(explorer: Explorer, view: NeuronView) -> None:
    """Draws the part `candidate-labels` of the neuron page; what fails in it leaves the rest alone."""
    with st.container(key="candidate-labels", gap="xsmall"):
        try:
            found = neuron_candidates(explorer, view, ("csp",))
            _short_list(explorer, view, found)
            _ways(explorer, view, found)
        except CspError as error:
            st.warning(as_sentence(error))


def _short_list(explorer: Explorer, view: NeuronView, found: tuple[Candidate, ...]) -> None:
    current = {one.text: one for one in found if not one.replaced}
    if not current:
        st.caption(_none_yet(explorer, view), help=HELP)
        return
    shown = [_chip(one) for one in list(current.values())[:FIRST]]
    rest = f" and {len(current) - FIRST} more" if len(current) > FIRST else ""
    st.markdown(f":small[:gray[Candidates:] {' · '.join(shown)}{rest}]", help=HELP)


def _chip(one: Candidate) -> str:
    row = one.scores.get("csp")
    who = "model" if one.source == "vlm" else plain(one.by or "a person")
    return f"**{plain(one.text)}** {score(row.score) if row else 'not scored'} :gray[({who})]"


def _none_yet(explorer: Explorer, view: NeuronView) -> str:
    if NeuronState.NEVER_FIRES in view.states:
        return "Candidates: none, as this neuron never fires."
    if vlm_answers(explorer.run, view.layer, view.neuron):
        return "Candidates: the model's answer held no usable label; *All candidates* shows it word for word."
    return "Candidates: no model was asked about this neuron yet."


def _ways(explorer: Explorer, view: NeuronView, found: tuple[Candidate, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Try a label of your own", placeholder="for example: ruler marks", key="own-label", max_chars=120
        )
        answers = vlm_answers(explorer.run, view.layer, view.neuron)
        nothing = not found and not answers
        opened = st.button(
            "All candidates",
            key="all-candidates",
            disabled=nothing,
            help="And what the model saw, word for word",
        )
        ask = st.button(
            "Ask a model",
            key="ask-model",
            disabled=not may_review() or NeuronState.NEVER_FIRES in view.states,
        )
    if opened:
        candidates_dialog(explorer, view)
    if ask:
        ask_dialog(explorer, view)
    if text and text.strip():
        _own(explorer, view, text)
    if (job := current_job(explorer, view)) is not None:
        job_panel(job)


def _own(explorer: Explorer, view: NeuronView, text: str) -> None:
    """The score of a typed text at once, before it is kept."""
    try:
        with st.spinner("Scoring; the first time, the encoder has to load", show_time=True):
            found = score_text(explorer, view.layer, view.neuron, text, view.options)
    except CspError as error:
        st.warning(as_sentence(error))
        return
    with st.container(key="own-label-score", gap="xxsmall"):
        _found(found)
        if may_review():
            st.button(
                "Keep as a candidate", key="keep-own", on_click=_keep, args=(explorer, view, found.text)
            )


def _found(found: TextScore) -> None:
    if not found.scores:
        st.markdown("This neuron never fires, so no label can be scored.")
        return
    scored = [
        f"{words} **{score(found.scores[name].score)}** (no. {found.scores[name].rank} of {found.out_of})"
        for name, words in LABELERS.items()
        if name in found.scores
    ]
    st.markdown(f"*{plain(found.text)}* scores {' · '.join(scored)}")
    st.caption(plain(origin(found.provenance)))


@deed("keep a candidate", Role.REVIEWER)
def _keep(explorer: Explorer, view: NeuronView, text: str) -> None:
    try:
        add_candidate(explorer, view.layer, view.neuron, text, by=me().name)
        st.session_state["own-label"] = ""
    except CspError as error:
        st.toast(as_sentence(error), icon=":material/error:")
