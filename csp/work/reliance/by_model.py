"""Reliance where no linear head follows all of a concept's neurons: by running the model with them held.

For each image one pass with the neurons at their mean, one with them at the values that they have on another
image, and one for each of some random groups of as many neurons of the same layers. What the model says is
kept with the run image by image: a stopped job goes on, and what is measured needs the model no more.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float32, Int64

from csp.errors import UnavailableError
from csp.keeping.canonical_json import canonical_json
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.reliance import link_of, random_groups
from csp.work.engines.engine import HERE, Engine
from csp.work.explorer.explorer import reopened
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import RunTarget, run_target
from csp.work.progress import Report, Stage, silent
from csp.work.reliance.concepts import Concept, shown
from csp.work.reliance.exact import strongest
from csp.work.reliance.measure import SEED, Answers, Asked, numbers
from csp.work.reliance.numbers import Numbers
from csp.work.splits import held_out
from csp.world.protocols.target import Held, HoldingTarget

MOST_IMAGES = 200
"""Held-out images looked at, half of them showing the concept where there are as many."""
GROUPS = 20
AT_ONCE = 16
MEAN, RESAMPLED = "mean", "resampled"
WITHOUT_CONCEPT = AddedTable(
    "reliance",
    {
        "concept": pa.string(),
        "part": pa.string(),
        "image": pa.int64(),
        "output": pa.list_(pa.float32()),
        "measured": pa.timestamp("s", tz="UTC"),
        "csp_version": pa.string(),
    },
    ("concept", "part", "image"),
)
"""What the model says without a concept (`_key`): `part` is `mean`, `resampled` or the number of a group."""


def measure_by_model(
    run: Run, chosen: Sequence[Concept], report: Report = silent, engine: Engine = HERE
) -> None:
    """Run the model without each of these concepts, and keep what it says; what is kept is not asked again.

    With another engine the workers find the run under the same path, and each opens the model once.

    Raises UnavailableError where the model or pictures are missing, or the model can't hold neurons.
    """
    here, additions = _Holding(run), Additions(run)
    missing = {concept: _missing(run, concept) for concept in chosen}
    parts = [(concept, part) for concept, of_it in missing.items() for part in of_it]
    found = engine.each(parts, here.said_without, partial(_holding_of, run.path, run.fingerprint))
    for concept, of_it in missing.items():
        done = [0, *accumulate(map(len, of_it))]
        stage = Stage(f"{concept.name} switched off", done[-1], report)
        for reached in done[1:]:
            additions.append(WITHOUT_CONCEPT, _frame(concept, next(found)))
            stage.reached(reached)
        additions.compact(WITHOUT_CONCEPT)


def _missing(run: Run, concept: Concept) -> list[list[int]]:
    """The images that the model has not seen without the concept, as many at once as it sees."""
    kept = set(_kept(run, concept)["image"])
    images = [image for image in _images(run, concept).tolist() if image not in kept]
    return [images[start : start + AT_ONCE] for start in range(0, len(images), AT_ONCE)]


Said = list[tuple[str, int, Float32[np.ndarray, " classes"]]]
"""Part, image, and what the model said of it."""


class _Holding:
    """The target model of a run, of which neurons can be held."""

    def __init__(self, run: Run) -> None:
        self._run, self._target = run, run_target(run)
        if not isinstance(self._target.model, HoldingTarget):
            raise UnavailableError(
                f"the target model {self._target.model.name} can't hold neurons at a value: its adapter "
                "lacks held (docs/how-to/own-adapters.md)"
            )
        self._inputs = ModelInputs(run, self._target.model)
        self._plans = lru_cache(maxsize=1)(self._plans_of)

    def said_without(self, asked: tuple[Concept, Sequence[int]]) -> Said:
        """What the model says of some images without a concept, part by part."""
        concept, images = asked
        batch, seeing = self._inputs.batch(images), self._target.on(self._inputs.beside(images))
        return [
            (part, image, output)
            for part, plan in self._plans(concept).items()
            for image, output in zip(images, _said(seeing, batch, plan, np.array(images)), strict=True)
        ]

    def _plans_of(self, concept: Concept) -> dict[str, dict[str, "_Plan"]]:
        return _plans(self._run, concept)


def _holding_of(path: Path, fingerprint: str) -> Callable[[tuple[Concept, Sequence[int]]], Said]:
    """What a worker of a cluster does with the run."""
    return _Holding(reopened(path, fingerprint).run).said_without


def measured_by_model(run: Run, concept: Concept) -> bool:
    """Whether the model ran without all of the concept's neurons, on all the images that it should."""
    if not Additions(run).version(WITHOUT_CONCEPT):
        return False
    images = _images(run, concept).tolist()
    return bool(images) and run.probabilities is not None and set(images) <= set(_kept(run, concept)["image"])


def numbers_by_model(run: Run, concept: Concept) -> Numbers | None:
    """The numbers from what is kept; None until all of it is."""
    answers = answers_by_model(run, concept)
    if answers is None:
        return None
    fired = np.concatenate([run.columns(name, concept.of(name)) for name in concept.layers], 1)
    asked = Asked(concept.layers, len(concept.neurons), "model", held_out(run)[1], strongest(fired))
    return numbers(run, answers, shown(run, concept), asked)


def answers_by_model(run: Run, concept: Concept) -> Answers | None:
    """What the model said without the concept; None until all of it is kept."""
    if run.probabilities is None or not measured_by_model(run, concept):
        return None
    rows, images = _kept(run, concept), _images(run, concept)
    table = {
        part: np.stack(own.set_index("image")["output"].loc[images.tolist()].tolist()).astype(np.float64)
        for part, own in rows.groupby("part")
    }
    return Answers(
        images=images,
        before=run.probabilities[images].astype(np.float64),
        mean=table[MEAN],
        resampled=table[RESAMPLED],
        random=np.stack([table[str(group)] for group in range(GROUPS)]),
        link=link_of(run.probabilities),
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """Which neurons of a layer are held, and their values on every probe image."""

    neurons: Sequence[int]
    values: Float32[np.ndarray, "n m"]


def _plans(run: Run, concept: Concept) -> dict[str, dict[str, _Plan]]:
    """By part, by layer; the same every time for the same concept, so that a stopped job can go on."""
    rng, count = np.random.default_rng(SEED), run.manifest.images
    others = rng.integers(0, count, count)
    parts = (MEAN, RESAMPLED, *map(str, range(GROUPS)))
    plans: dict[str, dict[str, _Plan]] = {part: {} for part in parts}
    for layer in concept.layers:
        own, mean = list(concept.of(layer)), _means(run, layer)
        plans[MEAN][layer] = _Plan(own, np.broadcast_to(mean[own], (count, len(own))))
        plans[RESAMPLED][layer] = _Plan(own, np.nan_to_num(run.columns(layer, own))[others])
        for group, neurons in enumerate(random_groups(len(mean), len(own), own, rng, GROUPS).tolist()):
            plans[str(group)][layer] = _Plan(neurons, np.broadcast_to(mean[neurons], (count, len(own))))
    return plans


@lru_cache(maxsize=32)
def _means(run: Run, layer: str) -> Float32[np.ndarray, " c"]:
    """What each neuron is held at: its mean, where it has no number taken for 0."""
    return run.each_neuron(
        layer, lambda block: np.nan_to_num(block).mean(axis=0, dtype=np.float64).astype(np.float32)
    )


def _said(
    target: RunTarget,
    batch: Float32[np.ndarray, "b 3 h w"],
    plan: dict[str, _Plan],
    images: Int64[np.ndarray, " b"],
) -> Float32[np.ndarray, "b classes"]:
    assert isinstance(target.model, HoldingTarget)  # checked before
    held: Held = {layer: (one.neurons, one.values[images]) for layer, one in plan.items()}
    with target.lock:
        return target.model.held(batch, held)


def _images(run: Run, concept: Concept) -> Int64[np.ndarray, " m"]:
    """Held-out images, half of them showing the concept where there are as many, spread evenly."""
    rows, _ = held_out(run)
    on = np.flatnonzero(rows & shown(run, concept).on)
    rest = np.setdiff1d(np.flatnonzero(rows), on)
    first = _spread(on, max(MOST_IMAGES // 2, MOST_IMAGES - len(rest)))
    return np.sort(np.concatenate([first, _spread(rest, MOST_IMAGES - len(first))])).astype(np.int64)


def _spread(images: Int64[np.ndarray, " m"], most: int) -> Int64[np.ndarray, " k"]:
    if len(images) <= most:
        return images
    return images[np.unique(np.linspace(0, len(images) - 1, most).astype(np.int64))]


def _kept(run: Run, concept: Concept) -> pd.DataFrame:
    rows = Additions(run).read(WITHOUT_CONCEPT)
    own = rows[rows["concept"] == _key(concept)]
    complete = own.groupby("image")["part"].nunique() == GROUPS + 2
    return own[own["image"].isin(complete.index[complete])]


def _key(concept: Concept) -> str:
    """Of the neurons that were held: another set is another measurement."""
    return hashlib.sha256(canonical_json([list(spot) for spot in concept.neurons]).encode()).hexdigest()


def _frame(concept: Concept, rows: Said) -> pd.DataFrame:
    part, image, output = zip(*rows, strict=True)
    when = datetime.now(UTC).replace(microsecond=0)
    columns = {"part": part, "image": image, "output": [one.astype(np.float32) for one in output]}
    return pd.DataFrame(columns).assign(concept=_key(concept), measured=when, csp_version=csp_version())
