"""Beside the pictures of the review page: the label in question (not in a blind look), the last verdicts."""

import streamlit as st

from csp.face.screen.judge.actions import undo
from csp.face.screen.judge.head import suggestion
from csp.face.screen.page.identity import me
from csp.face.screen.review_wording import said, shown, standing
from csp.face.screen.state import review_store
from csp.face.screen.state.cached import controls_of, reviewed
from csp.face.screen.wording import LABELERS, NOISE_HELP, beside_noise, rival_words
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView

LAST = 10


def label_in_question(explorer: Explorer, view: NeuronView) -> None:
    """The label in force, the machine's, and how the machine's stands."""
    labeler = explorer.stored_labels.first_labeler(view.layer)
    rows, state = view.labels.get(labeler, ()), reviewed(explorer, view.layer).get(view.neuron)
    with st.container(key="suggestion", gap="xxsmall"):
        suggestion(explorer, view, state)
    if rows:
        stored = explorer.stored_labels.first_rows(view.layer).get(view.neuron, ())
        lead = rival_words(explorer.synonyms.rival(stored))
        beside = beside_noise(rows[0].score, *controls_of(explorer, view.layer, labeler))
        st.caption(f"{LABELERS[labeler]}: {beside}.{lead}", help=NOISE_HELP)
    if state is not None and state.verdicts:
        st.markdown(standing(state))


def blind_label(explorer: Explorer, view: NeuronView) -> None:
    """In place of the label: that it is hidden, and how to see it."""
    with st.container(key="suggestion", gap="xxsmall"):
        st.caption("Blind look")
        st.subheader("What do these pictures share?", anchor=False)
        st.caption(
            "Write your own label at the foot of the page. What the machine and others say is shown then."
        )


def wrote_blind(explorer: Explorer, view: NeuronView) -> bool:
    """Whether this person has said something about the neuron: then nothing needs to be hidden any more."""
    state = reviewed(explorer, view.layer).get(view.neuron, NeuronReview())
    person = me().who
    return person in state.verdicts or person in state.drafts


def last_verdicts(explorer: Explorer) -> None:
    """What this person said last, each with a button that takes it back."""
    mine = review_store.recent(explorer, me(), LAST)
    with st.container(key="last-verdicts", gap="xxsmall"):
        st.markdown("**Your last verdicts**")
        if not mine:
            st.caption("None yet in this run. Each can be taken back here.")
        for event in mine:
            st.button(
                f"{event.neuron} in {shown(event.layer, 20)}: {shown(said(event), 44)}",
                key=f"undo-{event.token}",  # its own: the places move on with each verdict
                type="tertiary",
                icon=":material/undo:",
                help="Take it back",
                on_click=undo,
                args=(event,),
            )
