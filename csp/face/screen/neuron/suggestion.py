"""The one big label of a neuron: a person's first, if there is one, and then the machine's below it."""

import streamlit as st

from csp.face.screen.review_wording import shown
from csp.keeping.reviews.state import NeuronReview
from csp.work.reviews.label_in_force import label_in_force

LONGEST = 200


def suggestion(machine: str | None, state: NeuronReview | None) -> None:
    """Draws the label in force and whose it is; the machine's stays in sight where a person chose another."""
    first = label_in_force(machine, state)
    if first.by is None:
        _machine_only(machine)
        return
    st.caption(first.words[0].upper() + first.words[1:].replace("(not checked)", "(name not checked)"))
    st.subheader(shown(first.text, LONGEST) if first.text else "No label fits", anchor=False)
    if first.suggested:
        st.caption(f"The machine suggests *{shown(first.suggested, LONGEST)}*.")


def _machine_only(machine: str | None) -> None:
    if machine is None:
        st.markdown("**The machine suggests no label.**")
        return
    st.caption("The machine suggests")
    st.subheader(shown(machine, LONGEST), anchor=False)
