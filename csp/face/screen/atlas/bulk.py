"""One verdict on all neurons that the page found: by filter, by words, or drawn around on the map."""

import pandas as pd
import streamlit as st

from csp.errors import CspError
from csp.face.screen.judge.editor import tag_words
from csp.face.screen.page.deeds import deed, say_refusal
from csp.face.screen.page.frame import own_edge
from csp.face.screen.page.identity import call_me, is_named, let_in, may_review, me
from csp.face.screen.state import review_store
from csp.face.screen.state.cached import reviewed
from csp.face.screen.url.state import put, ranges
from csp.face.screen.wording import counted, plain
from csp.keeping.reviews.event import new_token
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import TAGS, Action, Role
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.rows import NeuronRows
from csp.work.reviews.bulk import MOST, BulkOutcome, Shown, record_all

LONGEST = 12_000
"""Letters of the longest list of neurons that an address may hold."""
WORDS = {
    Action.CONFIRM: "Confirm the label of each",
    Action.REJECT: "Reject the label of each",
    Action.UNSURE: "Unsure",
    Action.FLAG: "Queue for a second look",
}
_DONE, _NAME, _ANSWERED = "bulk-done", "bulk-name", "bulk-answered"

Said = tuple[Action, tuple[str, ...], str]
"""The verdict, the tags and the reason."""


def bulk_menu(explorer: Explorer, rows: NeuronRows, found: pd.DataFrame) -> None:
    """The list as a link, and a verdict on all of it, after one question that names the number."""
    with st.popover(f"Judge {len(found):,}", icon=":material/checklist:", type="tertiary", key="bulk"):
        text = ranges(found["neuron"].tolist())
        st.button(
            "Keep this list in the address",
            key="bulk-keep",
            icon=":material/link:",
            disabled=found.empty or len(text) > LONGEST,
            help="The address then opens these very neurons, also later: keep it as a bookmark.",
            on_click=put,
            args=("picked", text, ("q", "only", "page")),
        )
        if not may_review():
            st.caption("You may look, not judge: ask an admin for the role of a reviewer.")
            return
        act = st.radio(
            f"Of each of the {counted(len(found), 'neuron')} found",
            list(WORDS),
            format_func=WORDS.__getitem__,
            key="bulk-act",
        )
        tags = st.multiselect("Tags", list(TAGS), format_func=tag_words, key="bulk-tags")
        reason = st.text_input("Why (goes into the record)", key="bulk-reason")
        fits = 1 <= len(found) <= MOST
        if st.button(
            f"Record on {counted(len(found), 'neuron')} …",
            key="bulk-ask",
            type="primary",
            disabled=not fits,
            help=None if fits else f"1 to {MOST:,} neurons at once: choose fewer by words, chips or the map.",
        ):
            _ask(explorer, rows, found, (act, tuple(tags), reason.strip()), new_token())


def bulk_note() -> None:
    """What came of the last time, once."""
    if note := st.session_state.pop(_DONE, ""):
        st.info(plain(note), icon=":material/checklist:")


@st.dialog("Judge many neurons at once", width="small")
@own_edge
def _ask(explorer: Explorer, rows: NeuronRows, found: pd.DataFrame, said: Said, question: str) -> None:
    """The one question: what is recorded, on how many, under which name. It is answered once."""
    let_in()
    say_refusal()
    if _DONE in st.session_state:
        st.rerun()
    act, tags, _ = said
    st.markdown(f"**{WORDS[act]}**: {counted(len(found), 'neuron')} of {plain(rows.layer)}.")
    if tags:
        st.markdown("Tags: " + ", ".join(map(tag_words, tags)))
    st.caption("Each becomes an event of its own in the record, under your name; each can be taken back.")
    named = is_named() or bool(st.text_input("Your name", key=_NAME).strip())
    st.button(
        f"Record {counted(len(found), 'event')}",
        key="bulk-record",
        type="primary",
        disabled=not named,
        on_click=_record,
        args=(explorer, rows, found, said, question),
    )


@deed("decide", Role.REVIEWER)
def _record(explorer: Explorer, rows: NeuronRows, found: pd.DataFrame, said: Said, question: str) -> None:
    """Callback: records, once a question, and keeps a sentence on what came of it for the page."""
    if st.session_state.get(_ANSWERED) == question:
        return
    st.session_state[_ANSWERED] = question
    if not is_named():
        call_me(str(st.session_state.get(_NAME, "")))
    act, tags, reason = said
    states, nobody = reviewed(explorer, rows.layer), NeuronReview()
    shown = {
        int(neuron): Shown(label, states.get(neuron, nobody))
        for neuron, label in zip(found["neuron"].tolist(), found["in_force"].tolist(), strict=True)
    }
    try:
        outcome = record_all(
            review_store.desk(explorer),
            me(),
            rows.layer,
            shown,
            act,
            reason=reason,
            tags=tags,
            labeler=explorer.stored_labels.first_labeler(rows.layer),
        )
        st.session_state[_DONE] = _words(outcome)
    except CspError as error:
        st.session_state[_DONE] = f"Not all could be recorded: {error}"


def _words(outcome: BulkOutcome) -> str:
    left = "; ".join(f"{count:,} {why}" for why, count in outcome.left_out.items())
    return f"{outcome.recorded:,} events recorded." + (f" Left out: {left}." if left else "")
