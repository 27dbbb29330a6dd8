"""Whether a run's encoder sees what the vocabulary names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from csp.keeping.run_folder.run import Run
from csp.work.control.sight import Sight, encoder_sight
from csp.work.explorer.explorer import Explorer
from tests.odd_runs import SAMPLE, build


def test_what_the_dataset_states_is_told(explorer: Explorer) -> None:
    sight = encoder_sight(explorer)
    assert sight is not None
    told = {one.name: one for one in sight.told}
    assert {"ruler", "hairs"} <= told.keys()
    assert "nevus" not in told, "no text names it"
    assert told["ruler"].texts == 2, "the one that names two things is left out"
    assert told["ruler"].auroc > 0.9
    assert told["ruler"].low < told["ruler"].auroc <= told["ruler"].high
    assert not sight.near_blind
    assert encoder_sight(explorer) == sight, "kept as it was"


def test_shuffled_embeddings_are_blind(tiny_run: Run, explorer: Explorer) -> None:
    sight = _shuffled(tiny_run, explorer)
    assert sight.share < 0.3 and sight.near_blind
    assert "AUROC" in sight.sentence


def test_without_a_truth_the_firing_tells(explorer: Explorer) -> None:
    sight = encoder_sight(explorer)
    assert sight is not None
    untold = replace(sight, told=(), fit=0.4)
    assert untold.share == pytest.approx(0.8 if sight.between_images.above else 0)
    assert replace(untold, fit=0.01).near_blind
    assert replace(untold, between_images=replace(sight.between_images, value=0.0)).share == 0


def test_a_run_without_a_vocabulary_is_asked_nothing(unlabelled: Run, explorer: Explorer) -> None:
    assert encoder_sight(Explorer(unlabelled, explorer.cache.results)) is None


@pytest.mark.parametrize("place", range(len(SAMPLE)))
def test_odd_runs_have_one(place: int, tmp_path: Path, explorer: Explorer) -> None:
    odd = Run.open(build(SAMPLE[place], tmp_path / "files", tmp_path / "odd"))
    sight = encoder_sight(Explorer(odd, explorer.cache.results))
    assert (sight is None) == (not SAMPLE[place].vocabulary)
    assert sight is None or (0 <= sight.share <= 1 and sight.sentence)


def _shuffled(run: Run, explorer: Explorer) -> Sight:
    """What the run's encoder would see had its images been dealt out anew."""
    blind = Run.open(run.path)
    order = np.random.default_rng(3).permutation(len(run.embeddings))
    blind.__dict__["embeddings"] = run.embeddings[order]
    blind.__dict__["fingerprint"] = "shuffled"
    sight = encoder_sight(Explorer(blind, explorer.cache.results))
    assert sight is not None
    return sight
