"""One pair, large: what a picture shows is hard to judge at thumbnail size."""

import streamlit as st

from csp.face.screen.pictures import thumbnail
from csp.face.screen.words import image_alt, image_title, number
from csp.keeping.run import Run
from csp.work.views import ImageFacts, NeuronView, Pair


@st.dialog("One pair, large", width="large")
def pair_dialog(run: Run, view: NeuronView, pair: Pair) -> None:
    """The activating image beside its look-alike, each with what is known of it."""
    left, right = st.columns(2)
    with left:
        st.markdown(f":blue[**●**] **Makes neuron {view.neuron} fire** · {number(pair.activation)}")
        _large(run, pair.activating)
    with right:
        if pair.contrastive is None or pair.similarity is None or pair.contrastive_activation is None:
            st.markdown("No image activates the neuron less than its average.")
            return
        fires = number(pair.contrastive_activation)
        st.markdown(f":orange[**●**] **Looks alike ({pair.similarity:.2f}) but fires it less** · {fires}")
        _large(run, pair.contrastive)


def _large(run: Run, facts: ImageFacts) -> None:
    picture = thumbnail(run, facts.image, "large")
    if picture:
        st.image(picture, width="stretch", alt=image_alt(facts))
    st.text(image_title(facts))
