"""Parts of the start page: one example that makes the idea plain, and the run at a glance."""

import pandas as pd
import streamlit as st

from csp.face.screen.data import neurons_of
from csp.face.screen.grids import activating_grid, contrastive_grid
from csp.face.screen.words import STATES, plain, score, usual
from csp.work.explorer import Explorer
from csp.work.views import NeuronView

EXAMPLE_PAIRS = 6
EXAMPLES = 12
STANDS_OUT = 2
"""How many times its average a neuron reaches on its strongest image, to serve as an example."""


def example_neurons(frame: pd.DataFrame) -> list[int]:
    """Neurons that explain the idea well, each with another label: highest scores first, among those whose
    strongest image stands out; any with a label where none stands out."""
    labelled = frame[frame["label"].notna()]
    vivid = labelled[labelled["maximum"] >= STANDS_OUT * labelled["mean"]]
    chosen = (labelled if vivid.empty else vivid).sort_values("score", ascending=False)
    return [int(neuron) for neuron in chosen.drop_duplicates("label")["neuron"].head(EXAMPLES)]


def example(explorer: Explorer, layer: str, neurons: list[int]) -> None:
    """Two rows of pictures facing each other, and the label that follows."""
    turn = int(st.session_state.setdefault("example", 0))
    view = explorer.neuron(layer, neurons[turn % len(neurons)])
    pairs = view.pairs[:EXAMPLE_PAIRS]
    body = st.container(key="neuron-body")
    pictures, words = body.columns([71, 29], gap="large", vertical_alignment="center")
    with pictures:
        activating_grid(explorer.run, view, pairs, columns=EXAMPLE_PAIRS)
        contrastive_grid(explorer.run, view, pairs, columns=EXAMPLE_PAIRS)
    with words:
        _conclusion(explorer, view)
        with st.container(horizontal=True, vertical_alignment="center"):
            here = {"run": explorer.run.name, "layer": layer, "neuron": str(view.neuron)}
            st.page_link(
                "pages/neuron.py", label="**Look closer**", icon=":material/search:", query_params=here
            )
            st.button("Another neuron", key="another", on_click=_next_example)


def _next_example() -> None:
    st.session_state["example"] += 1


def _conclusion(explorer: Explorer, view: NeuronView) -> None:
    best = view.labels["csp"][0]
    scale = explorer.score_range(view.layer)
    with st.container(key="suggestion", gap="xxsmall"):
        st.caption(
            "What the first row has and the second lacks is what the neuron looks for. The machine suggests:"
        )
        st.subheader(plain(best.label), anchor=False)
        st.caption(f"Score {score(best.score)}" + (f"; {usual(scale)}." if scale else "."))
        without = view.labels["semanticlens"][0]
        if without.label != best.label:
            st.caption(f"From the first row alone it would have said: *{plain(without.label)}*.")


def glance(explorer: Explorer) -> None:
    """The run in plain words: a card for each layer, with links into its table."""
    run = explorer.run
    st.subheader("This run at a glance", anchor=False)
    classes = ", ".join(run.manifest.classes)
    st.markdown(
        f"**{plain(run.manifest.target.name)}**"
        + (f", which tells {plain(classes)} apart," if classes else "")
        + f" looked at **{run.manifest.images:,} images**. For each neuron the machine chose among "
        f"**{len(run.vocabulary):,} labels**."
    )
    cards = st.columns(max(3, len(run.layers)), gap="small")
    for card, layer in zip(cards, run.layers, strict=False):
        with card.container(border=True, gap="xsmall"):
            _layer_card(explorer, layer)


def _layer_card(explorer: Explorer, layer: str) -> None:
    frame = neurons_of(explorer, layer).frame
    counts = [f"{count:,} {STATES[str(state)]}" for state, count in frame["state"].value_counts().items()]
    st.markdown(f"**{plain(layer)}** · {len(frame):,} neurons")
    st.caption(", ".join(counts))
    here = {"run": explorer.run.name, "layer": layer}
    with st.container(horizontal=True):
        st.page_link("pages/neurons.py", label="Most doubtful", query_params={**here, "sort": "doubt"})
        st.page_link("pages/neurons.py", label="Clearest", query_params={**here, "sort": "clear"})
