"""Filter chips of the neurons page: within a group any may fit, over the groups all must."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from csp.face.screen.url.params import Params, some_of
from csp.face.screen.url.state import follow, write
from csp.face.screen.wording import REVIEW_STATES, STATES, plain
from csp.work.neurons.rows import UNSTABLE

MOST_CLASSES = 5
"""Classes with a chip of their own, those that most push towards first; the search finds the others."""


@dataclass(frozen=True)
class Chip:
    """One filter: its group, its words, and which rows fit."""

    group: str
    words: str
    fits: Callable[[pd.DataFrame], pd.Series]


def chips_of(classes: Sequence[str]) -> dict[str, Chip]:
    """All chips that the neurons of a run with these classes may have, by their name in the address."""
    found = {name: Chip("review", words, _is("review", name)) for name, words in REVIEW_STATES.items()}
    found["second-look"] = Chip("review", "Second look asked for", lambda f: f["second_look"].astype(bool))
    for number, name in enumerate(classes):
        found[f"pushes-{number}"] = Chip("push", f"Pushes towards {name}", _is("push_class", name))
    found["doubtful"] = Chip("doubt", "Doubtful", lambda f: f["doubtful"].astype(bool))
    found["artefact"] = Chip("artefact", "Artefact", lambda f: f["artefacts"].map(bool))
    found["unstable"] = Chip("stability", "Unstable", lambda f: f["stability"] < UNSTABLE)
    found["no-label"] = Chip("label", "No label", lambda f: f["label"].isna())
    for state, words in STATES.items():
        found[state] = Chip("state", words.capitalize(), _is("state", state))
    return found


def chosen_chips(params: Params, chips: Mapping[str, Chip]) -> tuple[str, ...]:
    """The chips in the address; raises WrongAddressError for one that does not exist."""
    return tuple(some_of(params, "only", list(chips)))


def fitting(frame: pd.DataFrame, chips: Mapping[str, Chip], only: Sequence[str]) -> pd.DataFrame:
    """The rows that fit: any chip of each group that has one chosen."""
    for group in dict.fromkeys(chips[name].group for name in only):
        fits = [chips[name].fits(frame) for name in only if chips[name].group == group]
        frame = frame[pd.concat(fits, axis=1).any(axis=1)]
    return frame


def chip_bar(frame: pd.DataFrame, chips: Mapping[str, Chip], only: Sequence[str]) -> None:
    """The chips that tell some neurons of this layer from others, and how many each would leave."""
    counts = {name: int(chips[name].fits(frame).sum()) for name in _offered(frame, chips, only)}
    shown = [name for name, count in counts.items() if name in only or 0 < count < len(frame)]
    if not shown:
        return
    words = {name: f"{plain(chips[name].words)} {counts[name]:,}" for name in shown}
    follow("only", list(only))
    with st.container(key=f"chips-by-{_lines(words.values())}-lines"):
        st.pills(
            "Only",
            shown,
            selection_mode="multi",
            key="only",
            format_func=words.__getitem__,
            on_change=write,
            args=("only", ("page",)),
            label_visibility="collapsed",
        )


def _lines(chips: Iterable[str]) -> int:
    """The lines that chips of these words take in a window of 1440 px: so much room is kept for them."""
    lines, used = 1, 0.0
    for words in chips:
        width = 29 + 7.6 * len(words)
        lines, used = (lines, used + width) if used + width <= 1392 else (lines + 1, width)
    return lines


def _offered(frame: pd.DataFrame, chips: Mapping[str, Chip], only: Sequence[str]) -> list[str]:
    """The chosen ones and all others; of a thousand classes those that most push towards, no usual state."""
    most = frame["push_class"].value_counts().index[:MOST_CLASSES]
    towards, usual = {f"Pushes towards {name}" for name in most}, frame["state"].mode()[0]
    return [
        name
        for name, chip in chips.items()
        if name in only or ((chip.group != "push" or chip.words in towards) and name != usual)
    ]


def _is(column: str, value: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[column] == value
