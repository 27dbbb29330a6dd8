"""Opens runs for the pages. Caches are bounded, and notice when a run's folder is replaced or removed."""

from pathlib import Path

import streamlit as st

from csp.errors import BadRunError, NotFoundError
from csp.face.screen.place import Params, Way, WrongAddressError, choice, nearest
from csp.keeping.home import list_runs
from csp.work.explorer import Explorer, open_explorer
from csp.work.views import NeuronTable

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
    wanted = params.get("run", names[0])
    folders = {path.name: path for path in list_runs()}
    if wanted not in folders:
        raise WrongAddressError(f"There is no run {wanted!r} on this machine.", _ways(nearest(wanted, names)))
    try:
        return _explorer(str(folders[wanted]), (folders[wanted] / "manifest.json").stat().st_mtime_ns)
    except BadRunError as error:
        others = [name for name in names if name != wanted]
        raise WrongAddressError(f"The run {wanted!r} can't be opened: {error}", _ways(others)) from error


def chosen_layer(params: Params, explorer: Explorer) -> str:
    """The layer in the address; without one the last, which is nearest to the model's decision."""
    return choice(params, "layer", explorer.run.layers, explorer.run.layers[-1])


def neurons_of(explorer: Explorer, layer: str) -> NeuronTable:
    """The table of a layer's neurons, kept while the run stays the same."""
    return _neurons(explorer, explorer.run.fingerprint, layer)


@st.cache_resource(max_entries=8, show_spinner=False)
def _neurons(_explorer: Explorer, fingerprint: str, layer: str) -> NeuronTable:
    return _explorer.neurons(layer)


@st.cache_resource(max_entries=4, show_spinner="Opening the run …")
def _explorer(folder: str, changed: int) -> Explorer:
    return open_explorer(str(Path(folder)))


def _ways(names: list[str]) -> list[Way]:
    return [Way(f"Run {name}", {"run": name}) for name in names[:6]]
