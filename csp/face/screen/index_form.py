"""The form that starts an indexing job: every field is checked, in a sentence, before anything starts."""

from typing import Any

import streamlit as st

from csp.errors import CspError
from csp.face.screen.who import may_manage, me
from csp.face.screen.words import plain
from csp.work.apart import apart
from csp.work.job_index import faults
from csp.work.jobs import start_job
from csp.work.spec import IndexSpec

LAYERS = "new-known-layers"
FAULTS = "new-faults"
OWN, NOT_HERE = "python:", "A page runs no code of your own; start this one with `csp index`."
SPECS = {
    "model": (
        "Model",
        "torchvision:resnet50 · torchvision:resnet18@/path/weights.safetensors · hf:/path/or/name",
        "The classifier to explain.",
    ),
    "data": (
        "Images",
        "folder:/path/to/images · csv:/path/to/images.csv",
        "The pictures shown to the model.",
    ),
    "encoder": (
        "Encoder",
        "openclip:ViT-B-32/openai · openclip:local-dir:/path · hf:/path/or/name",
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


def index_form() -> None:
    """Draws the form; a job that starts is shown among the jobs."""
    refused = may_manage("make runs")
    if refused:
        st.info(plain(refused), icon=":material/lock:")
        return
    for fault in st.session_state.get(FAULTS, {}).get("", ()):
        st.error(plain(fault), icon=":material/error:")
    left, right = st.columns(2, gap="medium")
    with left:
        _typed("model")
        _layers()
        _typed("data")
    with right:
        _typed("encoder")
        _typed("vocabulary")
        _typed("out")
    with st.expander("More", icon=":material/tune:"):
        _numbers()
    if st.button("Check and start", key="new-start", type="primary", icon=":material/play_arrow:"):
        _start()
        st.rerun()
    st.caption(
        "It works on in the background: the tab may be closed. What it computed is kept when it is stopped."
    )


def _typed(field: str) -> None:
    label, example, help_ = SPECS[field]
    st.text_input(label, key=f"new-{field}", placeholder=example, help=help_)
    _fault(field)


def _layers() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "Layers",
            list(st.session_state.get(LAYERS, {})),
            key="new-layers",
            format_func=lambda name: st.session_state.get(LAYERS, {}).get(name, name),
            accept_new_options=True,
            placeholder="Choose, or type names",
        )
        if st.button("List", key="new-list", help="Opens the model and lists its layers."):
            _list_layers()
            st.rerun()
    _fault("layers")


def _numbers() -> None:
    first, second, third, fourth = st.columns(4)
    first.number_input("Examples of each neuron", 1, 1000, IndexSpec.model_fields["k"].default, key="new-k")
    second.number_input("Strength of the contrast", 0.0, 1.0, 1.0, 0.05, key="new-gamma")
    third.selectbox("Feature maps become one number by", ["mean", "max", "cls"], key="new-pooling")
    fourth.number_input("Images at once", 1, 4096, 32, key="new-batch_size")


def _fault(field: str) -> None:
    if fault := st.session_state.get(FAULTS, {}).get(field):
        st.caption(f":red[:material/error: {plain(fault)}]")


def _given() -> dict[str, Any]:
    """The arguments of the job as far as they were filled in."""
    typed = {field: str(st.session_state.get(f"new-{field}", "")).strip() for field in SPECS}
    chosen = {field: st.session_state[f"new-{field}"] for field in ("k", "gamma", "pooling", "batch_size")}
    layers = list(st.session_state.get("new-layers", ()))
    return {**{name: value for name, value in typed.items() if value}, **chosen, "layers": layers}


def _start() -> None:
    given = _given()
    found = _faults(given)
    st.session_state[FAULTS] = found
    if found or may_manage("make runs"):
        return
    try:
        with st.spinner("Opening the model, the encoder and the images …"):
            apart("csp.work.job_index:open_everything", given)
        start_job("index", given, f"Run {given['out']}", by=me().name)
    except CspError as error:
        st.session_state[FAULTS] = {"": [str(error)]}
    else:
        st.query_params.from_dict({"view": "jobs"})


def _faults(given: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with each field; a page does not run code that lies on the server's Python path."""
    own = [field for field in SPECS if str(given.get(field, "")).startswith(OWN)]
    return dict.fromkeys(own, NOT_HERE) or faults(given)


def _list_layers() -> None:
    model = str(st.session_state.get("new-model", "")).strip()
    st.session_state[LAYERS] = {}
    found = _faults({"model": model})
    st.session_state[FAULTS] = {"model": found["model"]} if "model" in found else {}
    if st.session_state[FAULTS]:
        return
    try:
        with st.spinner("Opening the model …"):
            known = apart("csp.work.job_index:layers_of", model)
    except CspError as error:
        st.session_state[FAULTS] = {"model": str(error)}
    else:
        st.session_state[LAYERS] = {
            one["layer"]: f"{one['layer']} ({one['type']}, {one['shape']})" for one in known
        }
