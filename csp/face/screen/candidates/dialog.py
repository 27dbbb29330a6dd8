"""All candidates of a neuron, and what the model saw: the grids, the prompt, the answer word for word."""

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from csp.errors import CspError
from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.elements.score_cell import Track, score_cell, track
from csp.face.screen.page.deeds import deed, say_refusal
from csp.face.screen.page.frame import own_edge
from csp.face.screen.page.identity import let_in, may_review, me
from csp.face.screen.wording import LABELER_HELP, LABELERS, as_sentence
from csp.keeping.reviews.vocabulary import Role
from csp.work.candidates.read import (
    Candidate,
    SeenGrids,
    VlmAnswer,
    add_candidate,
    candidates,
    vlm_answers,
    what_the_vlm_saw,
)
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView

MODES = {"contrastive": "both grids", "activating-only": "only what fires"}
GRIDS = (":blue[**●**] **Fires**", ":orange[**●**] **Looks alike, fires less**")


@st.dialog("Candidates, and what the model saw", width="large")
@own_edge
def candidates_dialog(explorer: Explorer, view: NeuronView) -> None:
    """The table, a way to edit, and each answer of a model."""
    let_in()
    found = neuron_candidates(explorer, view, tuple(LABELERS))
    if found:
        _table(explorer, view, found)
        if may_review():
            _edit(explorer, view, found)
    answers = vlm_answers(explorer.run, view.layer, view.neuron)
    if answers:
        answer = st.selectbox("Answer", answers, format_func=_title, key="vlm-answer")
        _seen(explorer, answer)


def neuron_candidates(explorer: Explorer, view: NeuronView, labelers: Sequence[str]) -> tuple[Candidate, ...]:
    """The candidates of the neuron on the page, scored as the page is: at its k, gamma and contrast."""
    return candidates(explorer, view.layer, view.neuron, view.options, labelers)


def _table(explorer: Explorer, view: NeuronView, found: tuple[Candidate, ...]) -> None:
    """One row a text, however many proposed it."""
    columns = [Column("Candidate", "Best CSP score first; those that a person edited since come last")]
    columns += [Column(name, LABELER_HELP[labeler], numeric=True) for labeler, name in LABELERS.items()]
    by_text: dict[str, list[Candidate]] = {}
    for one in found:
        by_text.setdefault(one.text, []).append(one)
    tracks = {
        name: track(
            (same[0].scores[name].score for same in by_text.values() if name in same[0].scores),
            explorer.stored_labels.score_range(view.layer, name),
        )
        for name in LABELERS
    }
    rows = [_row(same, tracks) for same in by_text.values()]
    row_table("Candidates and their scores", [*columns, Column("From")], rows, key="candidates-table")


def _row(same: list[Candidate], tracks: Mapping[str, Track]) -> Row:
    cells: list[Cell] = [("text", same[0].text)]
    for labeler, on in tracks.items():
        found = same[0].scores.get(labeler)
        value, rank = (found.score, found.rank) if found else (math.nan, None)
        cells.append(("score", score_cell(value, rank, on)))
    return Row([*cells, ("quiet", "; ".join(dict.fromkeys(map(_from, same))))])


def _from(one: Candidate) -> str:
    words = f"{one.by}, {MODES[one.mode]}" if one.mode else one.by or "a person"
    replaces = f", for “{one.replaces}”" if one.replaces else ""
    return f"{words}, {one.when:%d %b %Y}{replaces}{', edited since' if one.replaced else ''}"


def _edit(explorer: Explorer, view: NeuronView, found: tuple[Candidate, ...]) -> None:
    with st.expander("Edit a candidate", icon=":material/edit:"):
        texts = list(dict.fromkeys(one.text for one in found if not one.replaced))
        with st.form("edit-candidate", border=False):
            left, right = st.columns(2)
            old = left.selectbox("Candidate", texts, key="edit-old")
            new = right.text_input("Better words", key="edit-new", max_chars=120)
            st.caption("The old words stay on record, behind the new ones.")
            if st.form_submit_button("Save", key="edit-save") and new.strip():
                _save(explorer, view, new, old)
                say_refusal()


@deed("edit a candidate", Role.REVIEWER)
def _save(explorer: Explorer, view: NeuronView, new: str, old: str) -> None:
    try:
        add_candidate(explorer, view.layer, view.neuron, new, by=me().name, replaces=old)
    except CspError as error:
        st.warning(as_sentence(error))
        return
    st.rerun()


def _title(answer: VlmAnswer) -> str:
    return f"{answer.model}, {MODES[answer.mode]}, seed {answer.seed}, {answer.when:%d %b %Y, %H:%M} UTC"


def _seen(explorer: Explorer, answer: VlmAnswer) -> None:
    st.markdown(
        f"**This is all that the model saw**: {answer.layout.pixels} pixels a grid, about "
        f"{answer.layout.pixels // max(answer.layout.rows, answer.layout.columns)} a picture. Left as it "
        "was shown, right enlarged, pixel by pixel."
    )
    try:
        saw = what_the_vlm_saw(explorer.run, answer)
    except CspError as error:
        st.warning(as_sentence(error))
    else:
        _grids(saw)
    left, right = st.columns(2)
    with left:
        st.caption("The prompt; {images} marks the grids")
        st.code(answer.prompt, language=None, wrap_lines=True)
    with right:
        unusable = "" if answer.concepts else ", in which no usable label was found"
        st.caption(f"The answer, word for word{unusable}")
        st.code(answer.raw or "(nothing)", language=None, wrap_lines=True)
    by = f", asked by {answer.by}" if answer.by else ""
    weights = f", weights {answer.vlm_hash[:8]}" if answer.vlm_hash else ""
    st.text(
        f"{answer.vlm}{weights}, seed {answer.seed}, {answer.when:%d %b %Y, %H:%M} UTC, "
        f"{answer.seconds:.1f} s{by}"
    )


def _grids(saw: SeenGrids) -> None:
    columns = st.columns(len(saw.grids))
    for column, title, grid, large in zip(columns, GRIDS, saw.grids, saw.large, strict=False):
        with column:
            st.markdown(title)
            with st.container(horizontal=True, gap="small"):
                st.image(grid, width="content", alt="The grid as the model saw it")
                st.image(large, width="content", alt="The same grid enlarged")
    if not saw.same:
        st.caption(
            "Drawn again, with small differences from what was shown: another version of the image library."
        )
