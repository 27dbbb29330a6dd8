"""Verdicts in words. What people typed is shown as text: short, no markup, its direction kept to itself."""

from csp.face.screen.wording import plain
from csp.keeping.reviews.event import Event, Reviewer
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import DONE as DONE  # for the screens, beside the other words
from csp.keeping.reviews.vocabulary import NO_LABEL_FITS, TAGS, Action

_ISOLATE, _END = "\u2068", "\u2069"


def shown(text: str, most: int = 60) -> str:
    """Text of a person for Markdown: one line, cut at `most` characters; right-to-left marks end with it."""
    line = " ".join(text.split())
    return f"{_ISOLATE}{plain(line if len(line) <= most else f'{line[: most - 1]}…')}{_END}"


def name(who: Reviewer) -> str:
    """A reviewer for text: a name that was only typed says so."""
    return who.words


def said(event: Event) -> str:
    """What an event says, for text: `replaced by ruler marks`."""
    if event.verdict is Action.RESOLVE and event.label is None:
        return f"settled: {NO_LABEL_FITS}"
    label = (
        event.label if event.verdict not in (Action.REJECT, Action.UNSURE, Action.FLAG, Action.UNDO) else None
    )
    return f"{DONE[event.verdict]} {label}" if label else DONE[event.verdict]


def tags(event: Event) -> str:
    """The tags of an event in words."""
    return ", ".join(TAGS.get(tag, tag) for tag in event.tags)


def standing(state: NeuronReview) -> str:
    """Where a neuron stands, as Markdown of one short line."""
    if state.disputed:
        sides = (f"{shown(name(who), 30)}: {shown(said(event), 40)}" for who, event in state.verdicts.items())
        return f":orange-badge[People disagree] {' · '.join(sides)}"
    decided = state.deciding or next(reversed([*state.verdicts.values()]), None)
    if decided is None:
        text = ":gray-badge[Not judged yet]"
    else:
        text = f":blue-badge[Judged] {shown(said(decided), 50)} · {shown(name(decided.who), 30)}"
    return f"{text} :orange-badge[Second look]" if state.second_look is not None else text
