"""One picture through the model: what it says, and the neurons behind it, in words first."""

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from csp.errors import BadInputError, UnavailableError
from csp.face.screen.atlas.facts import badges, label_lines, persons_line, strongest_images
from csp.face.screen.elements.components import Badge, Card, card_grid
from csp.face.screen.elements.pager import chosen_most, more
from csp.face.screen.elements.picture_picker import Chosen, choose_anew, large_picture
from csp.face.screen.state.cached import rows_of
from csp.face.screen.state.waiting import waited
from csp.face.screen.url.links import neuron_link
from csp.face.screen.url.params import Params, one_of
from csp.face.screen.url.state import choose
from csp.face.screen.wording import as_sentence, counted, number, percent, plain
from csp.work.attribution.heatmaps import lit_pictures
from csp.work.attribution.model_quality import ModelQuality
from csp.work.attribution.predictions import HOW, Prediction, try_picture, try_probe_image
from csp.work.attribution.unlikeness import Unlikeness
from csp.work.explorer.explorer import Explorer
from csp.work.models.probe_images import ProbeImage, ProbeImages
from csp.work.models.seen_part import NEARLY_ALL, SeenPart
from csp.work.reliance.words import signed
from csp.world.pictures.data_url import data_url

ORDERS = {"for": "Speak for it", "against": "Speak against it", "strongest": "Fire most unusually"}
SHOWN, COLUMNS, EXAMPLES = 12, 2, 3
CLASSES = 6


def try_chosen(explorer: Explorer, layer: str, chosen: Chosen) -> Prediction | None:
    """The picture through the model; None while that goes on. This session alone holds what comes of it."""
    asked = explorer.run.fingerprint, layer, chosen.image, chosen.token

    def work() -> Prediction:
        if chosen.upload is None:
            return try_probe_image(explorer, layer, chosen.image or 0)
        return try_picture(explorer, layer, chosen.upload.image, chosen.upload.beside)

    return waited("try-image", asked, work, "Looking at the picture", choose_anew)


def chosen_order(params: Params, outcome: Prediction) -> str:
    """Which neurons come first, from the address; without contributions only how they fire can tell."""
    orders = list(ORDERS) if outcome.how else ["strongest"]
    return one_of(params, "order", orders, orders[0])


def chosen_image(explorer: Explorer, chosen: Chosen) -> None:
    """The picture, large."""
    picture = large_picture(explorer.run, chosen)
    if picture:
        st.image(picture, width="stretch", alt="The image that was chosen")


def prediction(explorer: Explorer, chosen: Chosen, outcome: Prediction) -> None:
    """Whether to believe it, then the classes by probability, and what is known of the picture."""
    with st.container(key="prediction", gap="xsmall"):
        if outcome.unlikeness is not None:
            _likeness(explorer, outcome.unlikeness, outcome.layer)
        if outcome.prediction:
            st.markdown(f"**The model says: {plain(outcome.prediction[0][0])}**")
        for name, probability in outcome.prediction[:CLASSES]:
            st.progress(min(1.0, max(0.0, probability)), text=f"{plain(name)} · {percent(probability)}")
        if outcome.prediction:
            st.caption(_quality_line(outcome.quality))
        for line in [*_seen_line(outcome.seen), *_picture_lines(explorer, chosen)]:
            st.caption(line)


def _likeness(explorer: Explorer, found: Unlikeness, layer: str) -> None:
    """A warning, always: an upload is none of the pictures on which the model was looked at."""
    known = f"**{plain(explorer.run.manifest.dataset.name)}**"
    each = [f"{name}: {percent(share)}" for name, share in _shares(found, layer)]
    told = f"({', '.join(each)})"
    if not each:
        st.warning(f"The probe images are too few to tell whether this picture is like them ({known}).")
    elif found.unlike:
        st.error(
            "**Do not rely on this prediction: the picture is unlike all that the model was looked at on** "
            f"({known}). Of those, {percent(found.most)} have a closer match among the others than this "
            f"picture has {told}. By chance that is said of one in twenty of their own kind.",
            icon=":material/warning:",
        )
    else:
        st.warning(
            f"**The model was only looked at on {known}**. Of those pictures, {percent(found.most)} have a "
            f"closer match among the others than this one has {told}: it could be one of them, but need not "
            "be. What the model says of pictures from elsewhere, such as photographs, was not checked.",
            icon=":material/warning:",
        )


def _shares(found: Unlikeness, layer: str) -> list[tuple[str, float]]:
    shares = [("to the encoder", found.encoder), (f"in {plain(layer)}", found.layer)]
    return [(name, share) for name, share in shares if share is not None and share == share]


def _quality_line(quality: ModelQuality | None) -> str:
    if quality is None:
        return "How good the model is was not measured: the probe images have no labels that it knows."
    part = "probe images, none of them held out" if quality.part == "all" else f"{quality.part} probe images"
    right = f"of {quality.called:,} that it calls {plain(quality.name)}, {quality.right:,} are"
    told = "" if quality.auroc != quality.auroc else f"; AUROC for {plain(quality.name)} {quality.auroc:.2f}"
    return (
        f"On {quality.images:,} {plain(part)} with a label the model is right on "
        f"**{percent(quality.accuracy)}**; {right}{told}."
    )


def _seen_line(seen: SeenPart | None) -> list[str]:
    if seen is None or seen.whole:
        return []
    sides = [
        f"{percent(share)} of its {side}"
        for side, share in (("width", seen.width), ("height", seen.height))
        if share < NEARLY_ALL
    ]
    return [f"The model saw the middle {' and '.join(sides)}: the rest was cut off."]


def order_bar(order: str, outcome: Prediction) -> None:
    """What the list is about, and in which order."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**The neurons behind it**", help=_help(outcome), width="content")
        if outcome.how:
            choose("order", order, ORDERS, "Which neurons", ("most",))


def neurons_behind(
    explorer: Explorer, chosen: Chosen, outcome: Prediction, order: str, params: Params
) -> None:
    """Cards of neurons: where each fires here, beside its own pictures."""
    ordered = _in_order(outcome.neurons, order)
    shown = ordered.head(chosen_most(params, len(outcome.neurons), SHOWN))
    if shown.empty:
        st.info("No neuron of this layer does.")
        return
    if len(shown) < len(ordered):
        st.caption(f"{len(shown):,} of {counted(len(ordered), 'neuron')}, the strongest first")
    with st.container(key="lit-line"):
        lit = _lit(explorer, outcome.layer, shown["neuron"].tolist(), chosen)
    rows = rows_of(explorer, outcome.layer).frame
    usual = str(rows["state"].mode()[0])
    cards = [
        _card(explorer, outcome, (one, rows.loc[int(one["neuron"])].to_dict()), lit, usual)
        for one in shown.to_dict("records")
    ]
    with st.container(key="neurons-behind"):
        card_grid("Neurons behind the prediction", cards, columns=COLUMNS, key="behind-cards")
        more(len(shown), len(ordered), SHOWN)
    if outcome.remark:
        st.caption(as_sentence(outcome.remark))


def _in_order(neurons: pd.DataFrame, order: str) -> pd.DataFrame:
    if order == "strongest":
        return neurons.sort_values(["percentile", "activation"], ascending=False)
    sign = 1 if order == "for" else -1
    speaking = neurons[sign * neurons["contribution"] > 0]
    return speaking.sort_values("contribution", ascending=order == "against")


def _lit(explorer: Explorer, layer: str, neurons: Sequence[int], chosen: Chosen) -> dict[int, bytes]:
    """The picture lit where each neuron fires; none until that is known, and where it can't be told."""
    asked = explorer.run.fingerprint, layer, tuple(neurons), chosen.image, chosen.token
    try:
        picture = _picture(explorer, chosen)
        lit = waited(
            "lit",
            asked,
            lambda: lit_pictures(explorer.run, layer, neurons, picture),
            "Working out where each of them fires",
        )
    except (UnavailableError, BadInputError) as error:
        st.caption(as_sentence(f"where the neurons fire can't be shown: {error}"))
        return {}
    if lit is not None:
        st.caption(
            as_sentence(
                f"first on each card: this picture, dark where the neuron does not fire{_from(picture)}"
            )
        )
    return lit or {}


def _from(picture: ProbeImage) -> str:
    return f", {picture.remark}" if picture.remark else ""


def _picture(explorer: Explorer, chosen: Chosen) -> ProbeImage:
    return chosen.upload or ProbeImages(explorer.run).picture(chosen.image or 0)


def _card(
    explorer: Explorer,
    outcome: Prediction,
    pair: tuple[dict[Any, Any], dict[Any, Any]],
    lit: dict[int, bytes],
    usual: str,
) -> Card:
    one, facts = pair
    neuron = int(one["neuron"])
    label, whose = label_lines(facts)
    own = strongest_images(explorer.run, facts, EXAMPLES if lit else EXAMPLES + 1)
    here = (
        {"src": data_url(lit[neuron]), "alt": f"Where neuron {neuron} fires here"} if neuron in lit else None
    )
    return Card(
        href=neuron_link(explorer.run.name, outcome.layer, neuron),
        title=str(neuron),
        label=label,
        line=_fires(one["percentile"]),
        pictures=[here, *own] if here else own,
        badges=[*_adds(one["contribution"], outcome), *badges(facts, usual)],
        hint=f"{whose}\nActivation {number(one['activation'])}",
        whose=persons_line(facts),
    )


def _fires(percentile: float) -> str:
    if percentile != percentile:
        return "how strongly it fires is not known"
    if percentile == 1:
        return "fires more strongly than on any image"
    return f"fires more strongly than on {int(100 * percentile)} % of the images"


def _adds(contribution: float, outcome: Prediction) -> list[Badge]:
    if contribution != contribution or outcome.how is None:
        return []
    name = outcome.prediction[0][0]
    speaks = "for" if contribution > 0 else "against"
    tone: Literal["blue", "orange"] = "blue" if contribution > 0 else "orange"
    return [(f"{signed(contribution, 2)} {speaks} {name}", tone, HOW[outcome.how])]


def _help(outcome: Prediction) -> str:
    how = (
        f" The number in colour is what the neuron adds to the class, {HOW[outcome.how]}."
        if outcome.how
        else ""
    )
    return (
        "The first picture of a card is the one chosen, dark where the neuron does not fire; the others are "
        f"those that make it fire most.{how if outcome.how else ''}"
    )


def _picture_lines(explorer: Explorer, chosen: Chosen) -> list[str]:
    if chosen.upload is not None:
        return [line for line in (plain(chosen.upload.remark), "Your picture is kept nowhere.") if line]
    row = explorer.run.images.iloc[chosen.image or 0]
    truth = f" · true class: {plain(row['label'])}" if isinstance(row["label"], str) else ""
    return [f"Image {chosen.image} of the probe dataset{truth}"]
