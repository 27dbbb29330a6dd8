"""Neurons that look for the same as this one, each a link with its pictures."""

import streamlit as st

from csp.face.screen.elements.components import Card, card_grid
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.state.cached import neurons_of, reviewed
from csp.face.screen.url.links import neuron_link
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.neurons.similar import SimilarNeuron, SimilarNeurons, similar_neurons
from csp.work.reviews.label_in_force import label_in_force

SHOWN, IMAGES = 4, 4
HELP = (
    "Neurons of this layer whose concept vectors point the same way, at the run's own contrast. The second "
    "number is their cosine: 1 = the same, 0 = nothing in common. It leaves out what "
    "the look-alikes share, so it is not the number that says how alike the pictures of two neurons are."
)


def similar_panel(explorer: Explorer, view: NeuronView) -> None:
    """The most similar neurons, most alike first."""
    with st.container(key="similar-neurons", gap="xxsmall"):
        st.markdown("**Look for the same**", help=HELP)
        found = _similar(explorer, explorer.run.fingerprint, view.layer).of(view.neuron)[:SHOWN]
        if not found:
            st.caption("No other neuron of this layer fires for anything alike.")
            return
        cards = [_card(explorer, view.layer, one) for one in found]
        card_grid("Similar neurons", cards, columns=SHOWN, key="similar-cards")


def _card(explorer: Explorer, layer: str, one: SimilarNeuron) -> Card:
    images = neurons_of(explorer, layer).frame["top_images"].iloc[one.neuron][:IMAGES]
    machine = explorer.stored_facets.machine_labels(layer).get(one.neuron)
    label = label_in_force(machine, reviewed(explorer, layer).get(one.neuron)).shown
    return Card(
        href=neuron_link(explorer.run.name, layer, one.neuron),
        title=f"{one.neuron} · {one.cosine:.2f}",
        label=label,
        line="",
        pictures=[
            {"src": source(explorer.run, image), "alt": f"Image {image}, of neuron {one.neuron}"}
            for image in images
        ],
        hint=f"Neuron {one.neuron}: {label}. Cosine of the concept vectors {one.cosine:.3f}",
    )


@st.cache_resource(max_entries=8, show_spinner="Comparing the neurons …")
def _similar(_explorer: Explorer, fingerprint: str, layer: str) -> SimilarNeurons:
    return similar_neurons(_explorer.run, layer)
