"""What the encoder sees in the images of the run: measures beside what chance gives."""

import streamlit as st

from csp.face.screen.elements.components import Column, Row, row_table
from csp.face.screen.state.cached import sight_of
from csp.face.screen.wording import plain
from csp.method.sight import BesideChance
from csp.work.control.sight import Sight
from csp.work.explorer.explorer import Explorer
from csp.work.labels.vocabulary import shown_name

MANY = 0.7
"""Below this AUROC a thing is worth a note."""


def encoder_view(explorer: Explorer) -> None:
    """The measures, the most telling first."""
    sight = sight_of(explorer)
    if sight is None:
        st.caption("The run has no vocabulary, so the encoder was asked nothing.")
        return
    st.markdown(
        f"**How much the encoder sees here: {sight.share:.2f}** (0 is blind, 1 is all). "
        f"{plain(sight.sentence)}."
    )
    if sight.told:
        _told(explorer, sight)
    else:
        st.caption(
            "The dataset states nothing that a text of the vocabulary names, so this is a weak sign: an "
            "encoder that sees colours and nothing else would pass. Give `csp index` a table with "
            "columns of 0 and 1."
        )
    _untold(sight)


def _told(explorer: Explorer, sight: Sight) -> None:
    st.caption(
        "AUROC: how often a picture that shows the thing fits its texts better than one that does not."
    )
    columns = [
        Column("Stated by the dataset"),
        Column("AUROC", "0.5 is guessing, 1 is always right", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Pictures that show it", numeric=True),
        Column("Texts", "Of the vocabulary, that name this and nothing else", numeric=True),
        Column("Note"),
    ]
    rows = [
        Row(
            [
                ("text", shown_name(explorer.run, one.name)),
                ("text", f"{one.auroc:.2f}"),
                ("text", f"{one.low:.2f} to {one.high:.2f}"),
                ("text", f"{one.cases:,}"),
                ("text", f"{one.texts}"),
                ("quiet", "hardly seen" if one.auroc < MANY else ""),
            ]
        )
        for one in sorted(sight.told, key=lambda one: one.auroc)
    ]
    row_table("What the encoder tells", columns, rows, key="encoder-told")


def _untold(sight: Sight) -> None:
    st.caption("Without any truth: how far the cosines of pictures and texts differ.")
    columns = [
        Column("Measure"),
        Column("Here", numeric=True),
        Column(
            "By chance",
            "Texts along other directions; classes dealt out anew",
            numeric=True,
        ),
    ]
    rows = [
        _measure("Between pictures, of one text (standard deviation)", sight.between_images),
        _measure("Between texts, of one picture (standard deviation)", sight.between_texts),
    ]
    if sight.by_class is not None:
        rows.append(_measure("Share of the former that lies between classes", sight.by_class))
    if sight.fit is not None:
        rows.append(_measure("Suggested labels and the firing, beyond noise (median correlation)", sight.fit))
    row_table("How far cosines differ", columns, rows, key="encoder-untold")


def _measure(name: str, found: BesideChance | float) -> Row:
    if isinstance(found, float):
        return Row([("text", name), ("text", f"{found:z.3f}"), ("quiet", "")])
    chance = f"{found.chance:.3f}, up to {found.high:.3f}"
    return Row([("text", name), ("text", f"{found.value:.3f}"), ("text", chance)])
