"""A person's label comes first on pages that look neurons up, with whose it is and the machine's."""

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st

from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.reviews.desk import Person, ReviewDesk
from tests.build import add_pushes
from tests.face.pages.test_pages import RULER, awaited, drawn, opened, said

OWN = "crayon <b>&"
WHOSE = "written by Ann (name not checked); the machine suggests"


@pytest.fixture
def tiny(tiny_run: Run) -> Iterator[Run]:
    """The tiny run, one neuron of which Ann gave words of her own; caches know of no other record."""
    st.cache_resource.clear()
    with open_reviews() as reviews:
        own = Entry(layer="late", neuron=RULER, verdict=Action.OVERRIDE, label=OWN)
        ReviewDesk(tiny_run, reviews).record(Person(name="Ann"), own)
    yield tiny_run
    st.cache_resource.clear()


def card_of(cards: list[dict[str, Any]], neuron: int) -> dict[str, Any]:
    ends = f"neuron={neuron}"
    return next(card for grid in cards for card in grid["cards"] if card["href"].endswith(ends))


def first_label(run: Run, neuron: int) -> str:
    labels = run.labels("late")
    chosen = labels.query(f"neuron == {neuron} and labeler == 'csp' and rank == 1")
    return str(chosen["label"].item())


def test_search_shows_it_first(tiny: Run) -> None:
    cards = drawn(opened("pages/search.py", run="tiny", query="crayon", layers="one", layer="late"), "cards")
    card = card_of(cards, RULER)
    assert card["label"] == OWN
    assert card["whose"] == f"{WHOSE} {first_label(tiny, RULER)}"
    assert {other["whose"] for other in cards[0]["cards"] if other is not card} <= {""}


def test_search_finds_by_a_persons_own_words_without_a_model(tiny: Run) -> None:
    app = opened("pages/search.py", run="tiny", query="Crayon")
    (found,) = drawn(app, "cards")
    assert [card["label"] for card in found["cards"]] == [OWN]
    assert found["cards"][0]["line"] == "a person's label"
    assert "people's labels only" in said(app)
    none = opened("pages/search.py", run="tiny", query="Crayon, -<B>")
    assert not drawn(none, "cards")


def test_classes_show_it_first(tiny: Run) -> None:
    add_pushes(tiny)
    app = opened("pages/classes.py", run="tiny", layer="late")
    card = card_of(drawn(app, "cards"), RULER)
    assert (card["label"], card["whose"].startswith(WHOSE)) == (OWN, True)


def test_try_shows_it_first(tiny: Run) -> None:
    app = awaited(opened("pages/try.py", run="tiny", layer="late", image="7"))
    card = card_of(drawn(app, "cards"), RULER)
    assert (card["label"], card["whose"].startswith(WHOSE)) == (OWN, True)


def test_two_neurons_are_compared_by_it(tiny: Run) -> None:
    text = said(opened("pages/compare.py", run="tiny", layer="late", a="0", b="1"))
    assert OWN in text
    assert f"{WHOSE} {first_label(tiny, RULER)}" in text


@pytest.mark.parametrize(
    ("address", "head"),
    [
        ({"what": "labelers", "a": "csp", "b": "clip-dissect"}, "People say"),
        ({"what": "runs", "a": "tiny", "b": "tiny"}, "People say"),
    ],
)
def test_tables_of_changes_show_it_beside_the_machines(tiny: Run, address: dict[str, str], head: str) -> None:
    (table,) = drawn(opened("pages/compare.py", run="tiny", layer="late", **address), "rows")
    place = [column["name"] for column in table["columns"]].index(head)
    cells = {row["cells"][0][1]: row["cells"] for row in table["rows"]}
    assert cells[str(RULER)][place] == ["lines", [OWN, "written by Ann (name not checked)"]]
    assert cells[str(RULER)][2][1][0] == first_label(tiny, RULER)
    assert cells["1"][place] == ["quiet", ""]
