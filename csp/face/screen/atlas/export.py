"""Downloads of the neurons that the page shows."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from csp.face.screen.page.deeds import asked_when_pressed
from csp.face.screen.wording import counted
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.export import FORMATS, export_table
from csp.work.neurons.rows import NeuronRows

MIME = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}


def export_menu(explorer: Explorer, rows: NeuronRows, found: pd.DataFrame) -> None:
    """A button for each format; a file is made when its button is pressed, of all leaves, in their order."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        st.caption(f"The {counted(len(found), 'neuron')} found, in this order, with all columns.")
        for name in FORMATS:
            st.download_button(
                name.upper() if name != "parquet" else "Parquet",
                asked_when_pressed(_maker(explorer, rows, found, name)),
                file_name=f"{explorer.run.name}-{rows.layer}-neurons.{name}",
                mime=MIME[name],
                key=f"export-{name}",
                on_click="ignore",
            )


def _maker(explorer: Explorer, rows: NeuronRows, found: pd.DataFrame, name: str) -> Callable[[], bytes]:
    return lambda: FORMATS[name](export_table(explorer, rows, found))
