"""The comparison of ways to label: on the demo, and with stand-ins for the shipped configurations."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from csp.errors import BadInputError, NotFoundError
from csp.keeping.bundle import BUNDLE
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.candidates.ask import generate
from csp.work.candidates.tables import CandidateRequest as Ask
from csp.work.explorer.explorer import open_explorer
from csp.work.metrics.experiment import (
    Experiment,
    ExperimentResults,
    Way,
    as_json,
    read_experiment,
    run_experiment,
    write_markdown,
)
from csp.work.metrics.results import FAITHFULNESS
from csp.world.vlms.prompts import GRIDS
from tests.work.tiny_world import index_spec
from tests.world.misbehaving import serving, tells
from tests.world.tiny_pipeline import save_pipeline

EXAMPLES = BUNDLE / "examples"
TINY = Experiment(
    run="tiny",
    layers=("late",),
    neurons=6,
    ways=(Way(name="CSP"), Way(name="CSP, half", gamma=0.5), Way(name="plain", labeler="semanticlens")),
    metrics=("ground-truth", "simcorr"),
)


@pytest.fixture(autouse=True)
def home(own_home: Path) -> Path:
    return own_home


def test_ways_are_compared_on_the_same_neurons(tiny_run: Run) -> None:
    found = run_experiment(TINY)
    scs = found.table("scs")
    assert list(scs) == ["CSP", "CSP, half", "plain"]
    values = found.values["scs"]
    same = values.dropna()
    assert scs["CSP"].n == scs["plain"].n == len(same) == 3
    by_hand = same["CSP"] - same["plain"]
    assert found.differences("scs")["plain"].value == pytest.approx(by_hand.mean())
    again = run_experiment(TINY)
    pd.testing.assert_frame_equal(again.values["scs"], found.values["scs"])


def test_the_table_is_markdown_and_json(tmp_path: Path) -> None:
    values = pd.DataFrame({"CSP": [1.0, 0.0, 1.0], "plain": [0.0, 0.0, np.nan]})
    two = TINY.model_copy(update={"ways": (Way(name="CSP"), Way(name="plain", labeler="semanticlens"))})
    found = ExperimentResults(two, "tiny", "f" * 64, {"truth": values})
    lines = found.markdown().splitlines()
    assert lines[0] == "| way to label | Names the truth (n = 2) |"
    assert lines[2].startswith("| CSP | 0.500 (")
    assert lines[-1].startswith("| plain | 0.500 (")
    write_markdown(found, tmp_path / "table.md")
    assert (tmp_path / "table.md").read_text() == found.markdown()
    assert as_json(found)["numbers"]["truth"]["differences"]["plain"]["n"] == 2


@pytest.mark.parametrize(("name", "ways"), [("demo", 8), ("imagenet", 6), ("isic2019", 6)])
def test_the_shipped_experiments_can_be_read(name: str, ways: int) -> None:
    experiment = read_experiment(EXAMPLES / f"{name}-experiment.yaml")
    assert len(experiment.ways) == ways
    if experiment.index is not None:
        assert Path(experiment.index).is_file()


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_pipeline(tmp_path_factory.mktemp("generator") / "pipeline")


@pytest.mark.parametrize("name", ["imagenet", "isic2019"])
def test_the_shipped_experiments_run_on_small_models_of_the_same_formats(
    name: str, world: Path, pipeline: Path, tmp_path: Path
) -> None:
    """Their own files, with only the paths and the published names replaced by small local stand-ins."""
    shipped = read_experiment(EXAMPLES / f"{name}-experiment.yaml")
    assert shipped.index is not None
    index = yaml.safe_load(Path(shipped.index).read_text()) | {
        key: value
        for key, value in index_spec(world, tmp_path / "run").model_dump(mode="json").items()
        if key in ("model", "data", "encoder", "vocabulary", "k")
    }
    index["layers"], index["out"] = ["layer4"], str(tmp_path / "run")
    (tmp_path / "index.yaml").write_text(yaml.safe_dump(index))
    content = yaml.safe_load((EXAMPLES / f"{name}-experiment.yaml").read_text()) | {
        "run": str(tmp_path / "run"),
        "index": "index.yaml",
        "neurons": 2,
        "simulator": f"openclip:local-dir:{world / 'clip'}",
        "generator": f"hf:{pipeline}",
        "generated": 2,
    }
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(content))
    experiment = read_experiment(tmp_path / "experiment.yaml")
    with pytest.raises(
        BadInputError, match=r"'candidates from contrastive grids'; ask a model first: csp cand"
    ):
        run_experiment(experiment)
    explorer = open_explorer(str(tmp_path / "run"))
    assert Additions(explorer.run).read(FAITHFULNESS).empty, "it is said before anything is measured"
    asked = sorted({int(number) for number in np.linspace(0, explorer.run.layer("layer4").neurons - 1, 2)})
    with serving(tells("1. ruler\n2. dark hair\n3. nevus")) as server:
        for mode in GRIDS:
            generate(explorer, "layer4", asked, Ask(vlm=f"openai:{server.address}#m", mode=mode))
    found = run_experiment(experiment)
    assert {"scs", "cosy_auc", "dma"} <= set(found.values)
    table = found.table("cosy_auc")
    assert list(table) == [way.name for way in experiment.ways]
    assert all(one.n > 0 and 0 <= one.value <= 1 for one in table.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("run: [", "can't be read as YAML"),
        ("- run", "must hold fields"),
        ("run: demo", "ways"),
        ("run: demo\nways: [{name: a}]", "two ways at least"),
        ("run: demo\nways: [{name: a}, {name: a}]", "name of its own"),
        ("run: demo\nways: [{name: a}, {name: b, labeler: best}]", "no labeler 'best'"),
        ("run: demo\nways: [{name: a}, {name: b, candidates: both}]", "not 'both'"),
        ("run: demo\nmetrics: [clarity]\nways: [{name: a}, {name: b}]", "no metric 'clarity'"),
        ("run: demo\nmetrics: [descriptive]\nways: [{name: a}, {name: b}]", "measures neurons"),
    ],
)
def test_a_wrong_experiment_is_said_in_a_sentence(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "experiment.yaml").write_text(content)
    with pytest.raises(BadInputError, match=said):
        read_experiment(tmp_path / "experiment.yaml")
    with pytest.raises(NotFoundError, match="no experiment"):
        read_experiment(tmp_path / "other.yaml")
