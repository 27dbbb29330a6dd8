"""The bar at the foot of the page: judge the neuron by a press or a key, in own words, or later.

verdict_bar(explorer, view)                             # goes on to the next neuron of the layer
verdict_bar(explorer, view, onward=next_of_queue)       # ... of a queue
"""

from typing import Literal

import streamlit as st

from csp.face.screen.elements.components import unrecorded, word_keys
from csp.face.screen.judge.actions import (
    Pending,
    became,
    catch_up,
    decide,
    drop,
    names_last,
    pending,
    record_as,
    retry,
    skip,
    taken,
    undo_last,
)
from csp.face.screen.judge.editor import editor
from csp.face.screen.judge.head import machine_labels, nothing_fits
from csp.face.screen.judge.session import Onward, Viewing, begin, open_words, times_opened
from csp.face.screen.page.identity import NAME_LIMIT, may_review, me
from csp.face.screen.page.shortcuts import PICKS, VERDICTS, shortcut
from csp.face.screen.review_wording import DONE, name, said, shown, standing
from csp.face.screen.state import review_store
from csp.face.screen.state.cached import reviewed
from csp.face.screen.url.params import is_on
from csp.face.screen.url.state import put
from csp.face.screen.wording import plain
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.normalise import as_one, same_label, together
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.reviews.vocabulary import Action
from csp.work.candidates.read import vlm_answers
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.reviews.label_in_force import in_words, label_in_force

EDIT, _NAME_BOX = "edit", "judge-name"
Kind = Literal["primary", "secondary", "tertiary"]


def verdict_bar(
    explorer: Explorer,
    view: NeuronView,
    onward: Onward | None = None,
    *,
    settle: bool = False,
    blind: bool = False,
) -> None:
    """Draws the bar.

    `settle`: a decision on a disputed neuron settles the dispute instead of adding to it; `blind`: no label
    of the machine or of others is shown, and one's own has to be written first.
    """
    is_on(st.query_params.to_dict(), EDIT)  # before anything of the bar is drawn
    state = reviewed(explorer, view.layer).get(view.neuron, NeuronReview())
    with st.bottom, st.container(key="verdict", gap="xxsmall"):
        if not may_review():
            st.markdown(
                f"{standing(state)} · You may look, not judge: ask an admin for the role of a reviewer."
            )
            return
        labeler = explorer.stored_labels.first_labeler(view.layer)
        suggested = machine_labels(explorer, view)
        machine = together(suggested) if suggested else None
        first = label_in_force(suggested, state)
        viewing = begin(
            Viewing(
                desk=review_store.desk(explorer),
                entry=Entry(
                    layer=view.layer,
                    neuron=view.neuron,
                    verdict=Action.DRAFT,
                    machine_label=machine,
                    labeler=labeler,
                    gamma=view.options.gamma,
                    examples=view.options.k,
                    contrast=str(view.options.contrast),
                    blind=blind,
                    seen=state.seen,
                ),
                onward=_out_of_words(onward or _next_neuron(explorer, view)),
                first=None if first.sides else first.text,
                parts=() if blind or first.sides else first.texts,
                picks=() if blind else picks(explorer, view, state),
                state=state,
                settle=settle,
            )
        )
        catch_up()
        unrecorded([shortcut(name) for name in VERDICTS], [*VERDICTS, "save", "draft"], taken())
        if (waiting := pending()) is not None:
            _waiting(waiting)
            return
        _buttons(explorer, view, viewing)


def picks(explorer: Explorer, view: NeuronView, state: NeuronReview) -> list[str]:
    """The labels with a number key, each once: the machine's first, people's, those of a vision-language
    model, then the machine's others.
    """
    rows = view.labels.get(explorer.stored_labels.first_labeler(view.layer), ())
    suggested = machine_labels(explorer, view)
    machine = [together(suggested) if suggested else "", *map(as_one, suggested[1:])]
    machine += [as_one(row.label) for row in rows]
    people = [event.label for event in state.verdicts.values() if event.label]
    answers = vlm_answers(explorer.run, view.layer, view.neuron)
    proposed = [as_one(concept) for answer in answers for concept in answer.concepts]
    others = [as_one(rows[0].label) for rows in view.labels.values() if rows]
    each: dict[str, str] = {}
    for label in (*machine[:1], *people, *proposed, *others, *machine[1:]):
        each.setdefault(same_label(label), label)
    each.pop("", None)
    return list(each.values())[:PICKS]


def _buttons(explorer: Explorer, view: NeuronView, viewing: Viewing) -> None:
    drafted = me().who in viewing.state.drafts
    editing = is_on(st.query_params.to_dict(), EDIT) or viewing.entry.blind or drafted
    if editing:
        editor(explorer, view, viewing)
    word_keys(
        (viewing.boxes["label"], viewing.boxes["reason"]),
        opens=shortcut("edit"),
        save="draft" if viewing.entry.blind else "save",
        leave="" if viewing.entry.blind else "edit",
        opened=times_opened(),
    )
    if note := became():
        st.caption(plain(note))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="verdict-picks"):
        if len(viewing.parts) > 1:
            _parts(viewing)
        for place, label in enumerate(viewing.picks):
            _press(
                f"pick-{place + 1}",
                shown(_worded(label, viewing), 24),
                Action.OVERRIDE,
                place,
                kind="tertiary",
            )
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="verdict-acts"):
        _acts(explorer, view, viewing)
        _own_words(editing and not viewing.entry.blind)
        st.space("stretch")
        if not viewing.entry.blind:
            st.markdown(standing(viewing.state), width="content")


def _parts(viewing: Viewing) -> None:
    """Of a label that names several things each can be left out: what is confirmed is the rest."""
    with st.container(key="verdict-parts", width="content"):
        st.pills(
            "Right are",
            list(viewing.parts),
            selection_mode="multi",
            default=list(viewing.parts),
            format_func=lambda part: shown(part, 28),
            key=viewing.boxes["parts"],
            label_visibility="collapsed",
            help="Leave out what is wrong: Confirm records the rest.",
        )


def _worded(label: str, viewing: Viewing) -> str:
    """A label as the head of the page says it: the machine's in words, a person's as it was written."""
    return in_words(label) if label == viewing.entry.machine_label else label


def _own_words(editing: bool) -> None:
    st.button(
        "Own words",
        key="edit",
        icon=":material/expand_more:" if editing else ":material/edit:",
        shortcut=shortcut("edit"),
        on_click=_open_editor,
        args=(not editing,),
    )


def _acts(explorer: Explorer, view: NeuronView, viewing: Viewing) -> None:
    if viewing.entry.blind:
        _later(explorer, viewing)
        return
    verb = "Settle as" if viewing.settle and viewing.state.disputed else "Confirm"
    first = viewing.confirmed
    confirm = f"{verb} {shown(_worded(first, viewing), 30)}" if first else verb
    # What the head claims is what the strongest button confirms.
    none = first is not None and first == viewing.entry.machine_label and nothing_fits(explorer, view)
    _press("accept", confirm, Action.CONFIRM, off=first is None, kind="secondary" if none else "primary")
    _press("none", "No label fits", Action.REJECT, kind="primary" if none else "secondary")
    _later(explorer, viewing)


def _later(explorer: Explorer, viewing: Viewing) -> None:
    """What needs no label."""
    _press("unsure", "Unsure", Action.UNSURE)
    _press("flag", "Second look", Action.FLAG)
    st.button("Skip", key="skip", shortcut=shortcut("skip"), on_click=skip)
    mine = next(iter(review_store.recent(explorer, me(), 1)), None)
    st.button(
        f"Undo {mine.neuron}" if mine else "Undo",
        key="undo",
        shortcut=shortcut("undo"),
        disabled=mine is None,
        help=f"Takes back: neuron {mine.neuron}, {shown(said(mine))}" if mine else None,
        on_click=undo_last,
        args=(mine,),
    )
    names_last()


def _press(
    key: str,
    label: str,
    act: Action,
    place: int | None = None,
    *,
    off: bool = False,
    kind: Kind = "secondary",
) -> None:
    st.button(
        label,
        key=key,
        type=kind,
        shortcut=shortcut(key),
        disabled=off,
        on_click=decide,
        args=(act, place),
    )


def _waiting(waiting: Pending) -> None:
    """What could not be recorded, or needs an answer first."""
    neuron, mine = waiting.entry.neuron, _words(waiting)
    if waiting.nameless:
        _who_judges(neuron, mine)
    elif waiting.missed:
        others = "; ".join(f"{shown(name(one.who), 30)}: {shown(said(one))}" for one in waiting.missed)
        st.warning(f"Meanwhile on neuron {neuron}, {others}. You were about to say: {mine}.")
    else:
        problem = plain(waiting.problem)
        st.error(f"Neuron {neuron}, {mine}: **not recorded yet**. {problem[:1].upper()}{problem[1:]}.")
    with st.container(horizontal=True, key="verdict-waiting"):
        if waiting.nameless:
            pass
        elif waiting.missed:
            st.button("Say it all the same", key="retry", type="primary", on_click=retry)
        elif waiting.retry:
            st.button("Retry", key="retry", type="primary", on_click=retry)
        st.button("Back, without recording", key="drop", on_click=drop)


def _who_judges(neuron: int, mine: str) -> None:
    """Asked before the first verdict of whoever did not sign in; the cursor goes into the box."""
    word_keys((_NAME_BOX,), opens="", save="", leave="drop", opened=times_opened() + 1)
    with st.form("who-judges", border=False):
        st.markdown(
            f"**Who is judging?** Neuron {neuron}, {mine}: not recorded yet. Verdicts carry your name; this "
            "browser remembers it."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Your name", key=_NAME_BOX, max_chars=NAME_LIMIT, width=320)
            st.form_submit_button(
                "Record as this person", type="primary", on_click=record_as, args=(_NAME_BOX,)
            )


def _words(waiting: Pending) -> str:
    label = waiting.entry.label
    return f"{DONE[waiting.entry.verdict]}{f' {shown(label)}' if label else ''}"


def _next_neuron(explorer: Explorer, view: NeuronView) -> Onward:
    following = (view.neuron + 1) % explorer.run.layer(view.layer).neurons

    def go() -> None:
        put("neuron", str(following), drop=("image",))

    return go


def _out_of_words(onward: Onward) -> Onward:
    """Own words belong to the neuron they were for: the next one comes without their boxes."""

    def go() -> None:
        st.query_params.pop(EDIT, None)
        onward()

    return go


def _open_editor(yes: bool) -> None:
    if yes:
        open_words()
        st.query_params[EDIT] = "true"
    else:
        st.query_params.pop(EDIT, None)
