"""The frame of `csp evaluate`, with every metric that needs no generator, on the tiny runs."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError, CspError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.registry import FIRST, LABELERS
from csp.method.metrics.descriptive import clarity
from csp.method.metrics.statistics import simulation_correlation
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.explorer.typed_text import score_text
from csp.work.jobs.registry import FaultyJobError, check_job
from csp.work.metrics.evaluate import evaluate, summary
from csp.work.metrics.protocol import MetricRequest
from csp.work.metrics.registry import METRICS, NUMBERS, label_numbers, neuron_numbers
from csp.work.metrics.results import FAITHFULNESS, faithfulness, stable_labels
from csp.work.metrics.settings import Settings
from csp.work.metrics.simulators import SIMULATED
from csp.work.metrics.stability import label_stability
from csp.work.progress import Progress, silent
from csp.work.splits import held_out
from tests.build import text_embeddings
from tests.world.tiny import save_open_clip

NEVER = 2


@pytest.fixture
def explorer(tiny_run: Run) -> Explorer:
    return open_explorer("tiny")


def request(explorer: Explorer, metric: str, *labelers: str, simulator: str | None = None) -> MetricRequest:
    neurons = {layer: range(explorer.run.layer(layer).neurons) for layer in explorer.run.layers}
    return MetricRequest(metric, labelers or tuple(LABELERS), explorer.options(), neurons, simulator)


def test_every_metric_names_numbers_that_are_explained() -> None:
    for metric in METRICS.values():
        for number in metric.number_names:
            assert NUMBERS[number].what.endswith(".") and NUMBERS[number].source
            assert NUMBERS[number].help == f"{NUMBERS[number].what} ({NUMBERS[number].source})"


def test_a_labeler_is_one_pure_function_and_an_entry(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Added as docs/method.md says, it labels, is measured, and is bootstrapped."""

    def strongest(evidence: Evidence, texts: np.ndarray, gamma: float) -> np.ndarray:
        return texts @ evidence.embeddings[evidence.examples.activating[0]]

    monkeypatch.setitem(
        LABELERS, "strongest", Labeler("strongest", strongest, "Strongest", "Fits the strongest image.")
    )
    for metric in ("simcorr", "stability"):
        found = evaluate(explorer, request(explorer, metric, "csp", "strongest"))
        assert summary(found)["numbers"][METRICS[metric].number_names[0]]["methods"]["strongest"]["n"] > 0
    label = explorer.labels("late", 0, explorer.options())[0]["strongest"][0].label
    image = explorer.examples("late", 0, explorer.options())[0].activating[0]
    best = int((text_embeddings() @ explorer.run.embeddings[image]).argmax())
    assert label == explorer.run.vocabulary["text"][best]
    assert score_text(explorer, "late", 0, label).scores["strongest"].rank == 1


def test_simulation_correlation_is_measured_on_held_out_images(explorer: Explorer) -> None:
    found = evaluate(explorer, request(explorer, "simcorr", "csp"))
    images, _ = held_out(explorer.run)
    for row in found.rows.itertuples():
        label = explorer.labels(row.layer, row.neuron, explorer.options())[0]["csp"][0].label
        text = text_embeddings()[explorer.run.vocabulary["text"].tolist().index(label)]
        values = explorer.run.activations(row.layer, row.neuron)[images]
        assert row.label == label
        assert row.value == pytest.approx(
            simulation_correlation(values, explorer.run.embeddings[images], text), abs=1e-5
        )
        assert row.low <= row.value <= row.high
    assert NEVER not in set(found.rows["neuron"]), "what never fires has no label"
    means = summary(found)["numbers"]["scs"]["methods"]["csp"]
    assert means["mean"] == pytest.approx(found.rows["value"].mean(), abs=1e-3)
    assert means["n"] == len(found.rows)


def test_labelers_are_compared_on_the_same_neurons(explorer: Explorer) -> None:
    found = evaluate(explorer, request(explorer, "simcorr", "csp", "falcon"))
    wide = found.rows.pivot(index=["layer", "neuron"], columns="labeler", values="value")
    difference = summary(found)["numbers"]["scs"]["differences"]["csp - falcon"]
    assert difference["mean"] == pytest.approx((wide["csp"] - wide["falcon"]).mean(), abs=1e-3)


def test_a_stopped_job_keeps_its_batches_and_goes_on(explorer: Explorer) -> None:
    wanted, reached = request(explorer, "stability", "csp"), list[Progress]()

    def stop(progress: Progress) -> None:
        if progress.stage == "stability":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(explorer, wanted, stop, batch=4)
    first = Additions(explorer.run).read(FAITHFULNESS)
    assert set(first["neuron"]) == {0, 1, 3}, "neuron 2 never fires; two numbers for each of the others"
    found = evaluate(explorer, wanted, reached.append, batch=4)
    assert reached[0].total == 12 - 3, "of 12 neurons three are done"
    again = evaluate(explorer, wanted, batch=4)
    assert again.rows["when"].tolist() == found.rows["when"].tolist()


def test_a_label_that_changed_is_measured_again(explorer: Explorer) -> None:
    wanted = request(explorer, "simcorr", FIRST)
    evaluate(explorer, wanted)
    additions = Additions(explorer.run)
    stale = additions.read(FAITHFULNESS).iloc[:1].assign(label="something else", value=0.123)
    additions.append(FAITHFULNESS, stale)
    neuron = int(stale["neuron"][0])
    assert np.isnan(faithfulness(explorer, stale["layer"][0])["scs"][neuron]), "a number of another label"
    rows = evaluate(explorer, wanted).rows
    mended = rows[(rows["neuron"] == neuron) & (rows["layer"] == stale["layer"][0])]
    assert mended["label"].tolist() != ["something else"]
    assert not np.isnan(faithfulness(explorer, stale["layer"][0])["scs"][neuron])


def test_what_was_measured_is_one_row_a_neuron(explorer: Explorer) -> None:
    before = faithfulness(explorer, "early")
    assert len(before) == 6
    assert before[[*label_numbers(), *neuron_numbers(), "scs_low", "scs_high"]].isna().all().all()
    for metric in ("simcorr", "stability", "descriptive"):
        evaluate(explorer, request(explorer, metric))
    found = faithfulness(explorer, "early").set_index("neuron")
    assert found["label"][0] == explorer.neuron("early", 0).labels[FIRST][0].label
    stability = label_stability(explorer, "early", 0, FIRST, explorer.options())
    assert stability is not None
    assert found["stability"][0] == pytest.approx(stability.chance)
    stable = stable_labels(explorer, "early")
    assert stable
    for neuron, one in stable.items():
        computed = label_stability(explorer, "early", neuron, FIRST, explorer.options())
        assert computed is not None
        assert (one.label, one.chance) == (computed.label, pytest.approx(computed.chance))
        assert (one.low, one.high) == pytest.approx((computed.low, computed.high), abs=1e-5)
    examples, _ = explorer.examples("early", 0, explorer.options())
    assert found["clarity"][0] == pytest.approx(clarity(explorer.run.embeddings[examples.activating]))
    assert found["scs_low"][0] <= found["scs"][0] <= found["scs_high"][0]
    assert found.loc[NEVER, ["scs", "stability", "clarity"]].isna().all()
    assert found["cosy_auc"].isna().all()
    fingerprint = explorer.run.fingerprint
    assert Run.open(explorer.run.path).fingerprint == fingerprint
    assert Run.open(explorer.run.path).check() == []


def test_another_choice_is_kept_apart(explorer: Explorer) -> None:
    usual = request(explorer, "simcorr", "csp")
    evaluate(explorer, usual)
    before = faithfulness(explorer, "early")
    other = MetricRequest(
        "simcorr", ("csp",), explorer.options(gamma=0.0, contrast="quantile:0.3"), usual.neurons
    )
    found = evaluate(explorer, other)
    assert found.settings == Settings(other.options)
    np.testing.assert_array_equal(faithfulness(explorer, "early")["scs"], before["scs"])


def test_another_encoder_looks_at_the_pictures_once(indexed: Run, tmp_path: Path, own_home: Path) -> None:
    run = Run.open(shutil.copytree(indexed.path, own_home / "runs" / "copy"))
    save_open_clip(tmp_path / "other", seed=7)
    explorer = Explorer(run, ResultCache(tmp_path / "answers"))
    spec = f"openclip:local-dir:{tmp_path / 'other'}"
    other = evaluate(explorer, request(explorer, "simcorr", "csp", simulator=spec))
    own = evaluate(explorer, request(explorer, "simcorr", "csp"))
    assert set(other.settings.instead) == {"simulator"}
    assert not np.allclose(other.rows["value"], own.rows["value"], atol=1e-3)
    looked = Additions(run).read(SIMULATED)
    assert len(looked) == run.manifest.images
    np.testing.assert_allclose(np.linalg.norm(np.stack(looked["embedding"]), axis=1), 1, atol=1e-5)
    evaluate(explorer, request(explorer, "simcorr", "semanticlens", simulator=spec))
    assert Additions(run).version(SIMULATED) == Additions(run).version(SIMULATED)
    assert len(Additions(run).read(SIMULATED)) == len(looked)


def test_what_is_missing_is_said_before_anything_is_measured(
    explorer: Explorer, unlabelled: Run, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=r"no metric 'luck'; there is ground-truth, simcorr"):
        evaluate(explorer, request(explorer, "luck"))
    with pytest.raises(BadInputError, match="no labeler 'bert'"):
        evaluate(explorer, request(explorer, "stability", "bert"))
    bare = Explorer(unlabelled, ResultCache(tmp_path / "others"))
    with pytest.raises(BadInputError, match="has no vocabulary"):
        evaluate(bare, request(bare, "simcorr"))
    with pytest.raises(CspError, match="nowhere"):
        evaluate(explorer, request(explorer, "simcorr", simulator="openclip:local-dir:nowhere"))
    assert Additions(explorer.run).read(FAITHFULNESS).empty


def test_a_job_measures_a_whole_run(explorer: Explorer) -> None:
    arguments = {"run": "tiny", "metric": "descriptive"}
    assert check_job("evaluate", arguments).kind.run(arguments, silent) == "tiny"
    assert faithfulness(explorer, "late")["clarity"].notna().tolist() == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    with pytest.raises(BadInputError, match="no metric 'luck'"):
        check_job("evaluate", {"run": "tiny", "metric": "luck"})
    wrong = {"run": "nope", "metric": "cosy", "labelers": ["bert"]}
    with pytest.raises(FaultyJobError) as refused:
        check_job("evaluate", wrong)
    assert set(refused.value.faults) == {"run", "labelers", "generator"}
