"""Try an image with a model that asks for more than the picture."""

from pathlib import Path

import pandas as pd
import pytest

from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index
from tests.face.pages.test_pages import awaited, said
from tests.face.pages.test_try import opened, picture, uploaded
from tests.work.tiny_world import index_spec, make_world


@pytest.fixture
def beside(own_home: Path, tmp_path: Path) -> Run:
    """A run whose model takes age and sex."""
    world = make_world(tmp_path / "world")
    table = pd.read_csv(world / "images.csv")[["path", "label"]].iloc[-16:]
    table["age"], table["sex"] = [None, *range(20, 80, 4)], ["female", "male"] * 8
    table.to_csv(world / "images.csv", index=False)
    model = "python:tests.world.beside_model:any"
    return Run.open(index(index_spec(world, "beside", model=model, layers=["joined"], vocabulary=None)))  # type: ignore[arg-type]


def test_fields_are_filled_in_for_an_upload(beside: Run) -> None:
    told = said(opened("pages/try.py", run="beside", image="0"))
    assert "sex: female" in told
    assert "age is not known, so 48 enters" in told
    app = uploaded(opened("pages/try.py", run="beside"), "mine.jpg", picture())
    assert "age is not known" in said(app)
    before = [bar.value for bar in app.get("progress")]
    app.number_input(key="beside-age").set_value(400.0).run()
    app = awaited(app.selectbox(key="beside-sex").select("male").run())
    assert "not known" not in said(app)
    assert [bar.value for bar in app.get("progress")] != before
