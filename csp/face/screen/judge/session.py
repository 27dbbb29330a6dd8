"""One person's look at one neuron, from the moment its page is drawn until they decide.

A press of a button is about the neuron in the browser's address at that moment, and Streamlit may send it
twice or while the next neuron is on its way. So a look has one token: what was recorded with it counts once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from csp.face.screen.page.identity import me
from csp.keeping.reviews.event import new_token
from csp.keeping.reviews.normalise import same_label
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action
from csp.work.reviews.desk import ReviewDesk, Said

Onward = Callable[[], None]
"""Writes the address of the next neuron."""

STAYING = (Action.FLAG, Action.DRAFT)
"""What does not end the look at a neuron."""

_LOOKS, _TYPED = "verdict-looks", "verdict-typed"
_BOXES = ("label", "reason", "tags")
_KEPT_LOOKS = 50
_DECISIONS = (Action.CONFIRM, Action.OVERRIDE, Action.REJECT)

Spot = tuple[str, int]
Address = tuple[str | None, ...]


@dataclass(frozen=True)
class Typed:
    """What someone wrote about a neuron and did not send yet."""

    label: str = ""
    reason: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was on the screen when someone decided."""

    desk: ReviewDesk
    layer: str
    neuron: int
    onward: Onward
    machine: str | None
    """The machine's first label on the screen, by this labeler at this gamma and number of examples."""
    labeler: str
    picks: Sequence[str]
    """Labels with a number key."""
    gamma: float
    examples: int
    contrast: str
    state: NeuronReview
    settle: bool = False
    """Whether a decision settles a dispute."""
    blind: bool = False
    """Whether the machine's label is hidden."""
    token: str = field(default_factory=new_token)
    used: bool = False

    def said(self, act: Action, label: str | None, words: Typed) -> Said:
        """What a press says. The machine's own label is a confirmation, whichever way it was given."""
        if act is Action.OVERRIDE and self.machine and same_label(label) == same_label(self.machine):
            act = Action.CONFIRM
        settles = self.settle and self.state.disputed and act in _DECISIONS
        return Said(
            layer=self.layer,
            neuron=self.neuron,
            verdict=Action.RESOLVE if settles else act,
            label=label,
            machine_label=self.machine,
            labeler=self.labeler,
            reason=words.reason,
            tags=words.tags,
            seen=self.state.seen,
            gamma=self.gamma,
            examples=self.examples,
            blind=self.blind,
            token=new_token() if act in STAYING else self.token,
        )

    @property
    def boxes(self) -> dict[str, str]:
        """Keys of the boxes for label, reason and tags. Each neuron has its own: no text can end up with
        another, and the browser still holds what was typed when the server was started anew.
        """
        return {what: f"verdict-{what}-{self.layer}-{self.neuron}" for what in _BOXES}


def begin(fresh: Look) -> Look:
    """The look that the page draws: the one before goes on as long as nothing was decided in it."""
    looks = _looks()
    before = looks.pop(address(), None)
    if before is not None and not before.used:
        fresh = replace(fresh, token=before.token)
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
        if one.token == token:
            _looks()[address] = replace(one, used=True)


def typed(look: Look) -> Typed:
    """What was written about this neuron and not sent, else this person's draft."""
    held = [st.session_state.get(key) for key in look.boxes.values()]
    if None not in held:
        label, reason, tags = held
        return Typed(str(label).strip(), str(reason).strip(), tuple(tags or ()))
    if (look.layer, look.neuron) in _typed():
        return _typed()[look.layer, look.neuron]
    draft = look.state.drafts.get(me().who)
    return Typed() if draft is None else Typed(draft.label or "", draft.reason, draft.tags)


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
    _typed()[look.layer, look.neuron] = typed(look)


def forget_typed(look: Look) -> None:
    """What was typed about a neuron went with the verdict on it."""
    _typed().pop((look.layer, look.neuron), None)
    for key in look.boxes.values():
        st.session_state.pop(key, None)


def _looks() -> dict[Address, Look]:
    looks: dict[Address, Look] = st.session_state.setdefault(_LOOKS, {})
    return looks


def _typed() -> dict[Spot, Typed]:
    kept: dict[Spot, Typed] = st.session_state.setdefault(_TYPED, {})
    return kept


def address() -> Address:
    """Which neuron the browser was at when it asked for this run of the page."""
    return tuple(st.query_params.get(name) for name in ("run", "layer", "neuron"))
