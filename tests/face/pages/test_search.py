"""The search page: by words, by a picture, like a neuron; what it says when it can't."""

import re

import pytest

from csp.face.screen.search.found import SCORE
from csp.face.screen.wording import plain
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import open_explorer
from csp.work.neurons.search import parse_query
from csp.work.neurons.search_reviewed import search_reviewed
from tests.face.pages.test_pages import drawn, opened, said


@pytest.fixture
def tiny(tiny_run: Run) -> Run:
    """The tiny run where the pages find it."""
    return tiny_run


def titles(app_cards: list[dict[str, str]]) -> list[str]:
    return [card["title"] for card in app_cards]


def test_without_words_it_suggests_what_many_neurons_look_for(tiny: Run) -> None:
    app = opened("pages/search.py", run="tiny")
    assert not drawn(app, "cards")
    terms = next(group.options for group in app.button_group if group.key == "suggested")
    labels = [tiny.labels(layer) for layer in tiny.layers]
    firsts = {label for table in labels for label in table[table["rank"] == 1]["label"]}
    assert terms
    assert set(terms) <= {plain(label) for label in firsts}


def test_words_find_neurons_with_the_reason(tiny: Run) -> None:
    app = opened("pages/search.py", run="tiny", query="ruler marks, -hairs", layers="one", layer="late")
    (found,) = drawn(app, "cards")
    cards = found["cards"]
    assert cards[0]["title"] == "late · 0"
    assert cards[0]["line"].startswith("fits ruler marks")
    assert "against hairs" in cards[0]["line"]
    assert cards[0]["href"] == "neuron?run=tiny&layer=late&neuron=0"
    assert cards[0]["pictures"][0]["src"].startswith("data:image/webp;base64,")
    assert app.text_input(key="query").value == "ruler marks, -hairs"


def test_a_term_of_the_vocabulary_is_added_to_the_words(tiny: Run) -> None:
    app = opened("pages/search.py", run="tiny", query="ruler marks")
    app.selectbox(key="term").select("hairs").run()
    assert app.query_params["query"] in ("ruler marks, hairs", ["ruler marks, hairs"])
    (found,) = drawn(app, "cards")
    assert "hairs" in found["cards"][0]["line"]


def test_of_a_huge_vocabulary_terms_with_the_words_are_offered(
    tiny: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csp.face.screen.search.bar.MOST_TERMS", 2)
    box = opened("pages/search.py", run="tiny", query="-hairs, Ruler").selectbox(key="term")
    assert box.options == ["ruler marks", "a ruler"]
    assert box.label == f"Terms with “Ruler”: 2 of {len(tiny.vocabulary)}"
    box = opened("pages/search.py", run="tiny", query="no such words").selectbox(key="term")
    assert box.options == tiny.vocabulary["text"].tolist()[:2]


def test_words_that_need_the_encoder_say_so(tiny: Run) -> None:
    app = opened("pages/search.py", run="tiny", query="long ruler")
    assert "not in the vocabulary" in said(app)
    assert "a ruler" in said(app)
    assert "nothing to search for" in said(opened("pages/search.py", run="tiny", query="-hairs"))


def test_like_a_neuron_begins_with_itself(tiny: Run) -> None:
    app = opened("pages/search.py", run="tiny", by="neuron", layer="late", neuron="0")
    (found,) = drawn(app, "cards")
    assert titles(found["cards"])[0] == "late · 0"
    assert titles(found["cards"]).count("late · 0") == 1
    assert "never fires" in said(opened("pages/search.py", run="tiny", by="neuron", layer="late", neuron="2"))


def test_a_probe_picture_is_picked_and_searched_by(tiny: Run) -> None:
    (grid,) = drawn(opened("pages/search.py", run="tiny", by="picture"), "tiles")
    assert [tile["image"] for tile in grid["tiles"]] == list(range(12))
    app = opened("pages/search.py", run="tiny", by="picture", image="4")
    (found,) = drawn(app, "cards")
    assert "fires more strongly than on" in found["cards"][0]["line"]
    assert not drawn(app, "tiles")


@pytest.mark.parametrize(
    "wrong",
    [{"by": "smell"}, {"layers": "some"}, {"by": "neuron", "neuron": "x"}, {"by": "picture", "image": "40"}],
)
def test_a_wrong_address_leads_on(tiny: Run, wrong: dict[str, str]) -> None:
    app = opened("pages/search.py", run="tiny", **wrong)
    assert app.button(key="way-0")


def test_a_search_says_of_how_many_it_shows_the_first_and_the_address_holds_more(tiny: Run) -> None:
    address = {"run": "tiny", "by": "neuron", "layer": "late", "neuron": "0"}
    app = opened("pages/search.py", **address, most="3")
    (first,) = drawn(app, "cards")
    assert len(first["cards"]) == 3
    count = int(re.findall(r"3 of (\d+) neurons", said(app))[0])
    app.button(key="more").click().run()
    (everything,) = drawn(app, "cards")
    assert len(everything["cards"]) == count
    assert app.query_params["most"] in (str(count), [str(count)])
    assert "more" not in {button.key for button in app.button}
    app.number_input(key="neuron").set_value(1).run()
    assert "most" not in app.query_params


def test_a_search_that_finds_nothing_says_with_how_many_neurons_what_speaks_against_it(tiny: Run) -> None:
    words = said(opened("pages/search.py", run="tiny", query="bicycle"))
    found = re.findall(
        r"(no more than noise does|explains it much better|it looks for) \((\d+) neuron", words
    )
    assert {reason for reason, _ in found} >= {"no more than noise does", "explains it much better"}
    of_all = search_reviewed(open_explorer("tiny"), tiny.layers, parse_query("bicycle"), {}).in_all
    assert sum(int(count) for _, count in found) == of_all
    assert "at least 0.8 times as well" in SCORE, "the help says by how much"


def test_a_search_for_what_is_lacking_gives_its_own_reason(tiny: Run) -> None:
    words = said(opened("pages/search.py", run="tiny", query="no bicycle"))
    assert "No neuron was found that fires where this is lacking" in words and "noise" not in words
