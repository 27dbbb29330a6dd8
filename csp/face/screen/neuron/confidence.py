"""How sure is the first label? A strip of measured numbers, each with one line that says what it is."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from csp.face.screen.wording import percent, plain
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.views import NeuronView
from csp.work.metrics.registry import NUMBERS, label_numbers, neuron_numbers
from csp.work.metrics.results import causal_by_class, faithfulness, stable_labels, version
from csp.work.metrics.stability import LabelStability, label_stability
from csp.work.reliance.words import signed


def how_sure(explorer: Explorer, view: NeuronView) -> None:
    """The strip; nothing for a neuron without a label, or with one of what is lacking."""
    if view.neuron in explorer.stored_facets.absences(view.layer):
        return  # what is measured is of the best label of what is there, which is not in force
    labeler = explorer.stored_labels.first_labeler(view.layer)
    own = view.options == explorer.options()
    table, by_class, stable = _measured(explorer, explorer.run.fingerprint, view.layer, version(explorer))
    found = stable.get(view.neuron) if own else None
    if found is None:
        with st.spinner("Drawing its examples again …"):
            found = label_stability(explorer, view.layer, view.neuron, labeler, view.options)
    if found is None:
        return
    st.caption(_stability_line(found), help=NUMBERS["stability"].help)
    row: dict[Any, Any] = table.loc[view.neuron].to_dict()
    names = [
        name for name in (*(_of_label() if own else ()), *neuron_numbers()) if pd.notna(row.get(name, np.nan))
    ]
    if not names:
        st.caption(f"Not measured yet: run `csp evaluate {view.run} --metric simcorr` and `descriptive`.")
        return
    said = [NUMBERS[name] for name in names if NUMBERS[name].said]
    words = [f"{number.said} **{number.words(row[number.name])}**" for number in said]
    helps = [f"**{NUMBERS[name].title} {_full(name, row)}**: {NUMBERS[name].help}" for name in names]
    st.caption(" · ".join(words), help="\n\n".join([*helps, *_of_classes(by_class, view.neuron)]))


def _of_label() -> Iterator[str]:
    """Numbers of the label; they hold for the run's own parameters only. Stability has a line of its own."""
    return (name for name in label_numbers() if name != "stability")


def _full(name: str, row: Mapping[Any, float]) -> str:
    between = f" ({row[f'{name}_low']:z.2f} to {row[f'{name}_high']:.2f})" if NUMBERS[name].interval else ""
    return f"{row[name]:z.2f}{between}"


def _of_classes(by_class: pd.DataFrame, neuron: int) -> list[str]:
    """What each class loses or gains without the neuron, where that was measured."""
    if neuron not in by_class.index.get_level_values("neuron"):
        return []
    rows = by_class.loc[neuron]
    changes = [
        f"{plain(str(name))} {signed(row['causal_probability'], 3)}, on its examples "
        f"{signed(row['causal_examples'], 3)}"
        for name, row in rows.iterrows()
    ]
    return [f"**Change of each class with it switched off**: {'; '.join(changes)}."]


def _stability_line(found: LabelStability) -> str:
    share = f"stays the best in {percent(found.chance)} of draws of the examples"
    between = f"score {found.low:.3f} to {found.high:.3f}"
    if found.stable:
        return f"The label {share}; {between}."
    rival = f" *{plain(found.rival)}* takes its place most often." if found.rival else ""
    return f":orange-badge[Unstable] The label {share}; {between}.{rival}"


@st.cache_resource(max_entries=8, show_spinner=False)
def _measured(
    _explorer: Explorer, fingerprint: str, layer: str, version: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, LabelStability]]:
    """The numbers of a layer by neuron, what the causal check says of each class, and the stable labels."""
    numbers = faithfulness(_explorer, layer).set_index("neuron")
    return numbers, causal_by_class(_explorer, layer), stable_labels(_explorer, layer)
