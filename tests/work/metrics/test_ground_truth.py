import csv
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.manifest import Parameters
from csp.keeping.run_folder.run import Run
from csp.method.metrics.statistics import auroc
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from csp.work.metrics.evaluate import evaluate, summary
from csp.work.metrics.ground_truth import attribute_table, ground_truth
from csp.work.metrics.protocol import MetricRequest
from csp.work.splits import held_out
from tests.build import TERMS, activations, embeddings, text_embeddings

IMAGES = 90


@pytest.fixture
def explorer(tmp_path: Path) -> Explorer:
    """Ninety images, half of them held out; the first neuron follows the ruler, the second the hairs."""
    rows = [("path", "split", "ruler", "hairs", "gel", "rare")]
    for row in range(IMAGES):
        gel = "" if row < 60 else str(row % 2)
        split = "held-out" if row >= 45 else "selection"
        rows.append((f"{row}.png", split, str(row % 2), str(int(row % 3 == 0)), gel, str(int(row == 50))))
    write_csv(tmp_path / "images.csv", rows)
    terms = [(text, ";".join(named), str(int(broad))) for text, named, broad in TERMS]
    write_csv(tmp_path / "terms.csv", [("text", "attributes", "broad"), *terms])
    np.save(tmp_path / "activations.npy", activations(0, IMAGES))
    np.save(tmp_path / "embeddings.npy", embeddings(IMAGES))
    np.save(tmp_path / "texts.npy", text_embeddings())
    spec = ImportSpec(
        tmp_path / "activations.npy",
        tmp_path / "embeddings.npy",
        str(tmp_path / "run"),
        images=f"csv:{tmp_path}/images.csv",
        vocabulary=tmp_path / "terms.csv",
        text_embeddings=tmp_path / "texts.npy",
        parameters=Parameters(k=5, neighbours=10),
    )
    return Explorer(Run.open(import_arrays(spec)), ResultCache(tmp_path / "answers"))


def write_csv(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def test_truth_is_measured_on_held_out_images_where_it_is_known(explorer: Explorer) -> None:
    images, split = held_out(explorer.run)
    assert (split, images.sum()) == ("held-out", 45)
    table = attribute_table(explorer.run, "imported", images)
    values, rows = activations(0, IMAGES), np.arange(IMAGES)
    assert table[0, 0] == auroc(values[45:, 0], rows[45:] % 2 == 1)
    assert table[1, 2] == auroc(values[60:, 1], rows[60:] % 2 == 1), "images without a value don't count"
    assert np.isnan(table[:, 3]).all(), "one image is too few to judge"


def test_first_labels_are_judged_by_what_they_name(explorer: Explorer) -> None:
    result = ground_truth(explorer)
    followed = {one["neuron"]: one for one in result["judged"]}
    assert [(followed[neuron]["attribute"], followed[neuron]["auroc"]) for neuron in (0, 1)] == [
        ("ruler", 1.0),
        ("hairs", 1.0),
    ]
    meanings = {text: (named, broad) for text, named, broad in TERMS}
    for one in followed.values():
        for method, judged in one["labels"].items():
            first = explorer.neuron("imported", one["neuron"]).labels[method][0].label
            named, broad = meanings[first]
            expected = "true" if one["attribute"] in named else "too-broad" if broad else "other-attribute"
            assert (judged["label"], judged["verdict"]) == (first, expected if named or broad else "nothing")
            assert judged["alone"] == (set(named) == {one["attribute"]})
    for found in result["methods"].values():
        parts = [
            found["share"],
            *(found[part]["share"] for part in ("too_broad", "other_attribute", "nothing")),
        ]
        assert sum(parts) == pytest.approx(1, abs=1e-3)
        assert found["low"] <= found["share"] <= found["high"]
        assert found["alone"]["share"] <= found["share"]
        assert found["n"] == result["clear"] == len(followed)


def test_labelers_are_compared_in_pairs(explorer: Explorer) -> None:
    result = ground_truth(explorer, ("csp", "semanticlens"), explorer.options(gamma=0.5))
    assert list(result["methods"]) == ["csp", "semanticlens"]
    assert list(result["differences"]) == ["csp - semanticlens"]
    assert result["settings"]["gamma"] == 0.5


def test_each_judged_label_is_a_row_that_joins_the_run(explorer: Explorer) -> None:
    request = MetricRequest("ground-truth", ("csp",), explorer.options(), {"imported": range(6)})
    rows = evaluate(explorer, request).rows
    truth = rows[rows["metric"] == "truth"].set_index("neuron")["value"]
    judged = {one["neuron"]: one["labels"]["csp"] for one in ground_truth(explorer)["judged"]}
    assert truth.to_dict() == {n: float(one["verdict"] == "true") for n, one in judged.items()}
    alone = rows[rows["metric"] == "truth_alone"].set_index("neuron")["value"]
    assert alone.to_dict() == {n: float(one["alone"]) for n, one in judged.items()}
    found = summary(evaluate(explorer, request))["numbers"]["truth"]["methods"]["csp"]
    assert found["mean"] == ground_truth(explorer)["methods"]["csp"]["share"]


def test_what_is_needed_is_said(explorer: Explorer, unlabelled: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="csp, semanticlens, clip-dissect"):
        ground_truth(explorer, ("bert",))
    with pytest.raises(BadInputError, match="does not say which attributes"):
        ground_truth(Explorer(unlabelled, ResultCache(tmp_path / "others")))
