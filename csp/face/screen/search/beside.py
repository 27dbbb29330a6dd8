"""What the model takes beside the picture: told of a probe image, filled in for a picture of one's own."""

from dataclasses import replace

import streamlit as st

from csp.face.screen.elements.picture_picker import Chosen
from csp.face.screen.wording import plain
from csp.keeping.run_folder.run import Run
from csp.work.models.probe_images import ProbeImages
from csp.work.models.reopen import run_columns
from csp.work.subgroups import in_words
from csp.world.protocols.columns import Beside, Column, lacking, told, value_of


def with_beside(run: Run, chosen: Chosen) -> Chosen:
    """The chosen picture with what stands beside it; draws a field for each value of an upload."""
    columns = run_columns(run)
    if not columns:
        return chosen
    with st.container(key="beside", gap="xsmall"):
        if chosen.upload is None:
            beside = ProbeImages(run).beside([chosen.image or 0])[0]
            _tell(columns, beside)
            return chosen
        st.markdown("**The model also asks**")
        beside = {one.name: _field(one) for one in columns}
        _tell(lacking(columns, beside), beside)
    upload = replace(chosen.upload, beside=beside)
    return replace(chosen, upload=upload, token=f"{chosen.token} {sorted(beside.items())}")


def _field(column: Column) -> object:
    """The value that the person fills in; None while the field is empty."""
    key, empty = f"beside-{column.name}", f"not known: {told(column.default)}"
    name = plain(in_words(column.name).capitalize())
    if column.choices:
        return st.selectbox(name, column.choices, None, key=key, placeholder=empty)
    return st.number_input(name, value=None, step=1.0, format="%g", key=key, placeholder=empty)


def _tell(columns: tuple[Column, ...], beside: Beside) -> None:
    """What the model is told of the picture, and what enters where nobody knows."""
    missing = lacking(columns, beside)
    said = [f"{in_words(one.name)}: {told(value_of(one, beside))}" for one in columns if one not in missing]
    said += [f"{in_words(one.name)} is not known, so {told(one.default)} enters" for one in missing]
    if said:
        st.caption(plain(f"Beside the picture · {' · '.join(said)}"))
