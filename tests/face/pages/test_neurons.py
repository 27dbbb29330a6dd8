"""The neurons page: table, cards and map; search, chips, columns and order in the address; downloads."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.labels.chance import CHANCES
from csp.work.labels.stored import StoredLabels
from csp.work.neurons.map import draw_map
from csp.work.reviews.desk import Person, ReviewDesk
from tests.build import add_pushes
from tests.face.pages.test_pages import CONSTANT, NEVER, RULER, awaited, drawn, opened, said

CHANCE = (0.9, 0.1, 0.4, 0.6, 0.95, 0.8)
PAGE = "pages/neurons.py"
HAIRS = 1


def rows(app: AppTest) -> list[str]:
    """The numbers of the neurons in the table."""
    (table,) = drawn(app, "rows")
    return [row["cells"][0][1] for row in table["rows"]]


def cards(app: AppTest) -> list[str]:
    (grid,) = drawn(app, "cards")
    return [card["title"] for card in grid["cards"]]


def heads(app: AppTest) -> dict[str, dict[str, str]]:
    (table,) = drawn(app, "rows")
    return {column["name"]: column for column in table["columns"]}


def decide(run: Run, verdict: Action, neuron: int, label: str | None = None) -> None:
    with open_reviews() as reviews:
        desk = ReviewDesk(run, reviews)
        desk.record(Person(name="Ann"), Entry(layer="late", neuron=neuron, verdict=verdict, label=label))


def test_table_shows_pictures_label_push_and_notes(tiny_run: Run) -> None:
    add_pushes(tiny_run)
    app = opened(PAGE, run="tiny", layer="late", sort="number")
    assert rows(app) == ["0", "1", "2", "3", "4", "5"]
    (table,) = drawn(app, "rows")
    row = table["rows"][RULER]
    assert row["href"] == "neuron?run=tiny&layer=late&neuron=0"
    cells = dict(zip(heads(app), row["cells"], strict=True))
    assert cells["Fires most for"][1][0]["src"].startswith("data:image/webp;base64,")
    assert "ruler" in cells["The machine suggests"][1][0]
    towards, much = cells["Pushes towards"][1]
    assert towards in tiny_run.manifest.classes and re.fullmatch(r"\+\d\.\d\d", much), "as on other pages"
    first, under = cells["Ahead by"][1]
    assert float(first) > 0 and under.startswith("of ") and "ruler" not in under, "a synonym is no rival"
    never = dict(zip(heads(app), table["rows"][NEVER]["cells"], strict=True))
    assert never["Fires most for"] == ["images", []]
    assert "never fires" in [badge[0] for badge in never["Notes"][1]]


def test_what_was_not_measured_is_said_and_has_no_column(tiny_run: Run) -> None:
    app = opened(PAGE, run="tiny")
    assert "faithfulness and stability not measured yet" in said(app)
    assert not {"Stays best", "Faithful"} & set(heads(app))
    asked = opened(PAGE, run="tiny", columns="stability,review")
    assert list(heads(asked)) == ["Neuron", "Fires most for", "The machine suggests", "Stays best", "Review"]


def test_a_head_sorts_by_its_column_and_back(tiny_run: Run) -> None:
    app = opened(PAGE, run="tiny", q="", page="1")
    assert heads(app)["Doubts"]["sorted"] == "descending", "most doubtful first, unless asked otherwise"
    assert "sort=clear" in heads(app)["Doubts"]["href"] and "page" not in heads(app)["Doubts"]["href"]
    assert "sort=number" in heads(app)["Neuron"]["href"]
    back = opened(PAGE, run="tiny", sort="number-back")
    assert rows(back) == ["5", "4", "3", "2", "1", "0"]
    assert heads(back)["Neuron"]["sorted"] == "descending"


@pytest.mark.parametrize("order", ["doubt", "close", "score", "push", "often", "label", "unstable"])
def test_what_is_not_known_comes_last_whichever_way(tiny_run: Run, order: str) -> None:
    from csp.face.screen.atlas.orders import in_order, orders, two_orders
    from csp.keeping.home import result_cache_folder
    from csp.keeping.result_cache import ResultCache
    from csp.work.explorer.explorer import Explorer
    from csp.work.neurons.rows import machine_rows

    frame = machine_rows(Explorer(tiny_run, ResultCache(result_cache_folder())), "late").frame
    column = orders()[order].column
    for one in two_orders(column):
        values = in_order(frame, one)[column]
        known = values.dropna().tolist()
        assert values.isna().tolist() == sorted(values.isna().tolist())
        assert known == sorted(known, reverse=not orders()[one].ascending)


def test_search_finds_labels_classes_and_numbers(tiny_run: Run) -> None:
    add_pushes(tiny_run)
    found = opened(PAGE, run="tiny", q="RULER")
    (table,) = drawn(found, "rows")
    assert table["rows"] and all("ruler" in " ".join(row["cells"][2][1]) for row in table["rows"])
    assert rows(opened(PAGE, run="tiny", q="3")) == ["3"]
    by_class = opened(PAGE, run="tiny", q="melanoma", columns="push")
    (table,) = drawn(by_class, "rows")
    assert all("melanoma" in (*row["cells"][2][1], *row["cells"][3][1]) for row in table["rows"])
    nothing = opened(PAGE, run="tiny", q="no such label")
    assert "No neuron fits" in said(nothing)
    assert "Search by meaning" in [link.proto.label for link in nothing.get("page_link")]


def test_search_by_spelling_finds_the_artefact_that_a_label_names_in_other_words(own_home: Path) -> None:
    (table,) = drawn(opened(PAGE, run="demo", layer="layer4", q="Ruler", columns="notes"), "rows")
    labels = [row["cells"][2][1][0] for row in table["rows"]]
    assert any("ruler" not in label for label in labels), "found by what it names, not by how it is spelled"
    marked = [[badge[0] for badge in row["cells"][3][1]] for row in table["rows"]]
    assert all(
        "ruler" in label or "ruler marks" in badges for label, badges in zip(labels, marked, strict=True)
    )


def test_chips_any_within_a_group_all_over_groups(tiny_run: Run) -> None:
    assert rows(opened(PAGE, run="tiny", layer="late", sort="number", only="never-fires")) == ["2", "4"]
    app = opened(PAGE, run="tiny", layer="late", sort="number", only="never-fires,constant")
    assert rows(app) == ["2", str(CONSTANT), "4"]
    both = opened(PAGE, run="tiny", layer="late", only="never-fires,unreviewed")
    assert set(rows(both)) <= {"2", "4"}
    app.pills(key="only").set_value(["constant"]).run()
    assert app.query_params["only"] == "constant"
    assert rows(app) == [str(CONSTANT)]
    app.pills(key="only").set_value([]).run()
    assert "only" not in app.query_params
    assert len(rows(app)) == 6


def test_doubtful_is_what_is_less_likely_than_the_address_says(tiny_run: Run) -> None:
    firsts = StoredLabels(tiny_run).first_labels("late")
    rated = [("late", n, label, chance) for (n, label), chance in zip(firsts.items(), CHANCE, strict=True)]
    Additions(tiny_run).append(CHANCES, pd.DataFrame(rated, columns=["layer", "neuron", "label", "chance"]))
    numbers = list(firsts)
    app = opened(PAGE, run="tiny", layer="late", only="doubtful")
    assert rows(app) == [str(numbers[1]), str(numbers[2])], "the least likely first"
    assert app.selectbox(key="under").value == 0.5
    app.selectbox(key="under").set_value(0.7).run()
    assert app.query_params["under"] in ("0.7", ["0.7"])
    assert rows(app) == [str(numbers[1]), str(numbers[2]), str(numbers[3])]
    (grid,) = drawn(opened(PAGE, run="tiny", layer="late", view="cards", only="doubtful"), "cards")
    assert len(grid["cards"]) == 2


def test_a_persons_label_stands_first_and_says_so(tiny_run: Run) -> None:
    decide(tiny_run, Action.OVERRIDE, RULER, "ink <b>&")
    decide(tiny_run, Action.REJECT, HAIRS)
    app = opened(PAGE, run="tiny", layer="late", sort="number")
    (table,) = drawn(app, "rows")
    label, under = table["rows"][RULER]["cells"][2][1]
    assert label == "ink <b>&"
    assert under.startswith("written by Ann (name not checked); the machine suggests")
    assert table["rows"][HAIRS]["cells"][2][1][0] == "no label fits"
    assert table["rows"][NEVER]["cells"][2][1] == ["nothing fits", "the nearest is ruler marks"]
    assert "Label" in heads(app)
    assert rows(opened(PAGE, run="tiny", layer="late", only="override")) == [str(RULER)]
    assert str(RULER) not in rows(opened(PAGE, run="tiny", layer="late", only="unreviewed"))


def test_cards_show_four_pictures_and_open_the_neuron(tiny_run: Run) -> None:
    app = opened(PAGE, run="tiny", layer="late", view="cards", sort="number")
    (grid,) = drawn(app, "cards")
    assert [card["title"] for card in grid["cards"]] == ["0", "1", "2", "3", "4", "5"]
    assert len(grid["cards"][RULER]["pictures"]) == 4
    assert all(picture["alt"] for picture in grid["cards"][RULER]["pictures"])
    assert grid["cards"][RULER]["href"].endswith("neuron=0")
    assert grid["cards"][NEVER]["pictures"] == []


def test_the_map_is_drawn_when_asked_then_lists_what_is_picked(tiny_run: Run) -> None:
    app = opened(PAGE, run="tiny", layer="late", view="map")
    assert "has not been drawn yet" in said(app)
    assert app.button(key="draw-map").label == "Draw the map"
    awaited(app.button(key="draw-map").click().run())
    (chart,) = app.get("plotly_chart")
    points = [
        point for trace in json.loads(chart.proto.spec)["data"] for point in trace.get("customdata", [])
    ]
    assert sorted(neuron for [neuron] in points) == [0, 1, 3, 5]
    assert "too few for UMAP" in said(app)
    assert "2 without a concept vector" in said(app)
    picked = opened(PAGE, run="tiny", layer="late", view="map", picked="0-1.5", sort="number")
    assert cards(picked) == ["0", "1", "5"]
    picked.button(key="unpick").click().run()
    assert "picked" not in picked.query_params
    assert len(cards(picked)) == 6


@pytest.mark.parametrize("colour", ["push", "faithful", "stability", "doubt", "review", "state"])
def test_every_colour_of_the_map_can_be_drawn(tiny_run: Run, colour: str) -> None:
    draw_map(tiny_run, ["late"])
    decide(tiny_run, Action.CONFIRM, RULER)
    app = opened(PAGE, run="tiny", layer="late", view="map", colour=colour)
    assert len(app.get("plotly_chart")) == 1
    assert ("was not measured" in said(app)) == (colour in ("push", "faithful", "stability"))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"sort": "beauty"}, "asks for sort 'beauty', which there is not"),
        ({"only": "never-fires,odd"}, "asks for only 'odd', which there is not"),
        ({"columns": "colour"}, "asks for columns 'colour', which there is not"),
        ({"view": "film"}, "asks for view 'film', which there is not"),
        ({"colour": "red"}, "asks for colour 'red', which there is not"),
        ({"picked": "3-99"}, "from 0 to 5"),
        ({"picked": "5-3"}, "from 0 to 5"),
        ({"picked": "<b>"}, "from 0 to 5"),
        ({"page": "2"}, "from 1 to 1"),
    ],
)
def test_an_address_that_asks_for_nothing_real(tiny_run: Run, address: dict[str, str], words: str) -> None:
    app = opened(PAGE, run="tiny", **address)
    assert words in app.warning[0].value.replace("\\", "")
    app.button(key="way-0").click().run()
    assert not app.warning


def test_each_format_can_be_downloaded(tiny_run: Run) -> None:
    app = opened(PAGE, run="tiny", layer="late")
    assert [button.label for button in app.get("download_button")] == ["CSV", "JSON", "Parquet"]


def test_ranges_of_neurons_are_read_back_as_written() -> None:
    from csp.face.screen.url.params import whole_numbers
    from csp.face.screen.url.state import ranges

    for chosen in ({3}, {0, 1, 2, 7, 9, 10}, set(range(2048)), {0, 2047}):
        assert whole_numbers({"picked": ranges(chosen)}, "picked", 2047) == chosen
    assert ranges([]) == ""
    assert whole_numbers({}, "picked", 2047) is None


def test_what_was_found_is_judged_after_one_question_and_kept_as_a_link(tiny_run: Run) -> None:
    app = opened(PAGE, run="tiny", layer="late", picked="0-1", sort="number")
    app.radio(key="bulk-act").set_value(Action.UNSURE).run()
    app.button(key="bulk-ask").click().run()
    assert "2 neurons" in said(app)
    app.button(key="bulk-record").click().run()
    with open_reviews() as reviews:
        events = ReviewDesk(tiny_run, reviews).events()
    assert [(one.neuron, one.verdict) for one in events] == [(0, Action.UNSURE), (1, Action.UNSURE)]
    assert "2 events recorded" in said(app)
    kept = opened(PAGE, run="tiny", layer="late", q="ruler", sort="number")
    listed = rows(kept)
    kept.button(key="bulk-keep").click().run()
    assert "q" not in kept.query_params
    picked = kept.query_params["picked"]
    assert rows(opened(PAGE, run="tiny", layer="late", sort="number", picked=picked)) == listed
