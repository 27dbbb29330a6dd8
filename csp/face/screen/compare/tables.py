"""The table of what changed between two choices, changed first."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from csp.face.screen.elements.components import Badge, Cell, Column, Row, row_table
from csp.face.screen.elements.pager import chosen_page, pager
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.state.cached import neurons_of, reviewed
from csp.face.screen.url.links import neuron_link
from csp.face.screen.url.params import Params
from csp.face.screen.wording import counted, percent, plain, score
from csp.keeping.reviews.state import NeuronReview
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.compare import Comparison
from csp.work.neurons.counterparts import ALIKE
from csp.work.reviews.label_in_force import label_in_force

PAGE = 12
IMAGES = 3
SAME_HELP = (
    "Two labels are the same thing in other words when the encoder can hardly tell them apart (cosine 0.9)."
)
MATCHED = "Correlation of the two neurons' activations on the shared images; one to one"
PEOPLE = "The label in force where a person decided, and whose it is; the others are the machine's"


def changes_table(
    readers: Sequence[Explorer],
    layer: str,
    found: Comparison,
    names: tuple[str, str],
    methods: tuple[str, str],
    params: Params,
) -> None:
    """How many suggested labels changed, and a page of the table; a row opens its neuron in the first run.

    Labels compared are the machine's; what people decided in each of the runs stands beside them.
    """
    st.markdown(_headline(found, names), help=SAME_HELP)
    if found.images is not None:
        st.caption(_matched(found))
    page = chosen_page(params, len(found.frame), PAGE)
    people = [reader for reader in readers if _decided(reviewed(reader, layer))]
    rows = [
        _row(readers[0], layer, facts, methods, people, found.images)
        for _, facts in found.frame.iloc[page.rows].iterrows()
    ]
    said = [Column(_people(reader, readers), PEOPLE) for reader in people]
    other = [] if found.images is None else [Column(f"Fires most alike in {names[1]}", MATCHED)]
    columns = [
        Column("Neuron"),
        *other,
        Column("What makes it fire"),
        *map(Column, names),
        *said,
        Column("Changed?"),
    ]
    with st.container(key="changes"):
        row_table("Suggested labels", columns, rows, key="changes-table")
    pager(page)


def _headline(found: Comparison, names: tuple[str, str]) -> str:
    other = found.changed - found.reworded
    share = other / max(found.compared, 1)
    neurons = counted(found.compared, "neuron" if found.images is None else "matched neuron")
    verb = "has" if found.compared == 1 else "have"
    words = f"; {found.reworded:,} more only change the word" if found.reworded else ""
    return (
        f"**{other:,} of {neurons} ({percent(share)}) {verb} a label for something else** "
        f"under {plain(names[1])} than under {plain(names[0])}{words}. These come first."
    )


def _matched(found: Comparison) -> str:
    """That numbers do not tell here, and how well firing does."""
    alike, images = found.frame["alike"].median(), counted(found.images or 0, "shared image")
    return (
        "The two runs are not of the same weights, so equal numbers do not name the same neurons: each was "
        f"matched with the one that fires most like it on {images} (median "
        f"correlation {alike:.2f}). {found.compared:,} of {counted(len(found.frame), 'neuron')} have a "
        f"counterpart (correlation of at least {ALIKE})."
    )


def _counterpart(facts: pd.Series) -> Cell:
    if facts["neuron_b"] < 0:
        best = "" if pd.isna(facts["alike"]) else f", best correlation {facts['alike']:.2f}"
        return "quiet", f"no counterpart{best}"
    return "lines", (f"{facts['neuron_b']}", f"correlation {facts['alike']:.2f}")


def _badge(facts: pd.Series) -> list[Badge]:
    if facts["reworded"]:
        return [("another word", "quiet", "The two labels mean the same to the encoder")]
    return [("changed", "orange", "The suggested label is another one")] if facts["changed"] else []


def _row(
    explorer: Explorer,
    layer: str,
    facts: pd.Series,
    methods: tuple[str, str],
    people: Sequence[Explorer],
    matched: int | None,
) -> Row:
    neuron = int(facts["neuron"])
    images = neurons_of(explorer, layer).frame["top_images"].iloc[neuron][:IMAGES]
    cells: list[Cell] = [
        ("text", str(neuron)),
        *([] if matched is None else [_counterpart(facts)]),
        (
            "images",
            [
                {"src": source(explorer.run, image), "alt": f"Image {image}, of neuron {neuron}"}
                for image in images
            ],
        ),
        *(_label(facts, side, method) for side, method in zip("ab", methods, strict=True)),
        *(
            _persons(reviewed(reader, layer).get(neuron if reader is explorer else int(facts["neuron_b"])))
            for reader in people
        ),
        ("badges", _badge(facts)),
    ]
    href = neuron_link(explorer.run.name, layer, neuron)
    return Row(cells, href=href, hint=f"Opens neuron {neuron}")


def _label(facts: pd.Series, side: str, method: str) -> Cell:
    label = facts[f"label_{side}"]
    if not isinstance(label, str):
        return "quiet", "no label"
    return "lines", (label, f"{method} {score(float(facts[f'score_{side}']))}")


def _people(reader: Explorer, readers: Sequence[Explorer]) -> str:
    return "People say" if len(readers) == 1 else f"People say in run {reader.run.name}"


def _decided(states: Mapping[int, NeuronReview]) -> bool:
    return any(state.deciding is not None for state in states.values())


def _persons(state: NeuronReview | None) -> Cell:
    first = label_in_force(None, state)
    return ("quiet", "") if first.by is None else ("lines", (first.shown, first.words))
