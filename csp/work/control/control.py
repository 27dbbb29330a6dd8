"""What noise gives, beside what a run's labels give.

control = layer_control(explorer, "layer4")         # stored with the run, or kept, or computed now
noise = control.noise("csp")                        # .mean, .high (95 %); None: no vocabulary, nothing fires
fits = label_fits(explorer, "layer4")               # which first labels go with the firing, beyond noise
fits.above                                          # neurons; of shuffled ones 1 in 20 would be among them

Two things are compared. The **score** of a first label, with what the first labels of shuffled neurons score:
people see both. And how well that label **fits**: the correlation of its likeness with the activations over
the images that decide. Whether a label is claimed at all goes by the latter, whoever chose it: the best of
many cosines is high for any examples, shuffled ones too, while what a label says about the firing is not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float64

from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.method.control import ByChance, Noise, by_chance
from csp.method.labelers.registry import LABELERS
from csp.method.states import NeuronState
from csp.work.control.draws import DRAWS, FIT, Row, first_labels, shuffled_neurons
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import CHANCES, UNLIKELY, label_chances
from csp.work.labels.scorer import labelers_code, neurons_at_once
from csp.work.labels.stored import LATER
from csp.work.labels.stored_facets import FACETS, absent_firsts
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.progress import Report, Stage, silent

MOST_TEXTS = 10_000
"""Of a larger vocabulary no page works out a control: 100,000 texts take about half a second a draw."""
COLUMNS = ("draw", "neuron", "labeler", "label", "score", "fit")
CONTROL = AddedTable(
    "control",
    {
        "layer": pa.string(),
        "draw": pa.int64(),
        "neuron": pa.int64(),
        "labeler": pa.string(),
        "label": pa.string(),
        "score": pa.float64(),
        "fit": pa.float64(),
    },
    ("layer", "labeler", "draw"),
)
"""The first label of every shuffled neuron under every labeler, at the run's own parameters."""


@dataclass(frozen=True, eq=False)
class LayerControl:
    """The first labels of a layer's shuffled neurons."""

    frame: pd.DataFrame
    """`COLUMNS`; empty without a vocabulary, or where no neuron fires."""

    def noise(self, labeler: str) -> Noise | None:
        """What scores noise gives under a labeler; None where there is no control."""
        return self._noises("score").get(labeler)

    def noise_of_fit(self, labeler: str) -> Noise | None:
        """How well the labeler's labels of noise fit; None where there is no control."""
        return self._noises("fit").get(labeler)

    def by_chance(
        self, labeler: str, holds: Callable[[str], bool], neurons: int, noise: Noise | None = None
    ) -> ByChance | None:
        """Of so many neurons of this control, how many would have a first label that `holds` and fits above
        `noise` (None: its own).

        None where there is no control.
        """
        noise = noise or self.noise_of_fit(labeler)
        if noise is None:
            return None
        rows = self.frame[self.frame["labeler"] == labeler]
        counts = rows.loc[noise.above(rows["fit"].to_numpy(np.float64)), "label"].value_counts()
        hits = sum(int(count) for label, count in counts.items() if holds(str(label)))
        return by_chance(hits, len(rows), neurons)

    def _noises(self, column: str) -> dict[str, Noise]:
        return self._sorted[column]

    @cached_property
    def _sorted(self) -> dict[str, dict[str, Noise]]:
        by_labeler = self.frame.groupby("labeler", sort=False)
        return {
            column: {str(name): Noise(np.sort(one.to_numpy(np.float64))) for name, one in by_labeler[column]}
            for column in ("score", "fit")
        }


@dataclass(frozen=True, eq=False)
class LabelFits:
    """How well the first labels of a layer fit, beside noise."""

    labeler: str
    fits: pd.Series
    """By labelled neuron: the correlation of its first label with its activations."""
    noise: Noise

    @cached_property
    def above(self) -> frozenset[int]:
        """The neurons whose first label fits better than noise does in 19 of 20 draws."""
        return frozenset(self.fits.index[self.noise.above(self.fits.to_numpy(np.float64))].tolist())

    @property
    def by_chance(self) -> float:
        """How many would be above if all were noise."""
        return len(self.fits) / 20

    def reached(self, neuron: int) -> float:
        """The share of noise that fits as well as a neuron's first label; 1 for a neuron without one."""
        fit = np.array([self.fits.get(neuron, np.nan)], dtype=np.float64)
        return float(self.noise.reached(fit)[0])


def layer_control(explorer: Explorer, layer: str) -> LayerControl:
    """The control of a layer: stored with the run, or kept from before, or worked out now (seconds).

    Empty where working it out would take minutes, which is for `measure_control` to do.
    """
    stored = _stored(explorer, layer)
    if stored is not None:
        return LayerControl(stored)
    if explorer.scorer is None or len(explorer.run.vocabulary) > MOST_TEXTS:
        return LayerControl(pd.DataFrame(columns=list(COLUMNS)))

    def compute() -> list[list[Any]]:
        return [[row[name] for name in COLUMNS] for part in _parts(explorer, layer) for row in part]

    asked = {"layer": layer, "draws": DRAWS, "labelers": labelers_code()}
    found = explorer.cache.get_or_compute(asked, compute)
    return LayerControl(pd.DataFrame(found.value, columns=list(COLUMNS)))


def measure_control(
    explorer: Explorer,
    report: Report = silent,
    *,
    layers: Sequence[str] | None = None,
    in_place: bool = False,
) -> None:
    """Store the control of the layers (None: all) with the run, where it is missing, some draws at a time: a
    job that was stopped goes on where it was."""
    if explorer.scorer is None:
        return
    additions = Additions(explorer.run, in_place=in_place)
    for layer in explorer.run.layers if layers is None else layers:
        if _stored(explorer, layer) is None:
            additions.expect_room()
            for rows in _parts(explorer, layer, report, start=_kept(explorer, layer)):
                additions.append(CONTROL, pd.DataFrame(rows, columns=list(COLUMNS)).assign(layer=layer))
    additions.compact(CONTROL)


def measure_control_when_made(run: Run, report: Report = silent) -> None:
    """What `csp index` and `csp import` add to the run they made."""
    with ResultCache(result_cache_folder()) as results:
        measure_control(Explorer(run, results), report, in_place=True)


def label_fits(explorer: Explorer, layer: str, labeler: str | None = None) -> LabelFits | None:
    """How well the first labels of a labeler (None: the first) fit, beside noise.

    None where there are none, or where the run's labels are older than the labeler that tells.
    """
    labeler = labeler or explorer.stored_labels.first_labeler(layer)
    noise = layer_control(explorer, layer).noise_of_fit(labeler)
    frame = explorer.stored_labels.frame(layer)
    first = frame.loc[(frame["labeler"] == labeler) & (frame["rank"] == 1), ["neuron", "label"]]
    fits = first.merge(
        frame.loc[frame["labeler"] == FIT, ["neuron", "label", "score"]], on=["neuron", "label"]
    )
    if noise is None or fits.empty:
        return None
    return LabelFits(labeler, fits.set_index("neuron")["score"], noise)


def unclaimed(explorer: Explorer, layer: str) -> frozenset[int]:
    """The neurons for which nothing in the vocabulary fits, so that nothing is claimed by the first label:

    it goes with the firing no better than noise (`label_fits`), or it is unlikely to be true, as far as that
    was worked out: it may only be the nearest of texts that all miss. Nor does one that tells no images apart
    look for anything (`constant`). Else empty where neither can be told; a neuron that fires where a thing is
    lacking has that as its label, which images held out bear out.
    """
    additions = Additions(explorer.run)
    tables = (CONTROL, LATER, CHANCES, FACETS)
    return _unclaimed(explorer, layer, tuple(part for table in tables for part in additions.version(table)))


@lru_cache(maxsize=32)
def _unclaimed(explorer: Explorer, layer: str, version: tuple[str, ...]) -> frozenset[int]:
    fits = label_fits(explorer, layer)
    noise = frozenset() if fits is None else frozenset(fits.fits.index.tolist()) - fits.above
    unlikely = frozenset(np.flatnonzero(label_chances(explorer.run, layer) < UNLIKELY).tolist())
    return (noise | unlikely | constant(explorer, layer)) - absent_firsts(explorer.run, layer)


def constant(explorer: Explorer, layer: str) -> frozenset[int]:
    """The neurons that respond equally to every image."""
    same = explorer.run.neurons(layer)["state"].eq(NeuronState.CONSTANT).to_numpy()
    return frozenset(np.flatnonzero(same).tolist())


def first_scores(explorer: Explorer, layer: str, labeler: str) -> Float64[np.ndarray, " c"]:
    """The scores of a labeler's first labels, one for each labelled neuron."""
    frame = explorer.stored_labels.frame(layer)
    chosen = frame.loc[(frame["labeler"] == labeler) & (frame["rank"] == 1), "score"]
    return chosen.to_numpy(np.float64)


def _stored(explorer: Explorer, layer: str) -> pd.DataFrame | None:
    """What was stored of it; None where draws of a labeler of today are missing."""
    return _read(explorer, layer) if _kept(explorer, layer) >= DRAWS else None


def _kept(explorer: Explorer, layer: str) -> int:
    """Up to which draw the labels of all labelers of today are stored; they are stored in whole parts."""
    together = neurons_at_once(explorer.run.manifest.images)
    last = _read(explorer, layer).groupby("labeler")["draw"].max()
    return min((int(last.get(name, -1)) // together + 1) * together for name in LABELERS)


def _read(explorer: Explorer, layer: str) -> pd.DataFrame:
    stored = Additions(explorer.run).read(CONTROL)
    return stored.loc[stored["layer"] == layer, list(COLUMNS)]


def _parts(explorer: Explorer, layer: str, report: Report = silent, start: int = 0) -> Iterator[list[Row]]:
    assert explorer.scorer is not None, "asked of runs with a vocabulary"
    texts, gamma = run_vocabulary(explorer.run).texts, explorer.run.manifest.parameters.gamma
    stage = Stage(f"control of {layer}", DRAWS, report, start=start)
    for part in shuffled_neurons(explorer.run, layer, start=start):
        examples, rows = part.examples, list[Row]()
        scored = explorer.scorer.layer_scores(layer, part.activations, examples.chosen, gamma, examples.wide)
        for draw, (neuron, scores) in enumerate(zip(part.neurons, scored, strict=True), part.first):
            rows += [{"draw": draw, "neuron": neuron, **row} for row in first_labels(scores, texts)]
            stage.reached(draw + 1)
        yield rows
