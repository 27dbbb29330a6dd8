"""The slides of present mode: large pictures, few words, no numbers of neurons, nothing that changes data."""

from collections.abc import Callable, Sequence

import streamlit as st

from csp.face.screen.elements.components import Tile, tile_grid
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.judge.head import LONGEST, why_not
from csp.face.screen.neuron.grids import shown_pairs
from csp.face.screen.review_wording import shown
from csp.face.screen.state.cached import guesses, reviewed
from csp.face.screen.url.links import neuron_params
from csp.face.screen.wording import by_chance, image_alt, percent, plain
from csp.keeping.run_folder.run import Run
from csp.work.attribution.model_card import GUESSES_BY_NONE
from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import ImageFacts, NeuronView
from csp.work.neurons.showcase import AttributeShares, LabelChange
from csp.work.reviews.label_in_force import LabelInForce
from csp.work.reviews.summary import layer_summary

COLUMNS = 3
OTHERS, OTHERS_PICTURES = 4, 5
TWO, THREE = [45, 55], [34, 34, 32]
"""Widths of pictures and words."""


def first_slide(explorer: Explorer, view: NeuronView, found: Sequence[LabelChange]) -> None:
    """What a neuron fires for, and what the plain labeler makes of it."""
    with _beside(explorer.run, view, contrastive=False):
        st.header("What does this neuron look for?", anchor=False)
        st.markdown(
            f"It is one of many in **{plain(explorer.run.manifest.target.name)}**. Of "
            f"{explorer.run.manifest.images:,} pictures, these make it fire most."
        )
        st.markdown("Asked what they have in common, the machine suggests:")
        st.subheader(plain(found[0].plain), anchor=False)
        st.markdown("Would you agree?")


def contrastive_slide(explorer: Explorer, view: NeuronView, found: Sequence[LabelChange]) -> None:
    """The look-alikes beside them."""
    with _beside(explorer.run, view):
        st.header("Here are their look-alikes.", anchor=False)
        st.markdown("Each is the picture most like its partner, among those that leave the neuron cold.")
        if shares := found[0].shares:
            st.markdown(
                f"{_share(shares.plain[1]).capitalize()} of them show **{plain(found[0].plain)}** too."
            )


def answer_slide(explorer: Explorer, view: NeuronView, found: Sequence[LabelChange]) -> None:
    """What the first have and the look-alikes lack."""
    with _beside(explorer.run, view):
        st.header("What do the first have that their look-alikes lack?", anchor=False)
        st.markdown("Asked this, the machine suggests:")
        st.subheader(f":blue[{plain(found[0].contrastive)}]", anchor=False)
        if found[0].shares:
            st.markdown(_borne_out(found[0], found[0].shares))


def others_slide(explorer: Explorer, view: NeuronView, found: Sequence[LabelChange]) -> None:
    """More neurons of the kind."""
    total = sum(record.neurons for record in explorer.run.manifest.layers)
    st.header("It is not the only one.", anchor=False)
    changed = [turn for turn in found if not explorer.synonyms.same(turn.plain, turn.contrastive)]
    st.markdown(
        f"Counting the look-alikes in changes what the label means for {len(changed):,} of {total:,} neurons"
        f"{_for_better_and_worse(changed)}, for example:"
    )
    others = [turn for turn in changed if turn is not found[0] and turn.may_be_shown]
    for position, turn in enumerate(others[:OTHERS]):
        pictures, words = st.columns([55, 45], gap="large", vertical_alignment="center")
        other = explorer.neuron(turn.layer, turn.neuron)
        with pictures:
            facts = [pair.activating for pair in other.pairs[:OTHERS_PICTURES]]
            style = ("blue", OTHERS_PICTURES, f"present-other-{position}")
            _grid(explorer.run, facts, "Activating image", style)
        words.markdown(f"{plain(turn.plain)} → :blue[**{plain(turn.contrastive)}**]")


def people_slide(explorer: Explorer, view: NeuronView, found: Sequence[LabelChange]) -> None:
    """A person has the last word."""
    with _beside(explorer.run, view):
        st.header("The machine suggests. A person decides.", anchor=False)
        st.markdown(
            "Every label can be confirmed or replaced, or it is said that none fits, by name and with the "
            "reason. Nothing is overwritten: the record keeps who decided what, when, and on what evidence."
        )
        layers = [layer_summary(explorer, layer, reviewed(explorer, layer)) for layer in explorer.run.layers]
        if artefacts := sum(layer.artefacts for layer in layers):
            noise = by_chance([layer.by_chance for layer in layers], [layer.untrained for layer in layers])
            first = sum(layer.artefacts_by_first_label for layer in layers)
            beside = f" (by main labels alone {first:,}; {noise})" if noise else ""
            void = f" {GUESSES_BY_NONE}" if guesses(explorer) else ""
            st.markdown(f"**{artefacts}** neurons here seem to follow an artefact{beside}.{void}")
        here = {"run": explorer.run.name, "layer": view.layer}
        st.page_link(
            "pages/neuron.py",
            label="**See this neuron at work**",
            icon=":material/search:",
            query_params=neuron_params(explorer.run.name, view.layer, view.neuron),
        )
        st.page_link("pages/neurons.py", label="All neurons", icon=":material/grid_view:", query_params=here)


Slide = Callable[[Explorer, NeuronView, Sequence[LabelChange]], None]
SLIDES: tuple[Slide, ...] = (first_slide, contrastive_slide, answer_slide, others_slide, people_slide)


def neuron_slide(explorer: Explorer, view: NeuronView, label: LabelInForce) -> None:
    """One neuron for a wall: both groups, its label and whose it is; or that nothing fits."""
    with _beside(explorer.run, view):
        if not shown_pairs(view, everything=False) and label.by is None:
            st.header("No picture makes this neuron fire.", anchor=False)
            return
        if label.text is None and not label.sides:
            st.header("No label fits this neuron." if label.by else "No label was suggested.", anchor=False)
            return
        st.markdown("What do the first have that their look-alikes lack?")
        if label.by is None and view.neuron in unclaimed(explorer, view.layer):
            st.header("Nothing fits.", anchor=False)
            st.markdown(f"The nearest label, *{shown(label.shown, LONGEST)}*, {why_not(explorer, view)}.")
            return
        if label.by is None:
            st.markdown("The machine suggests:")
        st.header(shown(label.shown, LONGEST), anchor=False)
        if label.by is not None:
            st.markdown(shown(label.words, LONGEST))


def _beside(run: Run, view: NeuronView, *, contrastive: bool = True) -> st.delta_generator.DeltaGenerator:
    """Draws one or both groups of pictures; returns the place for the words beside them."""
    pairs = shown_pairs(view, everything=False)
    columns = st.columns(THREE if contrastive else TWO, gap="large", vertical_alignment="center")
    with columns[0]:
        st.markdown(":blue[**●**] **Make it fire**")
        facts = [pair.activating for pair in pairs]
        _grid(run, facts, "Activating image", ("blue", COLUMNS, "present-firing"))
    if contrastive:
        with columns[1]:
            st.markdown(":orange[**●**] **Look alike, but leave it cold**")
            cold = [pair.contrastive for pair in pairs if pair.contrastive is not None]
            _grid(run, cold, "Look-alike", ("orange", COLUMNS, "present-contrastive"))
    return columns[-1]


def _grid(run: Run, facts: Sequence[ImageFacts], kind: str, style: tuple[str, int, str]) -> None:
    """Pictures without number, name or bar; `style` is tone, columns and key."""
    tone, columns, key = style
    alts = [f"{kind} {position}: {image_alt(each)}" for position, each in enumerate(facts, 1)]
    tiles = [Tile(source(run, each.image), alt) for each, alt in zip(facts, alts, strict=True)]
    tile_grid(tiles, tone=tone, columns=columns, key=key)


def _for_better_and_worse(changed: Sequence[LabelChange]) -> str:
    """How many labels became true and how many false, where the images tell; empty where they don't."""
    told = [turn for turn in changed if turn.holds is not None and turn.plain_holds is not None]
    better = sum(bool(turn.holds) and not turn.plain_holds for turn in told)
    worse = sum(bool(turn.plain_holds) and not turn.holds for turn in told)
    return f" (where the images tell, {better:,} became true and {worse:,} became false)" if told else ""


def _borne_out(turn: LabelChange, shares: AttributeShares) -> str:
    firing, alike = shares.contrastive
    return (
        f"The pictures bear it out: {_share(firing)} of those that make it fire show "
        f"{plain(turn.contrastive)}, and {_share(alike)} of their look-alikes."
    )


def _share(value: float) -> str:
    return "none" if value == 0 else "all" if value == 1 else percent(value)
