"""A run of a model that takes age and sex beside the picture: they reach it, then and later."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csp.errors import BadInputError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.work.attribution.predictions import try_picture, try_probe_image
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.index import index
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import run_target
from tests.work.tiny_world import index_spec

MODEL = "python:tests.world.beside_model:any"


def spec_of(world: Path, folder: Path, table: pd.DataFrame, out: str) -> Path:
    table.to_csv(folder / "images.csv", index=False)
    spec = index_spec(
        world,
        folder / out,
        model=MODEL,
        layers=["joined"],
        data=f"csv:{folder / 'images.csv'}",
        vocabulary=None,
    )
    return index(spec)


def with_beside(world: Path) -> pd.DataFrame:
    table = pd.read_csv(world / "images.csv")[["path", "label"]]
    table["path"] = [str(world / path) for path in table["path"]]
    table["age"] = [None if row % 8 == 0 else 20 + row for row in range(len(table))]
    table["sex"] = ["female" if row % 3 else "male" for row in range(len(table))]
    return table


def test_columns_reach_the_model(world: Path, tmp_path: Path) -> None:
    run = Run.open(spec_of(world, tmp_path, with_beside(world), "run"))
    age, sex = run.manifest.columns
    assert (age.name, age.choices, sex.choices) == ("age", (), ("female", "male"))
    assert any(f"there {age.default:g} enters" in note for note in run.manifest.notes)
    target, images = run_target(run), list(range(20))
    inputs = ModelInputs(run, target.model)
    batch = inputs.batch(images)
    again = target.on(inputs.beside(images)).model.run(batch, ["joined"])
    np.testing.assert_allclose(again.activations["joined"], run.layer_activations("joined")[:20], atol=1e-5)
    usual = target.model.run(batch, ["joined"]).activations["joined"]
    assert np.abs(usual - again.activations["joined"]).max() > 1e-3, "without them it sees something else"
    explorer = Explorer(run, ResultCache(tmp_path / "answers"))
    stored = try_probe_image(explorer, "joined", 5)
    row = run.images.iloc[5].to_dict()
    tried = try_picture(explorer, "joined", inputs._pictures.picture(5).image, row)
    np.testing.assert_allclose(tried.neurons["contribution"], stored.neurons["contribution"], atol=1e-4)
    assert dict(tried.prediction) == pytest.approx(dict(stored.prediction), abs=1e-5)


def test_a_dataset_without_them_is_refused(world: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="takes 'age' beside the picture"):
        spec_of(world, tmp_path, with_beside(world).drop(columns="age"), "run")
