"""The queue of the review page: which neurons are left, which one is on the screen, and how to go on."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from csp.errors import UnavailableError
from csp.face.screen.judge.head import LONGEST
from csp.face.screen.judge.session import Onward
from csp.face.screen.page.identity import may_review, me
from csp.face.screen.page.pickers import chosen_doubt, doubt_picker, layer_picker, run_picker
from csp.face.screen.page.shortcuts import shortcut
from csp.face.screen.review_wording import shown
from csp.face.screen.state import review_store
from csp.face.screen.state.cached import reviewed, rows_of
from csp.face.screen.url.params import Params, is_on, one_of, whole_number
from csp.face.screen.url.state import follow, write
from csp.face.screen.wording import plain
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.review_queues import LEFT, QUEUES, Item, QueueFacts, queue, to_do
from csp.work.neurons.rows import doubted_under

ASKED_AT_ONCE = 50
"""So many neurons are tried for one that nobody else works on."""

_BLIND = "review-blind"


@dataclass(frozen=True)
class QueueView:
    """The queue as one person sees it now."""

    explorer: Explorer
    layer: str
    name: str
    todo: str
    items: Sequence[Item]
    """All that ever belonged to it, as things stand."""
    left: Sequence[Item]

    def why(self, neuron: int) -> tuple[str, ...]:
        """Why a neuron stands in the queue; nothing when it does not."""
        return next((item.why for item in self.items if item.neuron == neuron), ())

    def after(self, neuron: int | None) -> list[int]:
        """The neurons left, from the one behind `neuron` on and round to it."""
        order = [item.neuron for item in self.items]
        left = [item.neuron for item in self.left if item.neuron != neuron]
        position = order.index(neuron) if neuron in order else -1
        return sorted(left, key=lambda one: (order.index(one) <= position, order.index(one)))


def chosen_queue(params: Params, explorer: Explorer, layer: str) -> QueueView:
    """The queue in the address; raises WrongAddressError for one that does not exist."""
    name = one_of(params, "queue", list(QUEUES), "doubtful")
    todo = one_of(params, "todo", list(LEFT), QUEUES[name].todo)
    states, person = reviewed(explorer, layer), me()
    facts = QueueFacts(doubted_under(rows_of(explorer, layer), chosen_doubt(params)), states)
    items = queue(name, facts, person)
    return QueueView(explorer, layer, name, todo, items, to_do(items, states, person, todo))


def chosen_neuron(params: Params, queued: QueueView) -> int | None:
    """The neuron in the address, else the first one left that nobody else works on; None: nothing is left."""
    if "neuron" in params:
        last = queued.explorer.run.layer(queued.layer).neurons - 1
        return whole_number(params, "neuron", 0, last, 0)
    neuron = _taken(queued, None)
    if neuron is not None:
        st.query_params["neuron"] = str(neuron)
    return neuron


def onward(queued: QueueView, neuron: int) -> Onward:
    """Goes to the next neuron of the queue; without one, to the queue itself, which then says so."""

    def go() -> None:
        following = _taken(queued, neuron)
        if following is None:
            st.query_params.pop("neuron", None)
        else:
            st.query_params["neuron"] = str(following)

    return go


def queue_bar(queued: QueueView, blind: bool) -> None:
    """Pickers above the pictures: layer, queue, what is left of it, and blind or not."""
    gone = ("neuron", "todo")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="queue-bar"):
        st.subheader("Review", anchor=False, width="content")
        layer_picker(queued.explorer.run, queued.layer)
        run_picker(queued.explorer.run)
        _select("queue", list(QUEUES), queued.name, {name: one.title for name, one in QUEUES.items()}, gone)
        _select("todo", list(LEFT), queued.todo, {name: words for name, (words, _) in LEFT.items()}, gone[:1])
        if queued.name == "doubtful":
            doubt_picker(chosen_doubt(st.query_params.to_dict()))
        done = len(queued.items) - len(queued.left)
        st.caption(f"{done} of {len(queued.items)} done", width="content")
        st.space("stretch")
        st.button(
            "See the machine's label" if blind else "Judge blind",
            key="blind",
            shortcut=shortcut("blind"),
            help="Blind: write a label before you see the machine's",
            on_click=_switch_blind,
            args=(not blind,),
        )
    if queued.items:
        st.progress(done / len(queued.items))


def reasons(queued: QueueView, neuron: int, hidden: bool) -> None:
    """Which neuron this is, and why it stands in the queue, unless that would give the label away."""
    why = () if hidden else queued.why(neuron)
    with st.container(key="reasons", gap="xxsmall"):
        st.markdown(f"**Neuron {neuron} is in the queue because**" if why else f"**Neuron {neuron}**")
        st.markdown("\n".join(f"- {shown(reason, LONGEST)}" for reason in why))


def nothing_left(queued: QueueView) -> None:
    """The end of a queue."""
    one = QUEUES[queued.name]
    st.success(
        f"Nothing is left in *{one.title}* of {plain(queued.layer)} ({one.holds}; {LEFT[queued.todo][0]}), "
        "or others work on the rest."
    )
    for name in QUEUES:
        if name != queued.name:
            st.button(f"Go to: {QUEUES[name].title}", key=f"to-{name}", on_click=_to_queue, args=(name,))


def _taken(queued: QueueView, neuron: int | None) -> int | None:
    """The next neuron that nobody else works on, now held by this person for a while."""
    wanted = queued.after(neuron)
    if not wanted or not may_review():
        return next(iter(wanted), None)
    spots = [(queued.layer, one) for one in wanted[:ASKED_AT_ONCE]]
    try:
        taken = review_store.desk(queued.explorer).claim(me(), spots)
    except UnavailableError:  # a claim only spares double work; judging goes on without
        return wanted[0]
    return None if taken is None else taken[1]


def _select(name: str, options: list[str], chosen: str, words: dict[str, str], gone: tuple[str, ...]) -> None:
    follow(name, chosen)
    st.selectbox(
        name.capitalize(),
        options,
        options.index(chosen),
        key=name,
        format_func=words.__getitem__,
        on_change=write,
        args=(name, gone),
        label_visibility="collapsed",
        width=190,
    )


def chosen_blind(params: Params) -> bool:
    """Whether labels are hidden: as the address says, else as this person left it. A link never ends it."""
    if "blind" in params:
        st.session_state[_BLIND] = is_on(params, "blind")
    blind = bool(st.session_state.get(_BLIND, False))
    if blind and "blind" not in params:
        st.query_params["blind"] = "true"
    return blind


def _switch_blind(yes: bool) -> None:
    st.session_state[_BLIND] = yes
    if yes:
        st.query_params["blind"] = "true"
    else:
        st.query_params.pop("blind", None)


def _to_queue(name: str) -> None:
    kept = {
        key: value for key, value in st.query_params.to_dict().items() if key in ("run", "layer", "blind")
    }
    st.query_params.from_dict({**kept, "queue": name})
