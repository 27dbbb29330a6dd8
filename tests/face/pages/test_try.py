"""Try an image: picking, what the model says, the neurons behind it, uploads of every kind."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from csp.keeping.run_folder.run import Run
from tests.face.pages import test_pages
from tests.face.pages.test_pages import awaited, drawn, said
from tests.world.pictures.test_uploads import bomb


@pytest.fixture
def tiny(tiny_run: Run) -> Run:
    """The tiny run where the pages find it; its models are not here."""
    return tiny_run


def opened(page: str, /, **address: str) -> AppTest:
    """The page once all of it is there."""
    return awaited(test_pages.opened(page, **address))


def picture(**more: Any) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    Image.fromarray(noise).save(file, "JPEG", **more)
    return file.getvalue()


def uploaded(app: AppTest, name: str, data: bytes, kind: str = "image/jpeg") -> AppTest:
    app.file_uploader(key="upload").upload(name, data, kind).run()
    return awaited(app)


def test_probe_pictures_are_picked_by_class(tiny: Run) -> None:
    app = opened("pages/try.py", run="tiny", **{"class": "melanoma"})
    (grid,) = drawn(app, "tiles")
    rows = tiny.images[tiny.images["label"] == "melanoma"]
    assert [tile["image"] for tile in grid["tiles"]] == rows["image"].head(12).tolist()
    assert app.button(key="help")


def test_without_the_model_a_probe_image_shows_what_is_stored(tiny: Run) -> None:
    app = opened("pages/try.py", run="tiny", layer="late", image="7")
    assert f"The model says: {tiny.images['prediction'].iloc[7]}" in said(app)
    (found,) = drawn(app, "cards")
    assert "fires more strongly than on" in found["cards"][0]["line"]
    assert "target model" in said(app)
    assert "Speak" not in said(app)


def test_the_demo_tells_exact_contributions_and_where(own_home: object) -> None:
    app = opened("pages/try.py", run="demo", layer="layer4", image="12")
    (found,) = drawn(app, "cards")
    badges = [next(one for one in card["badges"] if " for " in one[0]) for card in found["cards"]]
    assert all(words.startswith("+") for words, _, _ in badges)
    assert badges[0][2].startswith("exact")
    assert found["cards"][0]["pictures"][0]["alt"].startswith("Where neuron")
    against = opened("pages/try.py", run="demo", layer="layer4", image="12", order="against")
    assert drawn(against, "cards")[0]["cards"][0]["badges"][0][0].startswith("−")


def test_an_upload_goes_through_the_model_and_away_again(own_home: object) -> None:
    exif = Image.Exif()
    exif[0x010E] = "PATIENT Jane Doe"
    app = uploaded(opened("pages/try.py", run="demo"), "mine.jpg", picture(exif=exif))
    assert "The model says" in said(app)
    assert "kept nowhere" in said(app)
    (warning,) = app.error
    assert "Do not rely on this prediction" in warning.value, "noise is no drawn lesion"
    assert "The model saw the middle 75 % of its width" in said(app)
    assert "held-out probe images with a label the model is right on" in said(app)
    assert "Jane" not in str(drawn(app, "cards"))
    app.button(key="another-picture").click().run()
    assert drawn(app, "tiles")
    assert "The model says" not in said(app)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("notes.jpg", b"not a picture", "not an image that can be read here: it is text"),
        ("bomb.png", bomb(10_000), "too large"),
        ("empty.png", b"", "empty"),
    ],
)
def test_an_upload_that_can_not_be_used_gets_a_sentence(
    tiny: Run, name: str, data: bytes, sentence: str
) -> None:
    app = uploaded(opened("pages/try.py", run="tiny"), name, data)
    assert sentence in said(app)
    assert drawn(app, "tiles")


def test_an_upload_without_the_model_says_what_is_missing(tiny: Run) -> None:
    app = uploaded(opened("pages/try.py", run="tiny"), "mine.jpg", picture())
    assert "target model" in said(app)


def test_a_wrong_address_leads_on(tiny: Run) -> None:
    assert opened("pages/try.py", run="tiny", image="99").button(key="way-0")
    assert opened("pages/try.py", run="tiny", image="3", order="size").button(key="way-0")
