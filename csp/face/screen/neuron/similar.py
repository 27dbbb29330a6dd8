"""Neurons that look for the same as this one, each a link with its pictures."""

from collections.abc import Sequence

import streamlit as st

from csp.face.screen.atlas.facts import label_lines
from csp.face.screen.elements.components import Card, card_grid
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.state.cached import neurons_of, reviewed
from csp.face.screen.url.links import neuron_link
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.neurons.similar import SimilarNeuron, SimilarNeurons, similar_by_decoder, similar_neurons
from csp.work.reviews.label_in_force import label_in_force

SHOWN, IMAGES = 4, 4
HELP = (
    "Neurons of this layer whose concept vectors point the same way, at the run's own contrast. The second "
    "number is their cosine: 1 = the same, 0 = nothing in common. It leaves out what "
    "the look-alikes share, so it is not the number that says how alike the pictures of two neurons are."
)


DECODER_HELP = (
    "Latents of this sparse autoencoder that add nearly the same to the layer it reads. The second number is "
    "the cosine of what they add: 1 = the same, 0 = nothing in common, below 0 = the opposite. It does not "
    "say when they fire."
)


def similar_panel(explorer: Explorer, view: NeuronView) -> None:
    """The most similar neurons, most alike first."""
    with st.container(key="similar-neurons", gap="xxsmall"):
        st.markdown("**Look for the same**", help=HELP)
        found = _similar(explorer, explorer.run.fingerprint, view.layer).of(view.neuron)[:SHOWN]
        if found:
            cards = _cards(explorer, view.layer, found, "concept vectors")
            card_grid("Similar neurons", cards, columns=SHOWN, key="similar-cards")
        else:
            st.caption("No other neuron of this layer fires for anything alike.")
        by_decoder = _similar_by_decoder(explorer, explorer.run.fingerprint, view.layer)
        if by_decoder is not None:
            st.markdown("**Add the same**", help=DECODER_HELP)
            cards = _cards(explorer, view.layer, by_decoder.of(view.neuron)[:SHOWN], "directions")
            card_grid("Latents that add the same", cards, columns=SHOWN, key="decoder-cards")


def _cards(explorer: Explorer, layer: str, found: Sequence[SimilarNeuron], compared: str) -> list[Card]:
    top_images = neurons_of(explorer, layer).frame["top_images"]
    machine, people = explorer.stored_facets.machine_labels(layer), reviewed(explorer, layer)
    noise = unclaimed(explorer, layer)

    def card(one: SimilarNeuron) -> Card:
        first = label_in_force(machine.get(one.neuron), people.get(one.neuron))
        label, _ = label_lines({"in_force": first, "above_noise": one.neuron not in noise})
        return Card(
            href=neuron_link(explorer.run.name, layer, one.neuron),
            title=f"{one.neuron} · {one.cosine:.2f}",
            label=label,
            line="",
            pictures=[
                {"src": source(explorer.run, image), "alt": f"Image {image}, of neuron {one.neuron}"}
                for image in top_images.iloc[one.neuron][:IMAGES]
            ],
            hint=f"Neuron {one.neuron}: {label}. Cosine of the {compared} {one.cosine:.3f}",
        )

    return [card(one) for one in found]


@st.cache_resource(max_entries=8, show_spinner="Comparing the neurons …")
def _similar(_explorer: Explorer, fingerprint: str, layer: str) -> SimilarNeurons:
    return similar_neurons(_explorer.run, layer)


@st.cache_resource(max_entries=8, show_spinner="Comparing the latents …")
def _similar_by_decoder(_explorer: Explorer, fingerprint: str, layer: str) -> SimilarNeurons | None:
    return similar_by_decoder(_explorer.run, layer)
