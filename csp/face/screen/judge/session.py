"""One person's look at one neuron, from the moment its page is drawn until they decide.

A press of a button is about the neuron in the browser's address at that moment, and Streamlit may send it
twice or while the next neuron is on its way. So a look has one token: what was recorded with it counts once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from csp.face.screen.page.identity import me
from csp.keeping.reviews.event import Entry, new_token
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action
from csp.work.reviews.desk import ReviewDesk, Spot

Onward = Callable[[], None]
"""Writes the address of the next neuron."""

STAYING = (Action.FLAG, Action.DRAFT)
"""What does not end the look at a neuron."""

_LOOKS, _TYPED, _OPENED = "verdict-looks", "verdict-typed", "verdict-words-opened"
_DECIDES = ("run", "layer", "neuron", "gamma", "examples", "contrast")
"""Parameters of the address that decide what is on the screen."""
_BOXES = ("label", "reason", "tags")
_KEPT_LOOKS = 50
_DECISIONS = (Action.CONFIRM, Action.OVERRIDE, Action.REJECT)

Address = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was on the screen when someone decided."""

    desk: ReviewDesk
    entry: Entry
    """A draft with what is on the screen, until a press says what it becomes."""
    onward: Onward
    first: str | None
    """The label that stands first, which A confirms; None: none does, or people disagree."""
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
    def spot(self) -> Spot:
        """The layer and the neuron."""
        return self.entry.layer, self.entry.neuron

    @property
    def boxes(self) -> dict[str, str]:
        """Keys of the boxes for label, reason and tags. Each neuron has its own: no text can end up with
        another, and the browser still holds what was typed when the server was started anew.
        """
        return {what: f"verdict-{what}-{self.entry.layer}-{self.entry.neuron}" for what in _BOXES}


def begin(fresh: Look) -> Look:
    """The look that the page draws: the one before goes on as long as nothing was decided in it."""
    looks = _looks()
    before = looks.pop(address(), None)
    if before is not None and not before.used:
        fresh = replace(fresh, entry=replace(fresh.entry, token=before.entry.token))
    looks[address()] = fresh
    while len(looks) > _KEPT_LOOKS:
        looks.pop(next(iter(looks)))
    return fresh


def present() -> Look | None:
    """The look at the neuron that the browser had in its address when the button was pressed."""
    return _looks().get(address())


def end(token: str) -> None:
    """The look with this token led to a decision."""
    for address, one in _looks().items():
        if one.entry.token == token:
            _looks()[address] = replace(one, used=True)


def typed(look: Look) -> Entry:
    """The look's entry with what was written and not sent, else with what this person put aside."""
    held = [st.session_state.get(key) for key in look.boxes.values()]
    if None not in held:
        label, reason, tags = held
        return replace(
            look.entry, label=str(label).strip() or None, reason=str(reason).strip(), tags=tuple(tags or ())
        )
    kept = _typed().get(look.spot) or look.state.drafts.get(me().who)
    if kept is None:
        return look.entry
    return replace(look.entry, label=kept.label, reason=kept.reason, tags=kept.tags)


def fill_boxes(look: Look) -> None:
    """Gives the boxes what was written about this neuron before.

    Where that is nothing they get nothing, not even "": after a restart, the browser fills them.
    """
    words = typed(look)
    for key, value in zip(look.boxes.values(), (words.label, words.reason, list(words.tags)), strict=True):
        if value:
            st.session_state.setdefault(key, value)


def keep_typed(look: Look) -> None:
    """Callback of the boxes: what they hold outlasts a visit to another neuron or page."""
    _typed()[look.spot] = typed(look)


def forget_typed(look: Look) -> None:
    """What was typed about a neuron went with the verdict on it."""
    _typed().pop(look.spot, None)
    for key in look.boxes.values():
        st.session_state.pop(key, None)


def open_words() -> None:
    """The boxes for own words were opened on purpose: the cursor goes there."""
    st.session_state[_OPENED] = times_opened() + 1


def times_opened() -> int:
    """How often they were."""
    return int(st.session_state.get(_OPENED, 0))


def _looks() -> dict[Address, Look]:
    looks: dict[Address, Look] = st.session_state.setdefault(_LOOKS, {})
    return looks


def _typed() -> dict[Spot, Entry]:
    kept: dict[Spot, Entry] = st.session_state.setdefault(_TYPED, {})
    return kept


def address() -> Address:
    """Which neuron the browser was at when it asked for this run of the page, and at which choice."""
    return tuple(st.query_params.get(name) for name in _DECIDES)
