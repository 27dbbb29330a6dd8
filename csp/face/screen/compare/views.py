"""The parts of the compare page: two neurons face to face, or the labels that changed."""

from dataclasses import replace

import streamlit as st

from csp.face.screen.atlas.facts import label_lines
from csp.face.screen.compare.concepts import concepts_of_two
from csp.face.screen.compare.gamma_curves import CSP, gamma_chart
from csp.face.screen.compare.sides import Sides
from csp.face.screen.compare.tables import changes_table
from csp.face.screen.elements.components import tile_grid
from csp.face.screen.judge.head import LONGEST
from csp.face.screen.neuron.grids import activating_tiles, contrastive_tiles, shown_pairs
from csp.face.screen.review_wording import shown
from csp.face.screen.state.cached import named_explorer, path_of, rows_of, run_names
from csp.face.screen.url.links import neuron_params
from csp.face.screen.url.params import Params, whole_number
from csp.face.screen.url.state import follow
from csp.face.screen.wording import LABELERS, plain, score, with_minus
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.compare import Comparison, alikeness, compare_gammas, compare_labelers, compare_runs

IMAGES = 6
ONE_RUN = (
    "There is only one run on this machine, so there is nothing to compare it with. Make another one first."
)


def compared(explorer: Explorer, layer: str, sides: Sides, params: Params) -> None:
    """Draws the comparison."""
    if sides.what == "neurons":
        two_neurons(explorer, layer, int(sides.a), int(sides.b))
        return
    if sides.what in ("runs", "concepts") and len(run_names()) < 2:
        st.info(ONE_RUN, icon=":material/info:")
        st.page_link("pages/runs.py", label="To the runs")
        return
    if sides.what == "concepts":
        concepts_of_two(named_explorer(str(sides.a)), named_explorer(str(sides.b)))
        return
    found, names, methods = _comparison(explorer, layer, sides)
    readers = [explorer]
    if sides.what == "runs":
        readers = [named_explorer(str(run)) for run in dict.fromkeys((sides.a, sides.b))]
    table, curve = st.columns([62, 38], gap="medium")
    with table:
        changes_table(readers, layer, found, names, methods, params)
    with curve:
        _curve(explorer, layer, sides, found, params)


def two_neurons(explorer: Explorer, layer: str, a: int, b: int) -> None:
    """Pictures, labels and curves of two neurons, and how alike their concept vectors are."""
    alike = f"{alikeness(explorer, layer, a, b):z.2f}"
    st.markdown(
        f"What they look for is alike to **{with_minus(alike)}** (1 the same, 0 nothing in common).",
        help="Cosine of their concept vectors at the run's own contrast.",
    )
    if a == b:
        st.caption(f"Both sides show neuron {a}: choose another number for one of them.")
    for name, column, neuron in zip("ab", st.columns(2, gap="large"), (a, b), strict=True):
        with column.container(key=f"side-{name}", gap="xsmall"):
            _neuron(explorer, layer, neuron, name)


def _neuron(explorer: Explorer, layer: str, neuron: int, side: str) -> None:
    view = explorer.neuron(layer, neuron)
    here = neuron_params(explorer.run.name, layer, neuron)
    facts = rows_of(explorer, layer).frame.iloc[neuron].to_dict()
    st.subheader(f"Neuron {neuron}: {shown(label_lines(facts)[0], LONGEST)}", anchor=False)
    st.caption(shown(label_lines(facts)[1], 2 * LONGEST))
    st.page_link("pages/neuron.py", label="Open this neuron", query_params=here)
    pairs = shown_pairs(view, everything=False)[:IMAGES]
    run = explorer.run
    if pairs:
        tiles = [replace(tile, image=None) for tile in activating_tiles(run, view, pairs)]
        tile_grid(tiles, tone="blue", columns=IMAGES, key=f"side-{side}-activating")
        contrastive = [replace(tile, image=None) for tile in contrastive_tiles(run, view, pairs)]
        tile_grid(contrastive, tone="orange", columns=IMAGES, key=f"side-{side}-contrastive")
    else:
        st.caption("No image makes it fire.")
    if best := view.labels.get(explorer.stored_labels.first_labeler(layer), ())[:3]:
        st.caption(f"What the machine suggests, by {_first_method(explorer, layer)}")
        st.markdown(" · ".join(f"{plain(row.label)} **{score(row.score)}**" for row in best))
    if run.text_embeddings is not None:
        gamma_chart(explorer, layer, neuron, side=f"-{side}")


def _comparison(
    explorer: Explorer, layer: str, sides: Sides
) -> tuple[Comparison, tuple[str, str], tuple[str, str]]:
    """What changed, what the two sides are called, and the method whose labels each of them shows."""
    a, b = str(sides.a), str(sides.b)
    if sides.what == "labelers":
        both = LABELERS[a], LABELERS[b]
        return compare_labelers(explorer, layer, a, b), both, both
    if sides.what == "runs":
        one, other = named_explorer(a), named_explorer(b)
        found = compare_runs(one, other, layer)
        return found, (f"run {a}", f"run {b}"), (_first_method(one, layer), _first_method(other, layer))
    gammas = float(sides.a), float(sides.b)
    found = compare_gammas(explorer, layer, path_of(explorer, layer), gammas)
    return found, (f"gamma {gammas[0]:g}", f"gamma {gammas[1]:g}"), (CSP, CSP)


def _first_method(explorer: Explorer, layer: str) -> str:
    return LABELERS[explorer.stored_labels.first_labeler(layer)]


def _curve(explorer: Explorer, layer: str, sides: Sides, found: Comparison, params: Params) -> None:
    """The curve of one neuron: the first that changed, or the one in the address."""
    if explorer.run.text_embeddings is None:
        return
    last = explorer.run.layer(layer).neurons - 1
    neuron = whole_number(params, "neuron", 0, last, int(found.frame["neuron"].iloc[0]))
    follow("curve-neuron", neuron)
    st.number_input("Neuron in the curve", 0, last, key="curve-neuron", on_change=_write_neuron, width=160)
    marks = (float(sides.a), float(sides.b)) if sides.what == "gammas" else ()
    gamma_chart(explorer, layer, neuron, marks)


def _write_neuron() -> None:
    st.query_params["neuron"] = str(st.session_state["curve-neuron"])
