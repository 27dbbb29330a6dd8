"""Filter chips of the neurons page: within a group any may fit, over the groups all must."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from csp.face.screen.url.params import Params, some_of
from csp.face.screen.url.state import follow, write
from csp.face.screen.wording import REVIEW_STATES, STATES, counted, counted_review, counted_state, plain
from csp.work.neurons.rows import UNSTABLE

MOST_CLASSES = 5
"""Classes with a chip of their own, those that most push towards first; the search finds the others."""


@dataclass(frozen=True)
class Chip:
    """One filter: its group, its words beside a count, and which rows fit."""

    group: str
    counted: Callable[[int], str]
    """So many neurons that fit, in words."""
    fits: Callable[[pd.DataFrame], pd.Series]
    towards: str = ""
    """Of the group `push`, the class."""


def chips_of(classes: Sequence[str]) -> dict[str, Chip]:
    """All chips that the neurons of a run with these classes may have, by their name in the address."""
    found = {
        name: Chip("review", partial(counted_review, review=name), _is("review", name))
        for name in REVIEW_STATES
    }
    again = _words("second look asked for", "second looks asked for")
    found["second-look"] = Chip("review", again, lambda f: f["second_look"].astype(bool))
    for number, name in enumerate(classes):
        towards = _words(f"pushes towards {name}", f"push towards {name}")
        found[f"pushes-{number}"] = Chip("push", towards, _is("push_class", name), name)
    found["doubtful"] = Chip("doubt", _words("doubtful"), lambda f: f["doubtful"].astype(bool))
    found["artefact"] = Chip("artefact", _words("artefact", "artefacts"), lambda f: f["artefacts"].map(bool))
    found["unstable"] = Chip("stability", _words("unstable"), lambda f: f["stability"] < UNSTABLE)
    found["no-label"] = Chip("label", _words("without a label"), lambda f: f["label"].isna())
    found["nothing-fits"] = Chip("label", _words("for which nothing fits"), _nothing_fits)
    for state in STATES:
        found[state] = Chip("state", partial(counted_state, state=state), _is("state", state))
    return found


def _words(one: str, many: str = "") -> Callable[[int], str]:
    return lambda count: counted(count, one, many or one)


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
    words = {name: plain(chips[name].counted(counts[name])) for name in shown}
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
    usual = frame["state"].mode()[0]
    return [
        name
        for name, chip in chips.items()
        if name in only or ((chip.group != "push" or chip.towards in most) and name != usual)
    ]


def _nothing_fits(frame: pd.DataFrame) -> pd.Series:
    """Those whose label in force is the machine's, and not claimed."""
    return (frame["source"] != "person") & frame["label"].notna() & ~frame["above_noise"].astype(bool)


def _is(column: str, value: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[column] == value
