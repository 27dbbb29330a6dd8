"""How likely the machine's first label is to be true: in words, with one number."""

import numpy as np
import streamlit as st

from csp.face.screen.judge.head import is_anothers, nothing_fits
from csp.face.screen.state.cached import chances_of
from csp.face.screen.wording import CHANCE_HELP, NOT_CLAIMED
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.labels.chance import chance_words
from csp.work.reviews.label_in_force import LabelInForce

LACKING = (
    "On pictures that had no part in finding it, the neuron tells those without it from those with it with "
    "an AUROC of {clear:.2f} (0.5: not at all). Where that is so, what is lacking says far more often what a "
    "neuron follows than the best label of what is there: docs/results.md."
)


def chance_line(explorer: Explorer, view: NeuronView, first: LabelInForce) -> None:
    """`likely: 9 in 10`; that nothing fits; or that it was not worked out. Nothing without a label.

    Where the head above says of the machine's label, in force, that nothing fits, it is not said again.
    """
    if not view.labels.get(explorer.stored_labels.first_labeler(view.layer)):
        return
    found = chances_of(explorer, view.layer)
    chance = float(found.chances[view.neuron])
    people = f", as people's verdicts on {found.judged} neurons of this run have it" * found.recalibrated
    own = "" if view.options == explorer.options() else "At the run's own settings: "
    lacking = explorer.stored_facets.absences(view.layer).get(view.neuron)
    with st.container(key="chance", gap="xxsmall"):
        if lacking is not None:
            st.markdown(f"{own}**fires where it is lacking**", help=LACKING.format(clear=lacking.clear))
        elif nothing_fits(explorer, view) and not is_anothers(first):
            return
        elif view.neuron in unclaimed(explorer, view.layer):
            st.markdown(f"{own}**nothing fits**", help=NOT_CLAIMED)
        elif np.isfinite(chance):
            st.markdown(f"{own}**{chance_words(chance)}**{people}", help=CHANCE_HELP)
        else:
            st.caption(f"How likely it is was not worked out: run `csp evaluate {view.run}`.")
