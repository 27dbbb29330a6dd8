"""The fields of the jobs that work on a run: asking a model for labels, measuring, the map, attribution."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from csp.errors import BadInputError, CspError
from csp.face.screen.page.identity import me
from csp.face.screen.runs.job_form import Fields, Given, wrong
from csp.face.screen.runs.vlm_wording import MODES, MODES_HELP, SPEC_HELP
from csp.face.screen.state.cached import concepts_of, named_explorer, run_names
from csp.face.screen.url.params import one_of
from csp.face.screen.wording import plain
from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import LABELERS
from csp.work.candidates.tables import Layout
from csp.work.explorer.explorer import Explorer
from csp.work.jobs.kinds.candidates import known_vlms
from csp.work.jobs.kinds.mend import mended_file
from csp.work.jobs.kinds.sae import POSITIONS, trained_saes
from csp.work.metrics.registry import METRICS
from csp.work.reliance.concepts import Concept
from csp.work.reliance.mending.cost import told_cost
from csp.work.reliance.mending.mend import together
from csp.world.saes.plan import SaePlan
from csp.world.specs.registry import GENERATORS, VLMS

EVERY = "every layer"
SAE_KINDS = {
    "topk": "TopK: the largest few are on",
    "batchtopk": "BatchTopK: the largest few of a batch",
    "relu": "ReLU (vanilla): a price on each",
    "jumprelu": "JumpReLU: each above its own threshold",
}
MORE = {
    "epochs": ("Times that all is learnt from", 10_000, SaePlan().epochs),
    "positions": ("Positions of each image, at most", 4096, POSITIONS),
}
"""Label, most and usual number of what else is asked of an SAE."""
NEURONS = {"all": "All", "first": "The first", "these": "These"}


def run_fields(fields: Fields) -> Given:
    """Run, and one layer or every one."""
    left, right = st.columns(2, gap="medium")
    with left:
        run = _run(fields)
    with right:
        return _of(run) | _layer(run, fields, every=True)


def control_fields(fields: Fields) -> Given:
    """Run, layer, and whether the model with random weights is asked, too."""
    given = dict(run_fields(fields))
    asked = st.checkbox(
        "Also with random weights: all images once more through the model",
        key=fields.key("random_weights"),
    )
    fields.fault("random_weights")
    return given | ({"random_weights": True} if asked else {})


def mend_fields(fields: Fields) -> Given:
    """Run, what is switched off and what that costs, and the file that is written."""
    left, right = st.columns(2, gap="medium")
    with left:
        run = _run(fields)
    concepts = () if run is None else concepts_of(named_explorer(run.name))
    with right:
        names = st.multiselect(
            "Switch off", [one.name for one in concepts], key=fields.key("concepts"), format_func=plain
        )
        fields.fault("concepts")
    usual = "" if run is None or not names else str(mended_file(run.name, names))
    if run is not None and names:
        _tell_cost(named_explorer(run.name), [one for one in concepts if one.name in names])
    out = st.text_input("File to write, .safetensors or .json", key=fields.key("out"), placeholder=usual)
    fields.fault("out")
    reason = st.text_input("Why, for the record", key=fields.key("reason"))
    file = out.strip() or usual
    return _of(run) | {"concepts": names, "out": file, "who": me().name, "reason": reason}


def _tell_cost(explorer: Explorer, chosen: Sequence[Concept]) -> None:
    """In one sentence; nothing where it can't be told: then the fields say why, or a .json is written."""
    with suppress(BadInputError):
        told = told_cost(explorer, together(chosen))
        (st.warning if told.worse else st.success)(plain(told.words))


def measure_fields(fields: Fields) -> Given:
    """What to measure, of which labelers."""
    given = dict(run_fields(fields))
    metric = st.selectbox(
        "What to measure",
        list(METRICS),
        key=fields.key("metric"),
        format_func=lambda name: f"{name}: {METRICS[name].what}",
    )
    fields.fault("metric")
    given["metric"] = metric
    if METRICS[metric].of_labels:
        given["labelers"] = st.multiselect(
            "Whose labels (all, if left empty)",
            list(LABELERS),
            key=fields.key("labelers"),
            format_func=lambda name: LABELERS[name].title,
        )
        fields.fault("labelers")
    if METRICS[metric].makes_pictures:
        generator = st.text_input(
            "What makes the pictures",
            key=fields.key("generator"),
            placeholder=GENERATORS.placeholder,
        )
        fields.fault("generator")
        given |= {"generator": generator.strip()} if generator.strip() else {}
    return given


def candidate_fields(fields: Fields) -> Given:
    """Which neurons, which model, and what it is shown."""
    left, right = st.columns(2, gap="medium")
    with left:
        run = _run(fields)
        given = _of(run) | _layer(run, fields, every=False)
        given |= {"neurons": _neurons(run, given.get("layer"), fields)}
    with right:
        given |= {"vlm": _vlm(run, fields), "mode": _mode(fields)}
    return given | _layout(fields) | {"by": me().name}


def sae_fields(fields: Fields) -> Given:
    """Which layer, what kind of SAE and how large; below, those that were trained here."""
    left, right = st.columns(2, gap="medium")
    usual = SaePlan()
    with left:
        run = _run(fields)
        given = _of(run) | _layer(run, fields, every=False)
        out = st.text_input("Name of the SAE", key=fields.key("out"), placeholder="layer4-topk")
        fields.fault("out")
    with right:
        kind = st.selectbox(
            "Kind", list(SAE_KINDS), key=fields.key("kind"), format_func=SAE_KINDS.__getitem__
        )
        fields.fault("kind")
        given |= {"out": out.strip(), "kind": kind}
        given["latents"] = _number("Latents", 2, 1 << 20, usual.latents, "latents", fields)
        if kind in ("topk", "batchtopk"):
            given["active"] = _number("On at a position", 1, 1 << 20, usual.active, "active", fields)
        else:
            given["penalty"] = st.number_input(
                "Price of a latent that is on",
                1e-6,
                10.0,
                usual.penalty,
                key=fields.key("penalty"),
                format="%g",
            )
            fields.fault("penalty")
    with st.expander("More", icon=":material/tune:", expanded=any(name in fields.faults for name in MORE)):
        for column, (name, (label, most, value)) in zip(st.columns(2), MORE.items(), strict=True):
            with column:
                given[name] = _number(label, 1, most, value, name, fields)
    if trained := trained_saes():
        st.markdown("**Trained here**")
        st.dataframe(
            [
                {
                    "run": one.run,
                    "on": one.layer,
                    "explains": f"{100 * one.quality.explained:.1f} %",
                    "latents on at a position": round(one.quality.l0, 1),
                    "never on": f"{100 * one.quality.dead:.1f} %",
                    "opens as": one.spec,
                }
                for one in trained
            ],
            hide_index=True,
        )
    return given


def latents_fields(fields: Fields) -> Given:
    """Which run, which SAE on one of its layers, and the name of the new run."""
    left, right = st.columns(2, gap="medium")
    with left:
        run = _run(fields)
        here = [one.spec for one in trained_saes() if run is not None and one.run == run.name]
        sae = st.selectbox(
            "Sparse autoencoder",
            here,
            key=fields.key("sae"),
            accept_new_options=True,
            placeholder="Choose, or type layer4=saelens:/path/folder",
        )
        fields.fault("sae")
    with right:
        out = st.text_input("Name of the new run", key=fields.key("out"), placeholder="layer4-topk")
        fields.fault("out")
    return _of(run) | {"sae": (sae or "").strip(), "out": out.strip()}


def _number(label: str, least: int, most: int, value: int, name: str, fields: Fields) -> int:
    found = int(st.number_input(label, least, most, value, key=fields.key(name)))
    fields.fault(name)
    return found


def _run(fields: Fields) -> Run | None:
    names = run_names()
    wanted = one_of(st.query_params.to_dict(), "run", names, names[0]) if names else None
    name = st.selectbox("Run", names, names.index(wanted) if wanted else 0, key=fields.key("run"))
    try:
        run = None if name is None else named_explorer(name).run
    except CspError as error:
        wrong(str(error))
        return None
    fields.fault("run")
    return run


def _of(run: Run | None) -> dict[str, Any]:
    return {} if run is None else {"run": run.name}


def _layer(run: Run | None, fields: Fields, *, every: bool) -> dict[str, Any]:
    layers = [] if run is None else list(run.layers)
    options = [EVERY, *layers] if every else layers[::-1]
    layer = st.selectbox("Layer", options, key=fields.key("layer"))
    fields.fault("layer")
    return {} if layer is None or layer == EVERY else {"layer": layer}


def _neurons(run: Run | None, layer: str | None, fields: Fields) -> str:
    """The neurons as the job takes them: `all`, `0:200` or `3,17`."""
    count = 1 if run is None or layer is None else run.layer(layer).neurons
    which, how_many = st.columns([3, 2], vertical_alignment="bottom")
    with which:
        kind = st.segmented_control(
            f"Which of the {count:,} neurons",
            list(NEURONS),
            default="first",
            format_func=NEURONS.__getitem__,
            key=fields.key("which"),
            required=True,
        )
    with how_many:
        if kind == "first":
            number = st.number_input("How many", 1, count, min(20, count), key=fields.key("first"))
            text = f"0:{number}"
        elif kind == "these":
            text = st.text_input("Numbers", key=fields.key("these"), placeholder="3, 17, 40:60").replace(
                " ", ""
            )
        else:
            text = "all"
    fields.fault("neurons")
    return text


def _vlm(run: Run | None, fields: Fields) -> str:
    spec = st.selectbox(
        "Model",
        () if run is None else known_vlms(run),
        key=fields.key("vlm"),
        accept_new_options=True,
        placeholder=f"Choose, or type {VLMS.placeholder}",
        help=SPEC_HELP,
    )
    fields.fault("vlm")
    if spec and spec.startswith("openai:"):
        st.caption(
            "The pictures are sent to that server. Its key is read from this server's environment alone "
            "(CSP_VLM_API_KEY, or OPENAI_API_KEY for api.openai.com)."
        )
    return (spec or "").strip()


def _mode(fields: Fields) -> str:
    mode = st.segmented_control(
        "What it sees",
        list(MODES),
        default="contrastive",
        format_func=MODES.__getitem__,
        key=fields.key("mode"),
        help=MODES_HELP,
        required=True,
    )
    fields.fault("mode")
    return str(mode)


def _layout(fields: Fields) -> dict[str, int]:
    usual = Layout()
    asked = {
        "images": ("Pictures in a grid (k)", 1, 100, usual.images),
        "rows": ("Rows of a grid", 1, 100, usual.rows),
        "pixels": ("Pixels along its longer side", 16, 4096, usual.pixels),
        "seed": ("Seed", 0, 2**31 - 1, 0),
    }
    found: dict[str, int] = {}
    with st.expander("More", icon=":material/tune:", expanded=any(name in fields.faults for name in asked)):
        for column, (name, (label, least, most, value)) in zip(st.columns(4), asked.items(), strict=True):
            with column:
                found[name] = int(st.number_input(label, least, most, value, key=fields.key(name)))
                fields.fault(name)
    return found
