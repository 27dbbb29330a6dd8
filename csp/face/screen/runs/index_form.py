"""The fields of a job that makes a run."""

from typing import Any

import streamlit as st

from csp.errors import CspError
from csp.face.screen.runs.job_form import Fields, Given, check_on_page
from csp.face.screen.state.waiting import let_go, waited
from csp.work.indexing.spec import IndexSpec
from csp.work.jobs.arguments import Faults
from csp.work.jobs.kinds.index import layers_of
from csp.work.jobs.kinds.sae import trained_saes
from csp.work.jobs.one_shot import in_own_process
from csp.work.jobs.registry import FaultyJobError
from csp.world.specs.registry import DATASETS, ENCODERS, TARGETS

LAYERS, LISTING = "index-known-layers", "index-listing"
SPECS = {
    "model": (
        "Model",
        TARGETS.placeholder,
        "The classifier to explain.",
    ),
    "data": (
        "Images",
        DATASETS.placeholder,
        "The pictures shown to the model.",
    ),
    "encoder": (
        "Encoder",
        ENCODERS.placeholder,
        "Says which pictures look alike, and which words fit them.",
    ),
    "vocabulary": (
        "Labels to choose from (may stay empty)",
        "/path/to/terms.txt, one a line",
        "Without it, neurons have no labels until someone types one.",
    ),
    "out": ("Name of the run", "my-run", "Letters, digits, '.', '_' and '-'."),
}
"""Label, example and help of the fields that are typed."""


def index_fields(fields: Fields) -> Given:
    """Draws the fields; the layers can be listed by opening the model."""
    left, right = st.columns(2, gap="medium")
    with left:
        given = {"model": _typed("model", fields)}
        layers = _layers(given["model"], fields)
        given["data"] = _typed("data", fields)
        saes = _saes(fields)
    with right:
        given |= {name: _typed(name, fields) for name in ("encoder", "vocabulary", "out")}
    numbers = _numbers(fields)
    return (
        {name: value for name, value in given.items() if value} | numbers | {"layers": layers, "saes": saes}
    )


def _typed(field: str, fields: Fields) -> str:
    label, example, help_ = SPECS[field]
    text = st.text_input(label, key=fields.key(field), placeholder=example, help=help_)
    fields.fault(field)
    return text.strip()


def _layers(model: str, fields: Fields) -> list[str]:
    known: dict[str, str] = st.session_state.get(LAYERS, {})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Layers",
            list(known),
            key=fields.key("layers"),
            format_func=lambda name: known.get(name, name),
            accept_new_options=True,
            placeholder="Choose, or type names",
        )
        if st.button("List", key="index-list", help="Opens the model and lists its layers."):
            st.session_state[LISTING] = model
    fields.fault("layers")
    _list_layers(fields)
    return list(chosen)


def _saes(fields: Fields) -> list[str]:
    """Those chosen, each with its layer; those trained here are offered."""
    chosen = st.multiselect(
        "Sparse autoencoders (may stay empty)",
        [one.spec for one in trained_saes()],
        key=fields.key("saes"),
        accept_new_options=True,
        placeholder="Choose, or type layer4=saelens:/path/folder",
        help="Their latents join the layers.",
    )
    fields.fault("saes")
    return list(chosen)


def _list_layers(fields: Fields) -> None:
    """Lists the layers of the model that was asked for, once it could be opened."""
    model = st.session_state.get(LISTING)
    if model is None:
        return
    found = _faults(model)
    try:
        known = None
        if "model" not in found:
            known = waited("layers", model, lambda: _named(model), "Opening the model", _stop_listing)
            if known is None:
                return
    except CspError as error:
        found["model"] = str(error)
    _stop_listing()
    st.session_state[LAYERS] = known or {}
    fields.faults = {"model": found["model"]} if "model" in found else {}
    st.rerun()


def _faults(model: str) -> Faults:
    """What is wrong with the model alone."""
    try:
        check_on_page("index", {"model": model})
    except FaultyJobError as error:
        return error.faults
    return {}


def _named(model: str) -> dict[str, str]:
    """Each layer of a model with how it reads in the list."""
    infos = in_own_process(layers_of, model)
    return {one["layer"]: f"{one['layer']} ({one['type']}, {one['shape']})" for one in infos}


def _stop_listing() -> None:
    st.session_state.pop(LISTING, None)
    let_go("layers")


def _numbers(fields: Fields) -> dict[str, Any]:
    names = ("k", "gamma", "pooling", "batch_size")
    wrong = any(name in fields.faults for name in names)
    with st.expander("More", icon=":material/tune:", expanded=wrong):
        columns = dict(zip(names, st.columns(4), strict=True))
        usual = IndexSpec.model_fields["k"].default
        found = {
            "k": columns["k"].number_input("Examples of each neuron", 1, 1000, usual, key=fields.key("k")),
            "gamma": columns["gamma"].number_input(
                "Strength of the contrast", 0.0, 1.0, 1.0, 0.05, key=fields.key("gamma")
            ),
            "pooling": columns["pooling"].selectbox(
                "Feature maps become one number by",
                ["mean", "max", "patch", "quantile:0.95", "cls"],
                key=fields.key("pooling"),
            ),
            "batch_size": columns["batch_size"].number_input(
                "Images at once", 1, 4096, 32, key=fields.key("batch_size")
            ),
        }
        for name, column in columns.items():
            with column:
                fields.fault(name)
    return found
