"""One neuron of a queue after the other: look, judge by a key, go on."""

import streamlit as st

from csp.face.screen.judge.bar import verdict_bar
from csp.face.screen.judge.history import review_history
from csp.face.screen.neuron.grids import FIRST_PAIRS, activating_grid, contrastive_grid
from csp.face.screen.page.frame import frame, run_line
from csp.face.screen.review.agreement import agreement_panel
from csp.face.screen.review.exchange import exchange_panel
from csp.face.screen.review.panel import blind_label, label_in_question, last_verdicts, wrote_blind
from csp.face.screen.review.queue import (
    chosen_blind,
    chosen_neuron,
    chosen_queue,
    nothing_left,
    onward,
    queue_bar,
    reasons,
)
from csp.face.screen.state.cached import chosen_explorer, chosen_layer

with frame("Review"):
    params = st.query_params.to_dict()
    explorer = chosen_explorer(params)
    layer = chosen_layer(params, explorer)
    queued = chosen_queue(params, explorer, layer)
    blind = chosen_blind(params)
    neuron = chosen_neuron(params, queued)

    queue_bar(queued, blind)
    if neuron is None:
        nothing_left(queued)
        last_verdicts(explorer)
    else:
        view = explorer.neuron(layer, neuron)
        hidden = blind and not wrote_blind(explorer, view)
        left, middle, right = st.container(key="review-body").columns([33, 33, 34], gap="medium")
        with left:
            activating_grid(explorer.run, view, view.pairs[:FIRST_PAIRS])
        with middle:
            contrastive_grid(explorer.run, view, view.pairs[:FIRST_PAIRS])
        with right:
            (blind_label if hidden else label_in_question)(explorer, view)
            reasons(queued, neuron, hidden)
            last_verdicts(explorer)
        if not hidden:
            review_history(explorer, view)
        verdict_bar(
            explorer, view, onward(queued, neuron), settle=queued.name == "disagreements", blind=hidden
        )
    agreement_panel(explorer)
    exchange_panel(explorer)
    run_line(explorer.run)
