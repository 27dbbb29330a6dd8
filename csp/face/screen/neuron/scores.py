"""The labels of a neuron: the machine's suggestion, the score table, and the candidates."""

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from csp.face.screen.candidates.panel import candidates_panel
from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.elements.score_cell import Track, score_cell, track
from csp.face.screen.judge.head import beside, suggestion
from csp.face.screen.neuron.chance import chance_line
from csp.face.screen.neuron.confidence import how_sure
from csp.face.screen.neuron.facets import facets_line
from csp.face.screen.neuron.options import chosen_options, options_controls
from csp.face.screen.page.frame import own_edge
from csp.face.screen.page.identity import let_in
from csp.face.screen.state.cached import controls_of, layer_controls, reviewed
from csp.face.screen.wording import (
    LABELER_HELP,
    LABELERS,
    NOISE_HELP,
    beside_noise,
    neighbours_line,
    origin,
    plain,
    remark,
    rival_words,
    score,
)
from csp.method.control import Noise
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.labels.rows import LabelRow, ScoredText, ScoreRange

ROWS = 5
RIVAL_HELP = "The next thing is the best label that means something else: synonyms do not count."
HEADS = {name: words.replace("SemanticLens", "Semantic\u00adLens") for name, words in LABELERS.items()}
"""With where a long one breaks."""
Ranges = Mapping[str, ScoreRange | None]


@st.fragment
@own_edge
def labels_panel(explorer: Explorer, page: NeuronView) -> None:
    """All words on a neuron: a fragment, so that a control shows its effect before the page is redrawn.

    `page` is the view that the page drew. After another one is shown here the whole page follows: head, bar,
    suggestions and what is recorded come from one view. A press in between waits for it (`actions.catch_up`).
    """
    let_in()
    options = chosen_options(st.query_params.to_dict(), explorer)
    view = page if options == page.options else explorer.neuron(page.layer, page.neuron, options)
    ranges = {labeler: explorer.stored_labels.score_range(view.layer, labeler) for labeler in LABELERS}
    with st.container(key="suggestion", gap="xxsmall"):
        first = suggestion(explorer, view, reviewed(explorer, view.layer).get(view.neuron))
    chance_line(explorer, view, first)
    facets_line(explorer, view)
    with st.expander("Why we think so, in figures"):
        measured = st.container(key="how-sure", gap="xxsmall")
    options_controls(explorer, options)
    with st.container(key="projection-scores", gap="xxsmall"):
        _score_table(explorer, view, ranges, explorer.stored_labels.first_labeler(view.layer))
    candidates_panel(explorer, view)
    with st.container(key="provenance"):
        st.caption(f"Pairs and scores: {plain(origin(view.provenance))}{neighbours_line(explorer.run)}")
    with measured:  # last: drawing the examples again may take seconds, of very many texts
        _score_line(explorer, view)
        how_sure(explorer, view)
    if view is not page:
        st.rerun()


def _score_line(explorer: Explorer, view: NeuronView) -> None:
    """How the first label stands against noise, and against the next thing that fits."""
    first = explorer.stored_labels.first_labeler(view.layer)
    rows = view.labels.get(first, ())
    if not rows:
        return
    own = view.options == explorer.options()
    controls = controls_of(explorer, view.layer, first) if own else (None, None)
    lead = rival_words(explorer.synonyms.rival(_all_rows(explorer, view, first)))
    by = next((one.by for one in view.scores if one.text == rows[0].label), {})
    st.caption(
        f"{LABELERS[first]}{beside(first, by)}: {beside_noise(rows[0].score, *controls)}.{lead}",
        help=f"{LABELERS[first]}: {LABELER_HELP[first]} {remark(view)} {NOISE_HELP} {RIVAL_HELP}",
    )


def _all_rows(explorer: Explorer, view: NeuronView, labeler: str) -> Sequence[LabelRow]:
    """The stored labels, by which doubt goes; at other options all texts that some method finds fitting."""
    if view.options == explorer.options():
        return explorer.stored_labels.first_rows(view.layer).get(view.neuron, ())
    rows = (one.by[labeler] for one in view.scores if labeler in one.by)
    return sorted(rows, key=lambda row: row.rank)


def _score_table(explorer: Explorer, view: NeuronView, ranges: Ranges, first: str) -> None:
    if not view.scores:
        return
    columns = [
        Column("Label", f"Texts among the best of at least one method, in the order of {LABELERS[first]}")
    ]
    noises = _noises(explorer, view)
    columns += [Column(HEADS[name], _help(name, noises.get(name)), numeric=True) for name in LABELERS]
    tracks = {
        name: track((one.by[name].score for one in view.scores if name in one.by), ranges[name])
        for name in LABELERS
    }
    rows = [
        Row(_score_cells(one, tracks), strong=first in one.by and one.by[first].rank == 1)
        for one in view.scores[:ROWS]
    ]
    row_table("Labels and their scores", columns, rows, key="score-table")


def _noises(explorer: Explorer, view: NeuronView) -> dict[str, Noise]:
    """What noise gives under each labeler; measured at the run's own options only."""
    if view.options != explorer.options():
        return {}
    shuffled, _ = layer_controls(explorer, view.layer)
    return {name: noise for name in LABELERS if (noise := shuffled.noise(name))}


def _help(labeler: str, noise: Noise | None) -> str:
    """What a labeler's scores are, and what noise gives."""
    return f"{LABELERS[labeler]}: {LABELER_HELP[labeler]}" + (
        f" Noise gives {score(noise.mean)}." if noise else ""
    )


def _score_cells(one: ScoredText, tracks: Mapping[str, Track]) -> list[Cell]:
    cells: list[Cell] = [("text", one.text)]
    for labeler, on in tracks.items():
        row = one.by.get(labeler)
        value, rank = (row.score, row.rank) if row else (math.nan, None)
        cells.append(("score", score_cell(value, rank, on)))
    return cells
