"""The page *What it leans on*."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from csp.keeping.run_folder.run import Run
from tests.face.pages.test_pages import awaited, drawn, opened, said

PAGE = "pages/reliance.py"


def table(app: AppTest, title: str) -> list[list[object]]:
    """The cells of one of our tables, each its kind and value."""
    return [row["cells"] for each in drawn(app, "rows") if each["title"] == title for row in each["rows"]]


def test_what_the_demo_leans_on_stands_first_and_in_words(own_home: Path) -> None:
    app = awaited(opened(PAGE, run="demo", page="9"))  # a page of another list
    assert "This model leans on: " in said(app)
    rows = table(app, "What the model leans on")
    names = [row[0][1] for row in rows]
    assert "sticker" in said(app).partition("not the lesion: ")[2].partition(".")[0]
    assert names.index("sticker") < names.index("dark corners")
    words = rows[names.index("sticker")][2][1][0]
    assert "in 100 on images that show sticker" in words
    assert "with as many random ones off" in words


def test_one_concept_opens_by_its_address_with_every_class_and_group(own_home: Path) -> None:
    app = awaited(opened(PAGE, run="demo", concept="sticker", by="dark_skin"))
    assert [row[0][1] for row in table(app, "Change of each class")] == [
        "melanoma",
        "nevus",
        "benign keratosis",
        "basal cell carcinoma",
    ]
    assert table(app, "How good the model is")[0][0][1][0] == "Accuracy"
    assert [row[0][1] for row in table(app, "By dark skin")] == ["no", "yes"]
    assert "nobody checked its labels" in said(app)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"concept": "a violin"}, "No neuron's label means 'a violin'"),
        ({"by": "violin"}, "by 'violin', which there is not"),
    ],
)
def test_an_address_of_what_is_not_there_is_said(own_home: Path, address: dict[str, str], words: str) -> None:
    assert words in said(awaited(opened(PAGE, run="demo", **address)))


def test_what_cannot_be_measured_is_named(tiny_run: Run) -> None:
    """The answers of the tiny run rest on nothing that its layers hold."""
    app = awaited(opened(PAGE, run="tiny"))
    assert "no linear layer follows the layers of this run" in said(app)
    assert not table(app, "What the model leans on")
