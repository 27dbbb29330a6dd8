"""All that is known of one concept: pictures, every class, how good the model is with it off, for whom."""

from collections.abc import Mapping

import streamlit as st

from csp.face.screen.elements.components import Cell, Column, Row, row_table
from csp.face.screen.elements.thumbnails import thumbnail
from csp.face.screen.reliance.table import how_to_measure, marks
from csp.face.screen.url.state import put, ranges
from csp.face.screen.wording import counted, origin, plain, turned
from csp.keeping.run_folder.run import Run
from csp.work.labels.vocabulary import shown_name
from csp.work.reliance.numbers import HOW, BeforeAfter, OfClass
from csp.work.reliance.reliance import ConceptReliance, Reliance
from csp.work.reliance.words import (
    SENSITIVITY,
    SHOWN,
    SHOWS,
    SHOWS_NOT,
    checked,
    interval,
    left_on,
    points,
    sentence,
    signed,
)

ACROSS = 12


def concept_view(run: Run, found: Reliance) -> None:
    """The view of `?concept=...`: the one concept that was asked for."""
    st.button(
        "All concepts",
        icon=":material/arrow_back:",
        key="all-concepts",
        on_click=put,
        args=("concept", "", ("page",)),
    )
    if not found.concepts:
        for untested in found.untested:
            st.subheader(plain(untested.concept.name), anchor=False)
            st.info(f"How much the model leans on it is not known: {plain(untested.why)}.")
        how_to_measure(run)
        return
    one = found.concepts[0]
    st.subheader(plain(one.concept.name), anchor=False)
    badges = " · ".join(words for words, _, _ in marks(one))
    st.markdown(f"**{plain(sentence(one))}** {plain(badges)}.")
    _pictures(run, one)
    st.caption(
        f"{counted(one.numbers.neurons, 'neuron')} of {plain(', '.join(one.numbers.layers))}; "
        f"{plain(checked(one.concept))}. Labels: {plain(', '.join(one.concept.labels))}. "
        f"{SHOWN[one.numbers.shown]} Found {plain(HOW[one.numbers.how])}. {plain(left_on(one))}"
    )
    st.caption(plain(origin(one.provenance)))
    _ways(run, one)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Change of each class**, in points of 100")
        _classes(one)
    with right:
        st.markdown("**How good the model is**, as it is and with these neurons switched off")
        _quality(one)
    if one.subgroups is not None:
        st.markdown(
            f"**By {plain(shown_name(run, one.subgroups.column))}**: "
            f"change of {plain(one.numbers.most)}, in points of 100"
        )
        _subgroups(run, one)


def _pictures(run: Run, one: ConceptReliance) -> None:
    """The images that make its neurons fire most together."""
    with st.container(key="concept-pictures"):
        for column, image in zip(st.columns(ACROSS, gap="small"), one.numbers.pictures, strict=False):
            if (picture := thumbnail(run, image, "small")) is not None:
                column.image(picture, width="stretch")


def _ways(run: Run, one: ConceptReliance) -> None:
    """Its neurons, layer by layer, on the page of all neurons."""
    with st.container(horizontal=True):
        for layer in one.concept.layers:
            neurons = one.concept.of(layer)
            here = {"run": run.name, "layer": layer, "picked": ranges(neurons)}
            label = f"{counted(len(neurons), 'neuron')} of {plain(layer)}"
            st.page_link("pages/neurons.py", label=label, icon=":material/grid_view:", query_params=here)


def _classes(one: ConceptReliance) -> None:
    columns = [
        Column("Class"),
        Column(SHOWS, "On images that show the concept, with the 95 % interval"),
        Column(SHOWS_NOT, "On images that do not"),
        Column(
            "Other values",
            "With the neurons at their values of other images instead of their mean: where shown, where not",
        ),
        *(
            [
                Column(
                    "Whole layer",
                    "On images that show it, with everything in the layer that goes with it taken away, also "
                    "from neurons with other labels; the dataset's other attributes being equal",
                )
            ]
            if one.whole_layer
            else []
        ),
        Column(
            "Random",
            f"The middle 95 % of {one.numbers.classes[one.numbers.most].random.groups} groups of as many "
            "random neurons, on the images of the first number",
        ),
    ]
    rows = [
        Row(
            [
                ("text", name),
                ("lines", (points(told.main.change), f"{interval(told.main)}, n\u00a0=\u00a0{told.main.n}")),
                ("lines", (points(told.off.change), f"{interval(told.off)}, n\u00a0=\u00a0{told.off.n}")),
                ("text", f"{points(told.resampled_on.change)}, {points(told.resampled_off.change)}"),
                *([_erased(told)] if one.whole_layer else []),
                ("quiet", f"{points(told.random.low)} to {points(told.random.high)}"),
            ],
            strong=name == one.numbers.most,
        )
        for name, told in one.numbers.classes.items()
    ]
    row_table("Change of each class", columns, rows, key="concept-classes")


def _erased(told: OfClass) -> Cell:
    if told.erased is None:
        return "quiet", "–"
    return "lines", (points(told.erased.change), interval(told.erased))


def _quality(one: ConceptReliance) -> None:
    numbers, most = one.numbers, one.numbers.most
    measures: Mapping[str, tuple[BeforeAfter, str]] = {
        "Accuracy": (numbers.accuracy, "Share of images called rightly"),
        f"AUROC of {most}": (numbers.auroc[most], "0.5 is guessing, 1 is perfect"),
        f"{SENSITIVITY}, {most}": (
            numbers.sensitivity[most],
            "Share of its images found by the threshold that leaves 90 % of the others alone",
        ),
        "Calibration error": (numbers.calibration, "How far sureness and being right are apart; 0 is best"),
    }
    columns = [
        Column("Measure"),
        Column("As it is", numeric=True),
        Column("Switched off", "With the concept's neurons switched off", numeric=True),
        Column("Change", "95 % interval over images"),
        Column("Random", "The middle 95 % of random groups"),
    ]
    rows = [
        Row(
            [
                ("lines", (name, what)),
                ("text", _number(told.before)),
                ("text", _number(told.after)),
                ("quiet", _range(told.low, told.high)),
                ("quiet", _range(told.random_low, told.random_high)),
            ]
        )
        for name, (told, what) in measures.items()
    ]
    row_table("How good the model is", columns, rows, key="concept-quality")


def _subgroups(run: Run, one: ConceptReliance) -> None:
    assert one.subgroups is not None
    most = one.numbers.most
    columns = [
        Column(shown_name(run, one.subgroups.column).capitalize()),
        Column("Images", numeric=True),
        Column(SHOWS, "On images that show the concept, with the 95 % interval"),
        Column(SHOWS_NOT, "On images that do not"),
        Column("Accuracy", "As it is, and with its neurons switched off"),
        Column(""),
    ]
    rows = [
        Row(
            [
                ("text", group.name),
                ("text", f"{group.n:,}"),
                (
                    "lines",
                    (
                        points(told["with"].change),
                        f"{interval(told['with'])}, n\u00a0=\u00a0{told['with'].n}",
                    ),
                ),
                (
                    "lines",
                    (
                        points(told["without"].change),
                        f"{interval(told['without'])}, n\u00a0=\u00a0{told['without'].n}",
                    ),
                ),
                ("text", turned(_number(group.accuracy.before), _number(group.accuracy.after))),
                (
                    "badges",
                    [("few images", "quiet", "Fewer than 20 show it: not ranked")] if group.small else [],
                ),
            ]
        )
        for group in one.subgroups.groups
        for told in (group.classes[most],)
    ]
    row_table(f"By {shown_name(run, one.subgroups.column)}", columns, rows, key="concept-groups")
    apart = one.subgroups.difference
    if apart is not None:
        chance = "more than" if apart.more_than_chance else "no more than"
        st.caption(
            f"{plain(apart.most)} and {plain(apart.least)} are {100 * apart.apart:.1f} points apart, "
            f"{chance} groups drawn at random mostly are (up to {100 * apart.random_high:.1f})."
        )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _range(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{signed(low, 3)} to {signed(high, 3)}"
