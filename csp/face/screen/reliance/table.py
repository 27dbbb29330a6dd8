"""The concepts of a run, the one that changes the model's answers most first."""

import json
from collections.abc import Sequence

import streamlit as st

from csp.face.screen.elements.components import Badge, Cell, Column, Row, row_table
from csp.face.screen.elements.thumbnails import source
from csp.face.screen.page.deeds import asked_when_pressed
from csp.face.screen.url.links import link
from csp.face.screen.url.params import Params
from csp.face.screen.wording import counted, origin, plain
from csp.keeping.run_folder.run import Run
from csp.work.jobs.kinds.reliance import KIND
from csp.work.labels.vocabulary import shown_name
from csp.work.provenance import freshest
from csp.work.reliance.document import document
from csp.work.reliance.numbers import ByColumn
from csp.work.reliance.reliance import ConceptReliance, Reliance
from csp.work.reliance.words import (
    SHOWS,
    SHOWS_NOT,
    VERDICTS,
    checked,
    differing,
    interval,
    left_on,
    points,
    sentence,
    summary,
    verdict,
)

IMAGES = 5
HOW = (
    "Neurons whose label means the same are switched off together (held at their mean), and the model's "
    "answers on held-out images are compared. Without running the model only those that its last layer reads "
    "can be: each row says how many. Points are chances in 100."
)


def headline(found: Reliance) -> None:
    """What the model leans on in one sentence, and how that was found."""
    with st.container(key="reliance-summary", gap="xxsmall"):
        st.markdown(f"**{plain(summary(found))}**")
        if found.concepts:
            st.caption(HOW)
        if differ := differing(found):
            st.markdown(plain(differ))


def reliance_table(run: Run, found: Reliance, params: Params) -> None:
    """One row a concept; a click opens all that is known of it."""
    if not found.concepts:
        return
    by = next((one.subgroups.column for one in found.concepts if one.subgroups), None)
    columns = [
        Column("Concept", "Labels that mean the same, and who checked them"),
        Column("What makes its neurons fire"),
        Column("Its neurons switched off"),
        Column(SHOWS, "Change of this class there, in points, and its 95 % interval"),
        Column(SHOWS_NOT, "The same change there"),
        Column("Random", "The same change for many groups of as many random neurons: the middle 95 %"),
        *(
            [
                Column(
                    f"By {shown_name(run, by)}", "The change in each group; in small groups it is not ranked"
                )
            ]
            if by
            else []
        ),
        Column(""),
    ]
    kept = {name: value for name, value in params.items() if name != "page"}  # of another concept
    rows = [_row(run, one, {**kept, "run": run.name}) for one in found.concepts]
    with st.container(key="reliance-table"):
        row_table("What the model leans on", columns, rows, key="concepts")
    st.caption(plain(origin(freshest(*(one.provenance for one in found.concepts)))))


def download(run: Run, found: Reliance) -> None:
    """All numbers as one JSON document, as `csp reliance --json` prints it."""
    st.download_button(
        "Download as JSON",
        asked_when_pressed(lambda: json.dumps(document(run, found), indent=1).encode()),
        file_name=f"{run.name}-reliance.json",
        mime="application/json",
        icon=":material/download:",
        key="reliance-json",
        on_click="ignore",
    )


def untested(run: Run, found: Reliance) -> None:
    """Concepts without a number, or with neurons that stayed on, each with why."""
    partly = [(one.concept.name, left_on(one)) for one in found.concepts if one.left_on]
    named = [(one.concept.name, f"{one.why}.") for one in found.untested]
    if not named and not partly:
        return
    parts = [f"{len(rows)} {words}" for rows, words in ((named, "not tested"), (partly, "in part")) if rows]
    with st.expander(f"Concepts switched off by halves or not at all: {', '.join(parts)}"):
        st.markdown("\n".join(f"- **{plain(name)}**: {plain(why)}" for name, why in (*named, *partly)))
        how_to_measure(run)


def how_to_measure(run: Run) -> None:
    """What measures a concept that the run alone can't switch off."""
    st.caption(
        f"`csp reliance {plain(run.name)} --model` measures such concepts whole, or a job on the page Runs: "
        f"{plain(KIND.words)}. It runs the model 22 times on up to 200 images for each concept."
    )


def _row(run: Run, one: ConceptReliance, params: dict[str, str]) -> Row:
    numbers = one.numbers
    told = numbers.classes[numbers.most]
    pictures = [{"src": source(run, image), "alt": f"image {image}"} for image in numbers.pictures[:IMAGES]]
    random = told.random
    parted: list[Cell] = [("lines", _groups(one.subgroups, numbers.most))] if one.subgroups else []
    cells: list[Cell] = [
        ("text", one.concept.name),
        ("images", pictures),
        ("lines", (sentence(one), f"{counted(numbers.neurons, 'neuron')}; {checked(one.concept)}")),
        ("lines", (points(told.main.change), interval(told.main))),
        ("quiet", points(told.off.change)),
        ("quiet", "–" if random.low is None else f"{points(random.low)} to {points(random.high)}"),
        *parted,
        ("badges", marks(one)),
    ]
    return Row(cells, href=link("reliance", **{**params, "concept": one.concept.name}), strong=one.leans)


def marks(one: ConceptReliance) -> Sequence[Badge]:
    """Whether the model leans on it, and whether it is the lesion."""
    told = verdict(one)
    found: list[Badge] = [
        (
            VERDICTS[told],
            "orange" if told == "leans" and one.concept.beside else "blue" if told == "leans" else "quiet",
            "",
        )
    ]
    if one.elsewhere:
        found.append(
            (
                "other neurons carry it",
                "orange" if one.concept.beside else "blue",
                "These neurons hardly matter, but all that goes with it in the layer does: see Whole layer",
            )
        )
    if one.concept.beside:
        found.append(("not the lesion", "quiet", "An artefact, or the skin around the lesion"))
    if not one.concept.checked:
        found.append(
            ("not checked", "quiet", "Nobody decided on any of its labels: it rests on the machine's")
        )
    return found


def _groups(parted: ByColumn, name: str) -> tuple[str, str]:
    """The groups where it matters most and least, or that they can't be ranked."""
    if parted.difference is None:
        return "too few images", "fewer than 20 show it in each group but one"
    changes = {group.name: group.classes[name]["with"].change for group in parted.groups}
    apart = parted.difference
    words = f"{apart.least} {points(changes[apart.least])}, {apart.most} {points(changes[apart.most])}"
    chance = "more than chance" if apart.more_than_chance else "no more than chance"
    return words, f"{100 * apart.apart:.1f} apart: {chance}"
