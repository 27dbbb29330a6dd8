"""Opens runs for the pages. Caches are bounded, and notice when a run's folder is replaced or removed."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd
import streamlit as st

from csp.errors import BadRunError, NotFoundError, UnavailableError
from csp.face.screen.state import review_store
from csp.face.screen.url.params import Params, Way, WrongAddressError, nearest, one_of, text
from csp.keeping.library.find import list_runs
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.run_folder.added_tables import Additions
from csp.method.control import Noise
from csp.work.attribution.class_attribution import CLASS_ATTRIBUTION, ClassAttribution, class_attribution
from csp.work.attribution.model_card import Skill, skill
from csp.work.control.control import CONTROL, LayerControl, layer_control
from csp.work.control.sight import Sight, encoder_sight
from csp.work.control.untrained import UNTRAINED, untrained_control
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.explorer.views import NeuronTable
from csp.work.neurons.concept_vectors import GammaPath, gamma_path
from csp.work.neurons.map import MAP, neuron_map
from csp.work.neurons.rows import NeuronRows, machine_rows, with_chances, with_reviews
from csp.work.neurons.showcase import LabelChange, turns
from csp.work.reliance.concepts import Concept, concepts
from csp.work.reviews.artefacts import ArtefactNeuron, artefact_neurons
from csp.work.reviews.audit import Audit, audit_of
from csp.work.reviews.desk import Spot
from csp.work.reviews.recalibrated import Recalibrated, recalibrated_by

DEMO = "demo"


def run_names() -> list[str]:
    """The runs on this machine that an address may name, the demo first."""
    names = [path.name for path in list_runs()]
    return sorted(names, key=lambda name: (name != DEMO, name))


def chosen_explorer(params: Params) -> Explorer:
    """The explorer of the run in the address; without one, of the demo or the first run there is.

    Raises
    ------
    NotFoundError
        No run exists at all.
    WrongAddressError
        The run does not exist or can't be opened; its ways lead to the others.
    """
    names = run_names()
    if not names:
        raise NotFoundError("There is no run on this machine yet.")
    wanted = text(params, "run", names[0])
    folders = {path.name: path for path in list_runs()}
    if wanted not in folders:
        raise WrongAddressError(f"There is no run {wanted!r} on this machine.", _ways(nearest(wanted, names)))
    try:
        return _explorer(*_as_now(folders[wanted]))
    except BadRunError as error:
        others = [name for name in names if name != wanted]
        raise WrongAddressError(f"The run {wanted!r} can't be opened: {error}", _ways(others)) from error


def named_explorer(name: str) -> Explorer:
    """The explorer of a run by its name; raises as `chosen_explorer`."""
    return chosen_explorer({"run": name})


def close_run(folder: Path) -> None:
    """Keep a run no longer open: it is opened again where somebody still looks at it."""
    with suppress(OSError):
        _explorer.clear(*_as_now(folder))


def chosen_layer(params: Params, explorer: Explorer) -> str:
    """The layer in the address; without one that which a run opens with."""
    return one_of(params, "layer", explorer.run.layers, explorer.run.opening_layer)


def neurons_of(explorer: Explorer, layer: str) -> NeuronTable:
    """The table of a layer's neurons, kept while the run stays the same."""
    return _neurons(explorer, explorer.run.fingerprint, layer)


def reviewed(explorer: Explorer, layer: str) -> dict[int, NeuronReview]:
    """Where each neuron of a layer stands that people judged, as of now; cheap when nothing was added.

    Empty while the record can't be read, which the bar at the top of the page says.
    """
    if not review_store.is_there():
        return {}
    try:
        return review_store.standing(explorer).layer(layer)
    except UnavailableError:  # it was damaged since the top of the page was drawn
        return {}


def rows_of(explorer: Explorer, layer: str) -> NeuronRows:
    """All that is known of a layer's neurons, people's labels first; what the machine says is kept while
    neither the run changes nor anything is added to it."""
    added = Additions(explorer.run).state()
    rows = _machine_rows(explorer, explorer.run.fingerprint, added, layer)
    rows = with_chances(rows, chances_of(explorer, layer))
    return with_reviews(rows, reviewed(explorer, layer))


def controls_of(explorer: Explorer, layer: str, labeler: str) -> tuple[Noise | None, Noise | None]:
    """What scores noise and random weights give under a labeler, kept until more is measured.

    None of noise without a vocabulary, of random weights where they were not measured.
    """
    shuffled, untrained = layer_controls(explorer, layer)
    return shuffled.noise(labeler), None if untrained is None else untrained.noise(labeler)


def layer_controls(explorer: Explorer, layer: str) -> tuple[LayerControl, LayerControl | None]:
    """The same under every labeler."""
    additions = Additions(explorer.run)
    version = (*additions.version(CONTROL), *additions.version(UNTRAINED))
    return _controls(explorer, explorer.run.fingerprint, version, layer)


def sight_of(explorer: Explorer) -> Sight | None:
    """What the run's encoder sees, kept until anything is added; None without a vocabulary."""
    return _sight(explorer, explorer.run.fingerprint, Additions(explorer.run).state())


def skill_of(explorer: Explorer) -> Skill | None:
    """Whether the run's model tells its classes at all; None where that can't be told."""
    return _skill(explorer, explorer.run.fingerprint)


def guesses(explorer: Explorer) -> bool:
    """Whether it is known that the run's model is hardly better than guessing."""
    found = skill_of(explorer)
    return found is not None and found.guessing


def map_of(explorer: Explorer, layer: str) -> pd.DataFrame:
    """Where a layer's neurons lie on the map; empty when none was drawn."""
    return _map(explorer, explorer.run.fingerprint, Additions(explorer.run).version(MAP), layer)


def path_of(explorer: Explorer, layer: str) -> GammaPath:
    """The concept vectors of a layer's neurons at any gamma, kept while the run stays the same."""
    return _path(explorer, explorer.run.fingerprint, layer)


@st.cache_resource(max_entries=4, show_spinner="Reading the neurons …")
def _path(_explorer: Explorer, fingerprint: str, layer: str) -> GammaPath:
    return gamma_path(_explorer.run, layer)


def attribution_of(explorer: Explorer, layer: str) -> ClassAttribution | None:
    """How much each neuron pushes towards each class, kept until more is measured; None without classes."""
    return _attribution(
        explorer, explorer.run.fingerprint, Additions(explorer.run).version(CLASS_ATTRIBUTION), layer
    )


@st.cache_resource(max_entries=8, show_spinner="Reading the classes …")
def _attribution(
    _explorer: Explorer, fingerprint: str, version: tuple[str, ...], layer: str
) -> ClassAttribution | None:
    return class_attribution(_explorer, layer)


def audited(explorer: Explorer) -> tuple[Audit, list[ArtefactNeuron], list[Event]]:
    """The audit of a run, its artefact neurons, and its events; kept until an event or an addition comes."""
    states = review_store.standing(explorer).states()
    count = sum(len(state.events) for state in states.values())
    return _audited(explorer, explorer.run.fingerprint, Additions(explorer.run).state(), count)


@st.cache_resource(max_entries=4, show_spinner="Reading the record …")
def _audited(
    _explorer: Explorer, fingerprint: str, added: tuple[str, ...], events: int
) -> tuple[Audit, list[ArtefactNeuron], list[Event]]:
    desk = review_store.desk(_explorer)
    return audit_of(_explorer, desk), artefact_neurons(_explorer, desk.states()), desk.events()


def chances_of(explorer: Explorer, layer: str) -> Recalibrated:
    """By neuron the chance that its first label is true, recalibrated where people judged enough of the run;
    kept until an event or an addition comes."""
    states: Mapping[Spot, NeuronReview] = {}
    if review_store.is_there():
        with suppress(UnavailableError):  # it was damaged since the top of the page was drawn
            states = review_store.standing(explorer).states()
    count = sum(len(state.events) for state in states.values())
    return _chances(explorer, states, explorer.run.fingerprint, Additions(explorer.run).state(), layer, count)


@st.cache_resource(max_entries=8, show_spinner=False)
def _chances(
    _explorer: Explorer,
    _states: Mapping[Spot, NeuronReview],
    fingerprint: str,
    added: tuple[str, ...],
    layer: str,
    events: int,
) -> Recalibrated:
    return recalibrated_by(_explorer.run, layer, _states)


def concepts_of(explorer: Explorer) -> tuple[Concept, ...]:
    """The concepts of a run, those with the most neurons first; kept until an event or an addition comes."""
    states = review_store.standing(explorer).states()
    count = sum(len(state.events) for state in states.values())
    return _concepts(explorer, explorer.run.fingerprint, Additions(explorer.run).state(), count)


@st.cache_resource(max_entries=4, show_spinner="Looking for what neurons mean …")
def _concepts(
    _explorer: Explorer, fingerprint: str, added: tuple[str, ...], events: int
) -> tuple[Concept, ...]:
    return concepts(_explorer, review_store.standing(_explorer).states())


def turns_of(explorer: Explorer) -> tuple[LabelChange, ...]:
    """The neurons of a run for which look-alikes change the first label, the most telling first."""
    return _turns(explorer, explorer.run.fingerprint)


@st.cache_resource(max_entries=4, show_spinner="Looking for telling neurons …")
def _turns(_explorer: Explorer, fingerprint: str) -> tuple[LabelChange, ...]:
    return turns(_explorer.run)


@st.cache_resource(max_entries=8, show_spinner="Reading the neurons …")
def _machine_rows(_explorer: Explorer, fingerprint: str, added: tuple[str, ...], layer: str) -> NeuronRows:
    return machine_rows(_explorer, layer)


@st.cache_resource(max_entries=8, show_spinner="Measuring what the encoder sees …")
def _sight(_explorer: Explorer, fingerprint: str, added: tuple[str, ...]) -> Sight | None:
    return encoder_sight(_explorer)


@st.cache_resource(max_entries=8, show_spinner="Measuring how good the model is …")
def _skill(_explorer: Explorer, fingerprint: str) -> Skill | None:
    return skill(_explorer.run)


@st.cache_resource(max_entries=8, show_spinner="Measuring what noise gives …")
def _controls(
    _explorer: Explorer, fingerprint: str, version: tuple[str, ...], layer: str
) -> tuple[LayerControl, LayerControl | None]:
    return layer_control(_explorer, layer), untrained_control(_explorer, layer)


@st.cache_resource(max_entries=8, show_spinner=False)
def _map(_explorer: Explorer, fingerprint: str, version: tuple[str, ...], layer: str) -> pd.DataFrame:
    return neuron_map(_explorer.run, layer)


@st.cache_resource(max_entries=8, show_spinner=False)
def _neurons(_explorer: Explorer, fingerprint: str, layer: str) -> NeuronTable:
    return _explorer.neurons(layer)


def _as_now(folder: Path) -> tuple[str, int]:
    return str(folder), (folder / "manifest.json").stat().st_mtime_ns


@st.cache_resource(max_entries=4, show_spinner="Opening the run …")
def _explorer(folder: str, changed: int) -> Explorer:
    return open_explorer(str(Path(folder)))


def _ways(names: list[str]) -> list[Way]:
    return [Way(f"Run {name}", {"run": name}) for name in names[:6]]
