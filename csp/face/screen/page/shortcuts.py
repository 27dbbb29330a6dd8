"""Which key does what, on every page: the one table from which buttons take their key and Help its list.

    st.button("Skip", key="skip", shortcut=shortcut("skip"))

Streamlit prints the key on its button and leaves it alone while someone types. It reserves C and R; Space and
Enter would take a press away from the button that has the focus; Up and Down scroll the page.
"""

from dataclasses import dataclass

import streamlit as st

from csp.face.screen.page.glossary import glossary

PICKS = 9
"""How many suggestions have a number key."""

MOVING, JUDGING, LOOKING = "Moving", "Judging a label", "Looking"


@dataclass(frozen=True)
class Key:
    """One key: as Streamlit takes it, what it does, and in which part of Help it stands."""

    shortcut: str
    does: str
    group: str


KEYS: dict[str, Key] = {
    "previous": Key("Left", "previous neuron, or picture in the large view", MOVING),
    "next": Key("Right", "next neuron, or picture in the large view", MOVING),
    "skip": Key("S", "skip: go on without a verdict", MOVING),
    "accept": Key("A", "confirm the label that stands first", JUDGING),
    **{
        f"pick-{place}": Key(str(place), f"take suggestion {place}", JUDGING) for place in range(1, PICKS + 1)
    },
    "edit": Key("E", "write a label, reason or tags of your own", JUDGING),
    "none": Key("X", "no label fits", JUDGING),
    "unsure": Key("U", "unsure", JUDGING),
    "flag": Key("F", "ask for a second look", JUDGING),
    "undo": Key("Z", "take back your last verdict", JUDGING),
    "blind": Key("B", "judge blind: write first, then see the machine's label", JUDGING),
    "heat-map": Key("M", "show where the neuron fires in each picture", LOOKING),
    "by-facet": Key("T", "group the pictures by the things that the neuron looks for", LOOKING),
    "grids": Key("G", "switch between two groups and pairs", LOOKING),
    "pin": Key("P", "pin the neuron, to compare it with another", LOOKING),
    "help": Key("H", "this list", LOOKING),
}
"""By the name of what they do."""


VERDICTS = ("accept", "none", "unsure", "flag", *(f"pick-{place}" for place in range(1, PICKS + 1)))
"""The buttons that say something about a neuron by a key."""


def shortcut(action: str) -> str:
    """The key of an action, for `st.button(shortcut=...)`."""
    return KEYS[action].shortcut


def help_button(title: str) -> None:
    """The button that lists the keys and the words of the page with this title; part of its top line."""
    if st.button("Help", key="help", shortcut=shortcut("help"), type="tertiary"):
        _help_dialog(title)


@st.dialog("Keys and words", width="medium")
def _help_dialog(title: str) -> None:
    st.caption("Each key is printed on its button, and works where that button is shown.")
    for column, group in zip(st.columns([5, 7, 6]), (MOVING, JUDGING, LOOKING), strict=True):
        column.markdown(f"**{group}**\n\n" + "\n\n".join(_lines(group)))
    with st.container(key="glossary"):
        st.markdown(glossary(title))


def _lines(group: str) -> list[str]:
    """One line a key; the number keys share one."""
    picks = f"`1` to `{PICKS}` take the suggestion with that number"
    lines: list[str] = []
    for action, key in KEYS.items():
        if key.group == group and not action.startswith("pick-"):
            lines.append(f"`{key.shortcut}` {key.does}")
        elif key.group == group and picks not in lines:
            lines.append(picks)
    return lines
