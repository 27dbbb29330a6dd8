"""Parts of the start page: one example that makes the idea plain, and the run at a glance."""

from collections.abc import Sequence
from math import isfinite

import streamlit as st

from csp.face.screen.neuron.grids import activating_grid, contrastive_grid
from csp.face.screen.neuron.image_dialog import image_dialog
from csp.face.screen.state.cached import chances_of, controls_of, guesses, neurons_of, reviewed
from csp.face.screen.url.links import neuron_params
from csp.face.screen.wording import (
    CHANCE_HELP,
    NO_VOCABULARY,
    NOISE_HELP,
    beside_noise,
    by_chance,
    counted,
    counted_state,
    named_classes,
    plain,
)
from csp.work.attribution.model_card import GUESSES_BY_NONE
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.labels.chance import chance_words
from csp.work.neurons.showcase import EXAMPLE_PAIRS, PLAIN, start_examples
from csp.work.reviews.summary import LayerSummary, layer_summary

COUNTS = (
    ("neurons", ("neuron", "neurons"), ""),
    ("reviewed", ("reviewed by a person",) * 2, "confirm,override,reject,unsure"),
    ("disputed", ("disputed: reviewers disagree",) * 2, "disputed"),
    ("artefacts", ("seems to follow an artefact", "seem to follow an artefact"), "artefact"),
)
"""Field of `LayerSummary`, words for one and several, and the chips that show just these."""


def example_neurons(explorer: Explorer, layer: str) -> list[int]:
    """The neurons that the page takes turns with (`showcase.start_examples`), found once."""
    return _examples(explorer, explorer.run.fingerprint, layer)


@st.cache_resource(max_entries=8, show_spinner=False)
def _examples(_explorer: Explorer, fingerprint: str, layer: str) -> list[int]:
    return start_examples(_explorer, layer)


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
    image_dialog(explorer, view, [pair.activating.image for pair in pairs])
    with words:
        _conclusion(explorer, view)
        with st.container(horizontal=True, vertical_alignment="center"):
            here = neuron_params(explorer.run.name, layer, view.neuron)
            st.page_link(
                "pages/neuron.py", label="**Look closer**", icon=":material/search:", query_params=here
            )
            st.button("Another neuron", key="another", on_click=_next_example)


def _next_example() -> None:
    st.session_state["example"] += 1


def _conclusion(explorer: Explorer, view: NeuronView) -> None:
    first = explorer.stored_labels.first_labeler(view.layer)
    best, chance = view.labels[first][0], chances_of(explorer, view.layer).chances[view.neuron]
    with st.container(key="suggestion", gap="xxsmall"):
        st.caption(
            "What the first row has and the second lacks is what the neuron looks for. The machine suggests:"
        )
        st.subheader(plain(best.label), anchor=False)
        if isfinite(chance):
            st.markdown(f"**{chance_words(chance)}**", help=CHANCE_HELP)
        else:
            controls = controls_of(explorer, view.layer, first)
            st.caption(f"{beside_noise(best.score, *controls)}.", help=NOISE_HELP)
        without = view.labels[PLAIN][0]
        if without.label != best.label:
            st.caption(f"From the first row alone it would have said: *{plain(without.label)}*.")


def run_summary(explorer: Explorer) -> None:
    """The run in plain words: what it is, how far people are with it, and ways into it."""
    run = explorer.run
    layers = [layer_summary(explorer, layer, reviewed(explorer, layer)) for layer in run.layers]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("This run at a glance", anchor=False)
        st.space("stretch")
        _ways(explorer, any(layer.reviewed for layer in layers))
    classes = run.manifest.classes
    st.markdown(
        f"**{plain(run.manifest.target.name)}**"
        + (f", {named_classes(classes)}," if classes else "")
        + f" looked at **{counted(run.manifest.images, 'image')}**. "
        + (
            f"For each neuron the machine chose among **{counted(len(run.vocabulary), 'label')}**."
            if len(run.vocabulary)
            else NO_VOCABULARY
        )
    )
    for card, (name, nouns, chips) in zip(st.columns(len(COUNTS), gap="small"), COUNTS, strict=True):
        with card.container(border=True, gap="xxsmall", key=f"count-{name}", height="stretch"):
            _count_card(run.name, [(layer.layer, getattr(layer, name)) for layer in layers], nouns, chips)
            if name == "artefacts" and (chance := _by_controls(layers)):
                st.caption(chance, help=NOISE_HELP)
            if name == "artefacts" and guesses(explorer):
                st.caption(GUESSES_BY_NONE)
    cards = st.columns(max(3, len(run.layers)), gap="small")
    for card, layer in zip(cards, run.layers, strict=False):
        with card.container(border=True, gap="xsmall"):
            _layer_card(explorer, layer)


def _by_controls(layers: Sequence[LayerSummary]) -> str:
    """What the controls give, beside the same count of first labels: they have no second ones."""
    given = by_chance([layer.by_chance for layer in layers], [layer.untrained for layer in layers])
    first = sum(layer.artefacts_by_first_label for layer in layers)
    return f"by main labels alone {first:,}; {given}" if given else ""


def _ways(explorer: Explorer, begun: bool) -> None:
    here = {"run": explorer.run.name}
    for page, label, icon in (
        ("present", "**60-second tour**", ":material/play_circle:"),
        ("reliance", "**What the model leans on**", ":material/balance:"),
        ("review", "Continue reviewing" if begun else "Begin reviewing", ":material/rate_review:"),
    ):
        st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=here)


def _count_card(run: str, counts: list[tuple[str, int]], nouns: tuple[str, str], chips: str) -> None:
    """A count over all layers; its link opens the layer that has most of them."""
    most = max(counts, key=lambda layer: layer[1])
    total = sum(count for _, count in counts)
    number, words = counted(total, *nouns).split(" ", 1)
    st.markdown(f"**{number}**")
    if total:
        params = {"run": run, "layer": most[0], **({"only": chips} if chips else {})}
        st.page_link("pages/neurons.py", label=words, query_params=params)
    else:
        st.caption(words)


def _layer_card(explorer: Explorer, layer: str) -> None:
    frame = neurons_of(explorer, layer).frame
    counts = [counted_state(count, str(state)) for state, count in frame["state"].value_counts().items()]
    st.markdown(f"**{plain(layer)}** · {counted(len(frame), 'neuron')}")
    st.caption(", ".join(counts))
    here = {"run": explorer.run.name, "layer": layer}
    with st.container(horizontal=True):
        st.page_link("pages/neurons.py", label="Most doubtful", query_params={**here, "sort": "doubt"})
        st.page_link("pages/neurons.py", label="Clearest", query_params={**here, "sort": "clear"})
