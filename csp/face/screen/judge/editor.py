"""A label in one's own words, scored before it is saved; a reason and tags, which any verdict takes along."""

import streamlit as st

from csp.face.screen.judge.actions import decide
from csp.face.screen.judge.head import text_numbers
from csp.face.screen.judge.session import Viewing, fill_boxes, keep_typed, present, typed
from csp.keeping.reviews.normalise import label_parts
from csp.keeping.reviews.vocabulary import TAGS, Action
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.reviews.desk import Spot

PAUSE = "700ms"
"""After so long without a key, what was typed is scored."""
LABEL_HELP = "Enter saves, Escape leaves; two: ruler; hairs"
GROUPS = {"abcde": "ABCDE", "7-point": "7-point", "skin": "Skin", "artefact": "Artefact"}


def editor(explorer: Explorer, view: NeuronView, viewing: Viewing) -> None:
    """The boxes, and buttons to save the label or to put it aside as a draft."""
    fill_boxes(viewing)
    keys = viewing.boxes
    with st.container(key="verdict-words", gap="xsmall"):
        label, reason, tags = st.columns([4, 5, 5], gap="small", vertical_alignment="bottom")
        label.text_input(
            "Your own label",
            key=keys["label"],
            placeholder=LABEL_HELP,
            live=PAUSE,
            on_change=keep_typed,
            args=(viewing,),
        )
        reason.text_input(
            "Why (goes into the record)", key=keys["reason"], on_change=keep_typed, args=(viewing,)
        )
        tags.multiselect(
            "Tags", list(TAGS), key=keys["tags"], format_func=tag_words, on_change=keep_typed, args=(viewing,)
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            own = typed(viewing).label
            if viewing.entry.blind:
                st.button(
                    "Keep it, then show the machine's",
                    key="draft",
                    type="primary",
                    on_click=_reveal,
                    args=(viewing.spot,),
                )
            else:
                st.button(
                    "Save this label",
                    key="save",
                    type="primary",
                    on_click=decide,
                    args=(Action.OVERRIDE, None, viewing.spot),
                )
                st.button(
                    "Keep as draft", key="draft", on_click=decide, args=(Action.DRAFT, None, viewing.spot)
                )
            st.caption("Reason and tags go along with any verdict." if own is None else "")
        for one in label_parts(own):
            with st.spinner("Scoring; the first time, the encoder has to load", show_time=True):
                st.caption(text_numbers(explorer, view, one, load=True))


def tag_words(tag: str) -> str:
    """A tag as people read it: `ABCDE: border`."""
    group = GROUPS.get(tag.partition(":")[0])
    return f"{group}: {TAGS[tag]}" if group else TAGS[tag].capitalize()


def _reveal(spot: Spot) -> None:
    """A blind look ends with a label of one's own; it is kept as a draft, which says that it was blind."""
    viewing = present()
    if viewing is not None and typed(viewing).label:
        decide(Action.DRAFT, None, spot)
