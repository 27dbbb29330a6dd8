"""The head of a neuron: the label in force, whose it is, and that label's own numbers; then the machine's.

    first = suggestion(explorer, view, state)      # draws the label in force; both sides of a dispute

What stands below it about the machine's label says so where the label in force is another.
"""

from collections.abc import Mapping

import streamlit as st

from csp.errors import CspError
from csp.face.screen.review_wording import shown
from csp.face.screen.state.cached import chances_of, controls_of
from csp.face.screen.wording import LABELERS, NO_VOCABULARY, score
from csp.keeping.reviews.normalise import label_parts
from csp.keeping.reviews.state import NeuronReview
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.typed_text import score_text
from csp.work.explorer.views import NeuronView
from csp.work.labels.chance import UNLIKELY, chance_words
from csp.work.labels.rows import LabelRow
from csp.work.reviews.label_in_force import ALSO, NONE_FITS, LabelInForce, in_words, label_in_force

LONGEST = 200
COSINE = "csp"
"""The labeler that scores any text, also without others to compare it with."""


def suggestion(explorer: Explorer, view: NeuronView, state: NeuronReview | None) -> LabelInForce:
    """Draws the label in force with whose it is and its numbers; of a dispute every side."""
    first = label_in_force(machine_labels(explorer, view), state)
    if first.sides:
        st.caption("People disagree")
        for who, label in first.sides:
            st.markdown(f"**{shown(in_words(label) or NONE_FITS, LONGEST)}** · {shown(who)}")
            _numbers(explorer, view, label)
    elif first.by is None and first.text is None:
        st.markdown("**The machine suggests no label.**")
        if not len(explorer.run.vocabulary):
            st.caption(NO_VOCABULARY)
    elif first.by is None and nothing_fits(explorer, view):
        st.caption("No label of the vocabulary says what makes it fire")
        st.subheader("Nothing fits", anchor=False)
        st.caption(f"The best label, *{shown(first.machine_texts[0], LONGEST)}*, {why_not(explorer, view)}.")
    else:
        st.caption(first.words[0].upper() + first.words[1:])
        st.subheader(shown(first.shown, LONGEST) if first.text else "No label fits", anchor=False)
    if is_anothers(first):
        if not first.sides:
            _numbers(explorer, view, first.text)
        if first.machine:
            st.caption(f"The machine suggests *{shown(ALSO.join(first.machine_texts), LONGEST)}*:")
    return first


def why_not(explorer: Explorer, view: NeuronView) -> str:
    """Of a label that is not claimed what speaks against it, as the end of a sentence."""
    chance = float(chances_of(explorer, view.layer).chances[view.neuron])
    if chance < UNLIKELY:
        return f"is {chance_words(chance).replace(':', ' to be true:')}"
    return "goes with the firing no more than noise does"


def machine_labels(explorer: Explorer, view: NeuronView) -> tuple[str, ...]:
    """What the machine says at the options of the page; all things at the run's own."""
    rows = view.labels.get(explorer.stored_labels.first_labeler(view.layer), ())
    if view.options == explorer.options():
        return explorer.stored_facets.machine_labels(view.layer).get(view.neuron, ())
    return (rows[0].label,) if rows else ()


def nothing_fits(explorer: Explorer, view: NeuronView) -> bool:
    """Whether nothing is claimed by the machine's label, which is known for the run's own options."""
    return view.options == explorer.options() and view.neuron in unclaimed(explorer, view.layer)


def is_anothers(first: LabelInForce) -> bool:
    """Whether the label in force is not the machine's, so that the machine's numbers are not its own."""
    return bool(first.sides) or first.suggested is not None


def text_numbers(explorer: Explorer, view: NeuronView, text: str, *, load: bool) -> str:
    """How one text fares for the neuron as the page shows it, or why that can't be said; as Markdown.

    Without `load` no model is loaded for it.
    """
    try:
        found = score_text(explorer, view.layer, view.neuron, text, view.options, load=load)
    except CspError as error:
        saved = " It can be saved all the same." if load else ""
        return f"{shown(text, 40)}: not scored; {shown(str(error), 200)}.{saved}"
    if COSINE not in found.scores:
        return "This neuron never fires, so no label can be scored."
    first = explorer.stored_labels.first_labeler(view.layer)
    by = first if first in found.scores else COSINE
    row, (noise, _) = found.scores[by], controls_of(explorer, view.layer, by)
    scale = f"; what is suggested for a shuffled neuron scores {score(noise.mean)}" if noise else ""
    return (
        f"{shown(text, 40)} scores **{score(row.score)}** by {LABELERS[by]}{beside(by, found.scores)}, "
        f"no. {row.rank} of {found.out_of}{scale}."
    )


def beside(labeler: str, scores: Mapping[str, LabelRow]) -> str:
    """The cosine of CSP, where another labeler's score stands before it."""
    own = scores.get(COSINE)
    return "" if labeler == COSINE or own is None else f" ({LABELERS[COSINE]} {score(own.score)})"


def _numbers(explorer: Explorer, view: NeuronView, label: str | None) -> None:
    """A line for each text of a person's label."""
    for text in label_parts(label):
        st.caption(text_numbers(explorer, view, text, load=False))
