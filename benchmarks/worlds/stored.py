"""Worlds that are stored: runs whose images have attributes, and folders of real embeddings."""

from pathlib import Path

import numpy as np

from benchmarks.worlds.neurons import rectify
from benchmarks.worlds.world import World
from csp.errors import BadInputError
from csp.keeping.library.find import find_run
from csp.keeping.run_folder.run import Run
from csp.method.metrics.ground_truth import Verdict, true_attributes, verdict
from csp.work.metrics.ground_truth import truth_table
from csp.work.splits import held_out, selection

NEURONS = 100
ARRAYS = ("embeddings", "text_embeddings", "present", "names")


def run_worlds(name: str) -> tuple[World, World]:
    """A stored run's neurons that follow an attribute clearly, and the same shuffled (nothing is true).

    Raises BadInputError for a run without attributes or without a vocabulary.
    """
    run = Run.open(find_run(name))
    if run.text_embeddings is None or not run.attributes:
        raise BadInputError(
            f"the run {name} lacks attributes of its images or a vocabulary: no truth is known"
        )
    judging, _ = held_out(run)
    columns, truths = [], []
    for layer in run.layers:
        followed = true_attributes(truth_table(run, layer, judging))
        clear = np.flatnonzero(followed >= 0)
        columns.append(run.layer_activations(layer)[:, clear])
        truths += [_naming(run, run.attributes[one]) for one in followed[clear]]
    activations = np.concatenate(columns, axis=1)
    chosen = selection(run)
    rest = (
        run.embeddings,
        run.text_embeddings,
        tuple(truths),
        np.ones(len(judging), dtype=bool) if chosen is None else chosen,
    )
    shuffled = np.random.default_rng(0).permuted(activations, axis=0)
    nothing = (frozenset[int](),) * len(truths)
    return (
        World(run.name, "stored run", activations, *rest),
        World(f"{run.name} shuffled", "stored run, shuffled", shuffled, rest[0], rest[1], nothing, rest[3]),
    )


def _naming(run: Run, attribute: str) -> frozenset[int]:
    """The rows of the vocabulary that are true of a neuron that follows this attribute."""
    rows = run.vocabulary[["attributes", "broad"]].to_numpy()
    verdicts = (verdict(set(named), bool(broad), attribute) for named, broad in rows)
    return frozenset(row for row, found in enumerate(verdicts) if found is Verdict.TRUE)


def embeddings_world(folder: Path) -> World:
    """Made-up neurons over real embeddings: each follows one thing that some images show.

    The folder holds `embeddings.npy` [n d], `text_embeddings.npy` [t d], `present.npy` [n a] (whether the
    image shows the thing) and `names.npy` [t] (the thing that a text names; -1: none).
    """
    arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS}
    rng = np.random.default_rng(0)
    present, names = arrays["present"].astype(bool), arrays["names"]
    known = np.flatnonzero((present.sum(axis=0) >= 3) & np.isin(np.arange(present.shape[1]), names))
    followed = rng.choice(known, NEURONS)
    drive = present[:, followed] * rng.uniform(0.5, 1.5, (len(present), NEURONS))
    pre = drive + 0.3 * rng.standard_normal(drive.shape)
    return World(
        name=folder.name,
        family="real embeddings",
        activations=np.stack([rectify(column, None) for column in pre.T], axis=1),
        embeddings=arrays["embeddings"].astype(np.float32),
        text_embeddings=arrays["text_embeddings"].astype(np.float32),
        truths=tuple(frozenset(np.flatnonzero(names == one).tolist()) for one in followed.tolist()),
        selection=rng.random(len(present)) < 0.5,
    )
