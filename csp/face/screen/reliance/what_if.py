"""Toggles that switch concepts off for one picture, and how the prediction moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Float

from csp.errors import UnavailableError
from csp.face.screen.state.cached import concepts_of
from csp.face.screen.state.waiting import waited
from csp.face.screen.url.params import Params, some_of, text
from csp.face.screen.url.state import put
from csp.face.screen.wording import as_sentence, counted, percent, plain, turned
from csp.work.explorer.explorer import Explorer
from csp.work.models.probe_images import ProbeImage
from csp.work.reliance.concepts import Concept
from csp.work.reliance.heads import BehindHead, behind_head
from csp.work.reliance.what_if import Without, movers, picture_activations, what_if

SHOWN, CLASSES = 6, 4
"""Concepts with a toggle, those that move this picture most; classes told."""
OFF = "off"
"""The parameter of the address: the concepts switched off, commas between."""
WAITING = "Working out what it rests on"
NO_HEAD = (
    "concepts can be switched off where a layer of the run feeds the model's last linear layer, and none does"
)


@dataclass(frozen=True, eq=False)
class _Ready:
    seen: BehindHead
    activations: Float[np.ndarray, " c"]
    movers: tuple[tuple[Concept, Without], ...]


def what_if_section(explorer: Explorer, params: Params, picture: int | ProbeImage, token: str = "") -> None:
    """Of a probe image, or of an upload, which `token` tells from others."""
    if explorer.run.probabilities is None:
        return
    image = picture if isinstance(picture, int) else None
    with st.container(key="what-if", gap="xsmall"):
        st.markdown("**What moves its answer** · switch off what it is not to use", help=_help())
        found = concepts_of(explorer)
        asked = explorer.run.fingerprint, image, token, found
        try:
            ready = waited("what-if", asked, lambda: _ready(explorer, found, picture), WAITING)
        except UnavailableError as error:
            st.caption(as_sentence(error))
            return
        if ready is not None:
            _toggles(explorer, params, ready)


def _ready(explorer: Explorer, found: Sequence[Concept], picture: int | ProbeImage) -> _Ready:
    seen = behind_head(explorer.run)
    if seen is None:
        raise UnavailableError(NO_HEAD)
    if isinstance(picture, int):
        activations = seen.of_picture(picture)
    else:
        activations = picture_activations(explorer.run, seen.layer, picture)
    return _Ready(seen, activations, movers(seen, found, activations))


def _toggles(explorer: Explorer, params: Params, ready: _Ready) -> None:
    found = {slug(concept): concept for concept, _ in ready.movers}
    off = some_of(params, OFF, list(found))
    shown = list(dict.fromkeys([*list(found)[:SHOWN], *off]))
    if not shown:
        st.caption(f"No neuron of {plain(ready.seen.layer)} has a label, so there is nothing to switch off.")
        return
    for word in shown:
        concept = found[word]
        name = f"{plain(concept.name)} :small[:gray[{counted(len(concept.of(ready.seen.layer)), 'neuron')}]]"
        key = f"sees-{word}"
        st.session_state[key] = word not in off
        st.toggle(name, key=key, on_change=_switched, args=(word,))
    neurons = sorted({neuron for word in off for neuron in found[word].of(ready.seen.layer)})
    _moved(explorer, what_if(ready.seen, ready.activations, neurons), bool(off))
    unchecked = [found[word].name for word in off if not found[word].checked]
    if unchecked:
        st.caption(f"Nobody has checked the labels of {plain(', '.join(unchecked))} yet.")


def _switched(word: str) -> None:
    """Callback: by the address, as another one may have been switched since this page was drawn."""
    kept = [one for one in text(st.query_params.to_dict(), OFF).split(",") if one not in ("", word)]
    put(OFF, ",".join(kept if st.session_state[f"sees-{word}"] else [*kept, word]))


def _moved(explorer: Explorer, found: Without, switched: bool) -> None:
    """The classes as they stand now and would stand, the likeliest first."""
    names = explorer.run.manifest.classes
    order = np.argsort(-np.maximum(found.before, found.after), kind="stable")[:CLASSES].tolist()
    another = int(found.before.argmax()) != int(found.after.argmax())
    if switched and another:
        st.markdown(f":orange[**It would say {plain(names[int(found.after.argmax())])}**]")
    elif switched:
        st.markdown(f"It would still say **{plain(names[int(found.after.argmax())])}**")
    for place in order:
        before, after = float(found.before[place]), float(found.after[place])
        moved = turned(percent(before), percent(after), "**") if switched else percent(before)
        st.progress(min(1.0, max(0.0, after)), text=f"{plain(names[place])} · {moved}")


def slug(concept: Concept) -> str:
    """A concept's name as an address holds it."""
    return "-".join("".join(one if one.isalnum() else " " for one in concept.name).split()) or "unnamed"


def _help() -> str:
    return (
        "Switched off, the neurons whose label means this are held at their average over the probe images, "
        "all together. Those that move this picture most come first, also where the picture lacks the thing: "
        "that they are quiet moves the answer, too. The numbers are exact, as the rest of the model only "
        "adds up what these neurons say."
    )
