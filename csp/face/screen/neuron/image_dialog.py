"""One image, large, with all that is known of it; one that has a look-alike stands beside it.

The number of the image is in the address (`image`), so a view with an open picture has a link of its own.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from csp.face.screen.elements.thumbnails import thumbnail
from csp.face.screen.page.frame import own_edge
from csp.face.screen.page.identity import let_in
from csp.face.screen.page.shortcuts import shortcut
from csp.face.screen.url.params import Params, whole_number
from csp.face.screen.url.state import stands_at
from csp.face.screen.wording import image_alt, number, percent, plain
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import ImageFacts, NeuronView, Pair

IMAGE = "image"


def chosen_image(params: Params, explorer: Explorer) -> int | None:
    """The image that the address opens; None when it opens none."""
    if IMAGE not in params:
        return None
    return whole_number(params, IMAGE, 0, explorer.run.manifest.images - 1, 0)


def image_dialog(explorer: Explorer, view: NeuronView, images: Sequence[int]) -> None:
    """Opens the image of the address, if there is one; `images` are those on the page, in their order."""
    if chosen_image(st.query_params.to_dict(), explorer) is not None:
        _dialog(explorer, view, tuple(images))


def _close() -> None:
    st.query_params.pop(IMAGE, None)


@st.dialog("Large view", width="large", on_dismiss=_close)
@own_edge
def _dialog(explorer: Explorer, view: NeuronView, images: tuple[int, ...]) -> None:
    """Reads the address anew: the buttons inside redraw the dialog alone."""
    let_in()
    image = chosen_image(st.query_params.to_dict(), explorer)
    if image is None:
        st.rerun()
        return
    pair = next((one for one in view.pairs if _shows(one, image)), None)
    with st.container(key="image-dialog", gap="xsmall"):
        _steps(image if pair is None else pair.activating.image, images)
        left, right = st.columns(2)
        if pair is None:
            with left:
                _picture(explorer, explorer.images.facts(image))
            right.markdown(_facts(explorer, view, explorer.images.facts(image)))
            return
        with left:
            st.markdown(f":blue[**●**] **Makes neuron {view.neuron} fire**")
            _picture(explorer, pair.activating)
            st.markdown(_facts(explorer, view, pair.activating))
        with right:
            _contrastive_image(explorer, view, pair)


def _shows(pair: Pair, image: int) -> bool:
    return image in (pair.activating.image, pair.contrastive.image if pair.contrastive else None)


def _contrastive_image(explorer: Explorer, view: NeuronView, pair: Pair) -> None:
    if pair.contrastive is None or pair.similarity is None:
        st.markdown("No image activates the neuron less than its average.")
        return
    st.markdown(
        f":orange[**●**] **Looks alike but fires it less** · alike {pair.similarity:.2f}",
        help="The cosine of the two images' embeddings: 1 = the same to the encoder.",
    )
    _picture(explorer, pair.contrastive)
    st.markdown(_facts(explorer, view, pair.contrastive))


def _picture(explorer: Explorer, facts: ImageFacts) -> None:
    if picture := thumbnail(explorer.run, facts.image, "large"):
        st.image(picture, width="stretch", alt=image_alt(facts))
    else:
        st.caption("This run holds no picture of it.")


def _facts(explorer: Explorer, view: NeuronView, facts: ImageFacts) -> str:
    """What is known of an image, one fact a line, as Markdown."""
    sure = "" if facts.probability is None else f" ({percent(facts.probability)} sure)"
    shows = ", ".join(facts.attributes)
    named = {
        "True class": facts.label or "not stated",
        "The model says": f"{facts.prediction}{sure}" if facts.prediction else "",
        "Shows": shows,
        "Part of the data": facts.split,
        "File": facts.path or "",
    }
    lines = [f"{name}: **{plain(value)}**" for name, value in named.items() if value]
    return "  \n".join([f"Image {facts.image}: {_fires(explorer, view, facts.image)}", *lines])


def _fires(explorer: Explorer, view: NeuronView, image: int) -> str:
    """The activation, and where it lies among all images."""
    activations = explorer.run.activations(view.layer, view.neuron)
    value = float(activations[image])
    stronger = int(np.count_nonzero(activations > value))
    return f"activation **{number(value)}**, no. {stronger + 1:,} of {len(activations):,} images"


def _steps(image: int, images: tuple[int, ...]) -> None:
    """To the picture before and after this one on the page, by the arrow keys too."""
    if image not in images:
        return
    position = images.index(image)
    with st.container(horizontal=True, vertical_alignment="center", key="image-steps"):
        _step("previous-image", "Previous picture", images, position, -1)
        st.caption(f"{position + 1} of {len(images)}", width="content")
        _step("next-image", "Next picture", images, position, 1)


def _step(key: str, label: str, images: tuple[int, ...], position: int, by: int) -> None:
    st.button(
        label,
        key=key,
        shortcut=shortcut("previous" if by < 0 else "next"),
        disabled=not 0 <= position + by < len(images),
        on_click=_go,
        args=(images, position, by),
    )


def _go(images: tuple[int, ...], position: int, by: int) -> None:
    here = stands_at(IMAGE, -1)
    if here in images:  # a look-alike is not: it stands where its picture does
        position = images.index(here)
    st.query_params[IMAGE] = str(images[min(max(position + by, 0), len(images) - 1)])
