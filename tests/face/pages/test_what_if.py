"""Concepts switched off on a page: of one picture, of all, and for good."""

from pathlib import Path

from csp.keeping.jobs import all_jobs
from csp.work.explorer.explorer import open_explorer
from csp.work.reliance.concepts import concepts, find_concept, shown
from csp.work.reliance.heads import behind_head
from csp.work.reliance.what_if import Flips, flips
from tests.face.pages.test_pages import awaited, drawn, opened, said


def of_the_demo() -> Flips:
    explorer = open_explorer("demo")
    seen, sticker = behind_head(explorer.run), find_concept(concepts(explorer, {}), "sticker")
    assert seen is not None
    return flips(explorer.run, seen, sticker.of(seen.layer), shown(explorer.run, sticker))


def test_switching_the_sticker_off_moves_the_prediction_and_the_address(own_home: Path) -> None:
    flip = of_the_demo().images[0]
    app = awaited(opened("pages/try.py", run="demo", layer="layer4", image=str(flip.image)))
    assert f"The model says: {flip.before}" in said(app)
    assert "It would" not in said(app)
    assert app.toggle(key="sees-sticker").value is True
    app.toggle(key="sees-sticker").set_value(False).run()
    awaited(app)
    assert app.query_params["off"] == "sticker"
    assert f"It would say {flip.after}" in said(app)
    app.toggle(key="sees-sticker").set_value(True).run()
    awaited(app)
    assert "off" not in app.query_params
    assert "It would" not in said(app)


def test_decisions_that_rest_on_it_are_shown(own_home: Path) -> None:
    app = awaited(opened("pages/reliance.py", run="demo", concept="sticker"))
    found = of_the_demo()
    flipped = f"**{found.called.total()}** would be called something else"
    assert f"of {found.looked_at:,} images of the run that show it, {flipped}" in said(app)
    cards = next(each["cards"] for each in drawn(app, "cards"))
    assert [card["title"] for card in cards] == [str(one.image) for one in found.images[: len(cards)]]
    assert f"image={found.images[0].image}&off=sticker" in cards[0]["href"]


def test_what_the_model_is_worth_without_it_is_told_before_it_is_written(own_home: Path) -> None:
    address = {"without": "sticker", "mend-by": "dark_skin", "mend-of": "nevus"}
    app = awaited(opened("pages/reliance.py", run="demo", **address))
    table = drawn(app, "rows")[-1]
    assert [row["cells"][0][1] for row in table["rows"]] == ["no", "yes", "all images"]
    assert " → " in table["rows"][-1]["cells"][2][1][0]
    assert app.button(key="mend-write").label == "Write the mended model"
    assert not list(all_jobs())
