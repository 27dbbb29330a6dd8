"""The images of a neuron in grids, pair by pair: what makes it fire, and the look-alike that does not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from csp.face.screen.elements.components import Tile, tile_grid
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.wording import firing, image_alt, image_title, number, short
from csp.keeping.run_folder.run import Run
from csp.work.explorer.views import ImageFacts, NeuronView, Pair

FIRST_PAIRS = 9
Overlays = Mapping[int, str]
"""By image: a picture to lie over it, as an address that an <img> shows."""
NONE: Overlays = {}
TONES = ("blue", "orange")
"""Of what makes a neuron fire, and of its look-alike."""


def shown_pairs(view: NeuronView, everything: bool) -> Sequence[Pair]:
    """The pairs to draw: the first nine (as many as a vision-language model is shown), or all.

    None for a neuron that never fires: whichever images come first then say nothing about it.
    """
    if not any(pair.activation > 0 for pair in view.pairs):
        return ()
    return view.pairs if everything else view.pairs[:FIRST_PAIRS]


def activating_grid(
    run: Run, view: NeuronView, pairs: Sequence[Pair], columns: int = 3, overlays: Overlays = NONE
) -> None:
    """The images that make the neuron fire, strongest first."""
    with st.container(key="activating-grid", gap="xsmall"):
        st.markdown(f":blue[**●**] **These make neuron {view.neuron} fire**", help=BAR_HELP)
        if not pairs:
            st.caption("No image does.")
            return
        tiles = activating_tiles(run, view, pairs, overlays)
        tile_grid(tiles, tone="blue", columns=columns, key="activating-tiles")


def contrastive_grid(
    run: Run, view: NeuronView, pairs: Sequence[Pair], columns: int = 3, overlays: Overlays = NONE
) -> None:
    """The contrastive example of each, at the same position."""
    with st.container(key="contrastive-grid", gap="xsmall"):
        st.markdown(":orange[**●**] **These look alike but fire less**", help=CONTRASTIVE_HELP)
        if all(pair.contrastive is None for pair in pairs):
            st.caption(
                "There is none: no image activates this neuron less than its average." if pairs else NOTHING
            )
            return
        tiles = contrastive_tiles(run, view, pairs, overlays)
        tile_grid(tiles, tone="orange", columns=columns, key="contrastive-tiles")


def pair_grid(run: Run, view: NeuronView, pairs: Sequence[Pair], overlays: Overlays = NONE) -> None:
    """Each picture right beside its look-alike, three pairs in a row."""
    with st.container(key="pair-grid", gap="xsmall"):
        st.markdown(
            f":blue[**●**] **Makes neuron {view.neuron} fire** and, beside it, "
            ":orange[**●**] **what looks alike but fires less**",
            help=CONTRASTIVE_HELP,
        )
        if not pairs:
            st.caption("No image makes it fire.")
            return
        facing = zip(
            activating_tiles(run, view, pairs, overlays),
            contrastive_tiles(run, view, pairs, overlays),
            strict=True,
        )
        tiles = [replace(tile, tone=tone) for pair in facing for tile, tone in zip(pair, TONES, strict=True)]
        tile_grid(tiles, tone="blue", columns=6, key="pair-tiles")


def level_tile(
    run: Run, view: NeuronView, facts: ImageFacts, activation: float, overlays: Overlays = NONE
) -> Tile:
    """An image of some level of activation."""
    return Tile(
        src=source(run, facts.image),
        alt=image_alt(facts),
        title=f"{image_title(facts)}\n{_against_mean(view, activation)}",
        bar=_share(view, activation),
        mark=_share(view, view.mean),
        line=firing(activation, view.mean, view.maximum),
        aside=short(activation),
        image=facts.image,
        overlay=overlays.get(facts.image, ""),
    )


BAR_HELP = (
    "The bar under a picture is how strongly the neuron fires on it, against the strongest image of all; "
    "the tick is its average over all images. Click a picture to see the pair large."
)
CONTRASTIVE_HELP = (
    "Picture 1 here is the image most similar to picture 1 of the other group, among all that activate "
    "the neuron less than its average. *alike* is how similar the encoder finds the two: the cosine of their "
    "embeddings, 1 = the same. *Same as 3*: the picture that looks most like this one is that of number 3."
)


NOTHING = "Nothing to compare with."


def activating_tiles(
    run: Run, view: NeuronView, pairs: Sequence[Pair], overlays: Overlays = NONE
) -> list[Tile]:
    """The pictures of these pairs that make the neuron fire, numbered from 1."""
    return [_activating(run, view, pair, rank, overlays) for rank, pair in enumerate(pairs, 1)]


def contrastive_tiles(
    run: Run, view: NeuronView, pairs: Sequence[Pair], overlays: Overlays = NONE
) -> list[Tile]:
    """Their look-alikes, at the same places; one that stands at an earlier place already says at which."""
    tiles, first = list[Tile](), dict[int, int]()
    for rank, pair in enumerate(pairs, 1):
        tile = _contrastive(run, view, pair, rank, overlays)
        if (
            pair.contrastive is not None
            and (before := first.setdefault(pair.contrastive.image, rank)) != rank
        ):
            tile = replace(tile, chip=f"same as {before}")
        tiles.append(tile)
    return tiles


def _activating(run: Run, view: NeuronView, pair: Pair, rank: int, overlays: Overlays) -> Tile:
    words = firing(pair.activation, view.mean, view.maximum)
    return Tile(
        src=source(run, pair.activating.image),
        alt=f"Activating image {rank}: {image_alt(pair.activating)}",
        title=f"{image_title(pair.activating)}\n{_against_mean(view, pair.activation)}",
        number=str(rank),
        bar=_share(view, pair.activation),
        mark=_share(view, view.mean),
        line=words,
        aside=short(pair.activation),
        image=pair.activating.image,
        overlay=overlays.get(pair.activating.image, ""),
    )


def _contrastive(run: Run, view: NeuronView, pair: Pair, rank: int, overlays: Overlays) -> Tile:
    """A click opens the pair, which goes by the number of the other picture."""
    if pair.contrastive is None or pair.contrastive_activation is None or pair.similarity is None:
        alt = f"No look-alike for image {rank}"
        return Tile("", alt, alt, str(rank), line="no look-alike")
    shared = f"\nThe look-alike of {pair.uses} of the {len(view.pairs)} pictures" * ((pair.uses or 1) > 1)
    return Tile(
        src=source(run, pair.contrastive.image),
        alt=f"Look-alike of image {rank}: {image_alt(pair.contrastive)}",
        title=f"{image_title(pair.contrastive)}\n{_against_mean(view, pair.contrastive_activation)}\n"
        f"Cosine with picture {rank}: {pair.similarity:.3f}{shared}",
        number=str(rank),
        bar=_share(view, pair.contrastive_activation),
        mark=_share(view, view.mean),
        line=firing(pair.contrastive_activation, view.mean, view.maximum),
        aside=f"alike {pair.similarity:.2f}",
        image=pair.activating.image,
        overlay=overlays.get(pair.contrastive.image, ""),
    )


def _against_mean(view: NeuronView, activation: float) -> str:
    return f"Activation {number(activation)}, average {number(view.mean)}"


def _share(view: NeuronView, activation: float) -> float:
    """Where an activation lies on the bar, from 0, or the lowest shown, to the highest."""
    low = min(0.0, view.mean, *(pair.contrastive_activation or 0.0 for pair in view.pairs))
    width = view.maximum - low
    share = (activation - low) / width if width > 0 else 0.0
    return min(1.0, max(0.0, share)) if share == share else 0.0
