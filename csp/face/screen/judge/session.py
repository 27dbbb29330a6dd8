"""One person's look at one neuron, from the moment its page is drawn until they decide.

A press of a button is about the neuron in the browser's address at that moment, and Streamlit may send it
twice or while the next neuron is on its way. So a look has one token: what was recorded with it counts once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from csp.face.screen.page.identity import me
from csp.keeping.reviews.event import Entry, new_token
from csp.keeping.reviews.normalise import as_one, same_label, together
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action
from csp.work.reviews.desk import ReviewDesk, Spot

Onward = Callable[[], None]
"""Writes the address of the next neuron."""

STAYING = (Action.FLAG, Action.DRAFT)
"""What does not end the look at a neuron."""

_VIEWINGS, _TYPED, _OPENED = "verdict-looks", "verdict-typed", "verdict-words-opened"
_DECIDES = ("run", "layer", "neuron", "gamma", "examples", "contrast")
"""Parameters of the address that decide what is on the screen."""
_BOXES = ("label", "reason", "tags")
_KEPT_VIEWINGS = 50
_DECISIONS = (Action.CONFIRM, Action.OVERRIDE, Action.REJECT)

Address = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class Viewing:
    """What was on the screen when someone decided."""

    desk: ReviewDesk
    entry: Entry
    """A draft with what is on the screen, until a press says what it becomes."""
    onward: Onward
    first: str | None
    """The label that stands first, which A confirms; None: none does, or people disagree."""
    parts: Sequence[str]
    """The things that this label names, each of which may be left out."""
    picks: Sequence[str]
    """Labels with a number key."""
    state: NeuronReview
    settle: bool = False
    """Whether a decision settles a dispute."""
    used: bool = False

    def said(self, act: Action, label: str | None, words: Entry) -> Entry:
        """What a press says. The machine's own label is a confirmation, whichever way it was given; to agree
        with a person's is to give it too.
        """
        machine = self.entry.machine_label
        if act in (Action.CONFIRM, Action.OVERRIDE):
            same = machine is not None and same_label(label) == same_label(machine)
            act = Action.CONFIRM if same else Action.OVERRIDE
        settles = self.settle and self.state.disputed and act in _DECISIONS
        return replace(
            words,
            verdict=Action.RESOLVE if settles else act,
            label=label,
            token=new_token() if act in STAYING else self.entry.token,
        )

    @property
    def confirmed(self) -> str | None:
        """What A confirms: the label that stands first, less what this person left out of it."""
        kept = st.session_state.get(self.boxes["parts"])
        if len(self.parts) < 2 or kept is None or len(kept) == len(self.parts):
            return self.first
        return as_one(kept[0]) if len(kept) == 1 else together(kept) if kept else None

    @property
    def spot(self) -> Spot:
        """The layer and the neuron."""
        return self.entry.layer, self.entry.neuron

    @property
    def boxes(self) -> dict[str, str]:
        """Keys of the boxes for label, reason, tags, and what is right of several labels. Each neuron has its
        own: no text can end up with another, and the browser still holds what was typed when the server was
        started anew.
        """
        where = f"{self.entry.layer}-{self.entry.neuron}"
        return {what: f"verdict-{what}-{where}" for what in (*_BOXES, "parts")}


def begin(fresh: Viewing) -> Viewing:
    """The look that the page draws: the one before goes on as long as nothing was decided in it."""
    viewings = _viewings()
    before = viewings.pop(address(), None)
    if before is not None and not before.used:
        fresh = replace(fresh, entry=replace(fresh.entry, token=before.entry.token))
    viewings[address()] = fresh
    while len(viewings) > _KEPT_VIEWINGS:
        viewings.pop(next(iter(viewings)))
    return fresh


def present() -> Viewing | None:
    """The look at the neuron that the browser had in its address when the button was pressed."""
    return _viewings().get(address())


def end(token: str) -> None:
    """The look with this token led to a decision."""
    for address, one in _viewings().items():
        if one.entry.token == token:
            _viewings()[address] = replace(one, used=True)


def typed(viewing: Viewing) -> Entry:
    """The look's entry with what was written and not sent, else with what this person put aside."""
    held = [st.session_state.get(viewing.boxes[what]) for what in _BOXES]
    if None not in held:
        label, reason, tags = held
        return replace(
            viewing.entry,
            label=str(label).strip() or None,
            reason=str(reason).strip(),
            tags=tuple(tags or ()),
        )
    kept = _typed().get(viewing.spot) or viewing.state.drafts.get(me().who)
    if kept is None:
        return viewing.entry
    return replace(viewing.entry, label=kept.label, reason=kept.reason, tags=kept.tags)


def fill_boxes(viewing: Viewing) -> None:
    """Gives the boxes what was written about this neuron before.

    Where that is nothing they get nothing, not even "": after a restart, the browser fills them.
    """
    words = typed(viewing)
    for what, value in zip(_BOXES, (words.label, words.reason, list(words.tags)), strict=True):
        if value:
            st.session_state.setdefault(viewing.boxes[what], value)


def keep_typed(viewing: Viewing) -> None:
    """Callback of the boxes: what they hold outlasts a visit to another neuron or page."""
    _typed()[viewing.spot] = typed(viewing)


def forget_typed(viewing: Viewing) -> None:
    """What was typed about a neuron went with the verdict on it."""
    _typed().pop(viewing.spot, None)
    for key in viewing.boxes.values():
        st.session_state.pop(key, None)


def open_words() -> None:
    """The boxes for own words were opened on purpose: the cursor goes there."""
    st.session_state[_OPENED] = times_opened() + 1


def times_opened() -> int:
    """How often they were."""
    return int(st.session_state.get(_OPENED, 0))


def _viewings() -> dict[Address, Viewing]:
    viewings: dict[Address, Viewing] = st.session_state.setdefault(_VIEWINGS, {})
    return viewings


def _typed() -> dict[Spot, Entry]:
    kept: dict[Spot, Entry] = st.session_state.setdefault(_TYPED, {})
    return kept


def address() -> Address:
    """Which neuron the browser was at when it asked for this run of the page, and at which choice."""
    return tuple(st.query_params.get(name) for name in _DECIDES)
