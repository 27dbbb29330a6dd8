"""A label in one's own words, scored before it is saved; a reason and tags, which any verdict takes along."""

import re

import streamlit as st

from csp.errors import CspError
from csp.face.screen.elements.components import PARTS
from csp.face.screen.judge.actions import decide
from csp.face.screen.judge.session import Look, fill_boxes, keep_typed, present, typed
from csp.face.screen.review_wording import shown
from csp.face.screen.wording import LABELERS, plain, score, usual
from csp.keeping.reviews.vocabulary import TAGS, Action
from csp.work.explorer.explorer import Explorer

FIRST = "csp"
_focus = st.components.v2.component(
    "csp-focus", html="<i></i>", js=(PARTS / "focus.js").read_text(encoding="utf-8"), isolate_styles=False
)
CLASS_SAFE = re.compile(r"[^a-zA-Z0-9_-]")
"""How Streamlit makes a CSS class of a key."""

GROUPS = {"abcde": "ABCDE", "7-point": "7-point", "artefact": "Artefact"}


def editor(explorer: Explorer, look: Look) -> None:
    """The boxes, and buttons to save the label or to put it aside as a draft."""
    fill_boxes(look)
    keys = look.boxes
    with st.container(key="verdict-words", gap="xsmall"):
        label, reason, tags = st.columns([4, 5, 5], gap="small", vertical_alignment="bottom")
        label.text_input("Your own label", key=keys["label"], on_change=keep_typed, args=(look,))
        reason.text_input(
            "Why (goes into the record)", key=keys["reason"], on_change=keep_typed, args=(look,)
        )
        tags.multiselect(
            "Tags", list(TAGS), key=keys["tags"], format_func=tag_words, on_change=keep_typed, args=(look,)
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            own = typed(look).label
            if look.entry.blind:
                st.button("Keep it, then show the machine's", key="draft", type="primary", on_click=_reveal)
            else:
                st.button(
                    "Save this label", key="save", type="primary", on_click=decide, args=(Action.OVERRIDE,)
                )
                st.button("Keep as draft", key="draft", on_click=decide, args=(Action.DRAFT,))
            st.caption(_scored(explorer, look, own) if own else "Reason and tags go along with any verdict.")
            _focus(data={"box": CLASS_SAFE.sub("-", keys["label"])}, key="verdict-focus")


def tag_words(tag: str) -> str:
    """A tag as people read it: `ABCDE: border`."""
    group = GROUPS.get(tag.partition(":")[0])
    return f"{group}: {TAGS[tag]}" if group else TAGS[tag].capitalize()


def _reveal() -> None:
    """A blind look ends with a label of one's own; it is kept as a draft, which says that it was blind."""
    look = present()
    if look is not None and typed(look).label:
        decide(Action.DRAFT)


def _scored(explorer: Explorer, look: Look, own: str) -> str:
    """How the label fares, or why that can't be said."""
    shown_with = look.entry
    try:
        with st.spinner("Scoring; the first time, the encoder has to load", show_time=True):
            found = explorer.score_text(
                shown_with.layer,
                shown_with.neuron,
                own,
                k=shown_with.examples,
                gamma=shown_with.gamma,
                contrast=shown_with.contrast,
            )
    except CspError as error:
        return f"Not scored: {plain(str(error))}. It can be saved all the same."
    if FIRST not in found.scores:
        return "This neuron never fires, so no label can be scored."
    row, usually = found.scores[FIRST], explorer.score_range(shown_with.layer, FIRST)
    scale = f"; {usual(usually)}" if usually else ""
    return (
        f"{shown(own, 40)} scores **{score(row.score)}** by {LABELERS[FIRST]}, "
        f"no. {row.rank} of {found.out_of}{scale}."
    )
