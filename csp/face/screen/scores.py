"""The labels of a neuron: the machine's suggestion, the score table, and a box for a label of one's own."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from csp.errors import CspError
from csp.face.screen.address import follow, write
from csp.face.screen.components import Cell, Column, Row, row_table
from csp.face.screen.place import Params, fraction, whole_number
from csp.face.screen.score_cells import score_cell
from csp.face.screen.words import LABELER_HELP, LABELERS, origin, plain, remark, score, usual
from csp.work.explorer import Explorer
from csp.work.views import NeuronView, ScoreRange, TextScore

ROWS = 5
MOST_EXAMPLES = 200
GAMMA_HELP = (
    "How much of each look-alike is taken away from its picture before labels are compared (gamma). "
    "0 ignores the look-alikes, 1 takes away all that the two share."
)
EXAMPLES_HELP = "How many of the strongest images, each with its look-alike, decide the scores."
NO_CANDIDATES = (
    "This run holds no suggestions of a vision-language model yet: "
    "all labels here come from the run's own vocabulary."
)

Ranges = Mapping[str, ScoreRange | None]


@st.fragment
def labels_panel(explorer: Explorer, page: NeuronView, kind: str) -> None:
    """All words on a neuron: a fragment, so moving a control leaves the pictures alone.

    `page` is the view that the page drew, `kind` its arrangement of pictures: where all pairs are shown, the
    page is drawn again when the control asks for another number of them.
    """
    k, gamma = chosen_parameters(st.query_params.to_dict(), explorer)
    if kind == "all" and k != page.k:
        st.rerun()
    view = page
    if (k, gamma) != (page.k, page.gamma):
        view = explorer.neuron(page.layer, page.neuron, k=k, gamma=gamma)
    ranges = {labeler: explorer.score_range(page.layer, labeler) for labeler in LABELERS}
    with st.container(key="suggestion", gap="xxsmall"):
        _suggestion(view, ranges["csp"])
    with st.container(key="how-sure", gap="xxsmall"):
        _score_line(view, ranges["csp"])
    _controls(k, gamma, _most_examples(explorer))
    with st.container(key="projection-scores", gap="xxsmall"):
        _score_table(view, ranges)
    with st.container(key="candidate-labels", gap="xsmall"):
        _own_label(explorer, view)
        st.caption(NO_CANDIDATES)
    with st.container(key="provenance"):
        st.caption(f"Pairs and scores: {plain(origin(view.provenance))}")


def chosen_parameters(params: Params, explorer: Explorer) -> tuple[int, float]:
    """The number of examples and gamma in the address; without them, those of the run."""
    own, most = explorer.run.manifest.parameters, _most_examples(explorer)
    k = whole_number(params, "examples", 1, most, min(own.k, most))
    return k, fraction(params, "gamma", own.gamma)


def _most_examples(explorer: Explorer) -> int:
    return max(1, min(MOST_EXAMPLES, explorer.run.manifest.images))


def _controls(k: int, gamma: float, most: int) -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    follow("gamma", gamma)
    left.slider(
        "Contrast (gamma)",
        0.0,
        1.0,
        step=0.05,
        key="gamma",
        help=GAMMA_HELP,
        on_change=write,
        args=("gamma",),
    )
    follow("examples", k)
    right.number_input(
        "Examples", 1, most, step=1, key="examples", help=EXAMPLES_HELP, on_change=write, args=("examples",)
    )


def _suggestion(view: NeuronView, usual_range: ScoreRange | None) -> None:
    rows = view.labels.get("csp", ())
    if not rows:
        st.markdown("**The machine suggests no label.**")
        return
    st.caption("The machine suggests")
    st.subheader(plain(rows[0].label), anchor=False)


def _score_line(view: NeuronView, usual_range: ScoreRange | None) -> None:
    """How the first label stands against other neurons, and against the next label."""
    rows = view.labels.get("csp", ())
    if not rows:
        return
    scale = f"; {usual(usual_range)}" if usual_range else ""
    ahead = rows[0].score - rows[1].score if len(rows) > 1 else 0.0
    behind = f" Next, *{plain(rows[1].label)}*, {score(ahead)} behind." if len(rows) > 1 else ""
    st.caption(f"Score {score(rows[0].score)}{scale}.{behind}", help=remark(view) or None)


def _score_table(view: NeuronView, ranges: Ranges) -> None:
    shown = view.scores.head(ROWS)
    if shown.empty:
        return
    columns = [Column("Label", "Texts among the best of at least one method, in the order of CSP")]
    columns += [Column(LABELERS[name], LABELER_HELP[name], numeric=True) for name in LABELERS]
    rows = [_score_row(str(text), facts, view.scores, ranges) for text, facts in shown.iterrows()]
    row_table("Labels and their scores", columns, rows, key="score-table")


def _score_row(text: str, facts: pd.Series, scores: pd.DataFrame, ranges: Ranges) -> Row:
    cells: list[Cell] = [("text", text)]
    for labeler in LABELERS:
        rank = facts[f"{labeler} rank"]
        place = None if pd.isna(rank) else int(rank)
        cells.append(("score", score_cell(float(facts[labeler]), place, scores[labeler], ranges[labeler])))
    return Row(cells, strong=bool(facts["csp rank"] == 1))


def _own_label(explorer: Explorer, view: NeuronView) -> None:
    text = st.text_input(
        "Try a label of your own", placeholder="for example: ruler marks", key="own-label", max_chars=120
    )
    if not text or not text.strip():
        return
    try:
        with st.spinner("Scoring; the first time, the encoder has to load", show_time=True):
            found = explorer.score_text(view.layer, view.neuron, text, k=view.k, gamma=view.gamma)
    except CspError as error:
        st.warning(plain(str(error)))
        return
    with st.container(key="own-label-score", gap="xxsmall"):
        _found(found)


def _found(found: TextScore) -> None:
    if not found.scores:
        st.markdown("This neuron never fires, so no label can be scored.")
        return
    places = [
        f"{words} **{score(found.scores[name].score)}** (no. {found.scores[name].rank} of {found.out_of})"
        for name, words in LABELERS.items()
        if name in found.scores
    ]
    st.markdown(f"*{plain(found.text)}* scores {' · '.join(places)}")
    st.caption(plain(origin(found.provenance)))
