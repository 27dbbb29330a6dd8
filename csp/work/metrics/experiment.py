"""The paper's comparison on one run: several ways to label, several numbers, one table with intervals.

experiment = read_experiment(Path("examples/demo-experiment.yaml"))
found = run_experiment(experiment)          # resumes: what is measured is kept with the run
found.table("dma"), found.markdown()
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from csp.errors import BadInputError, NotFoundError
from csp.keeping.atomic import deliver
from csp.keeping.library.find import find_run
from csp.keeping.run_folder.added_tables import Additions
from csp.method.labelers.registry import LABELERS
from csp.method.metrics.statistics import Interval, bootstrap_interval
from csp.work.candidates.read import candidates
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.indexing.field_faults import shown, wish
from csp.work.indexing.index import index
from csp.work.indexing.spec import make_spec, read_config
from csp.work.metrics.evaluate import Steps, measure_missing, prepare
from csp.work.metrics.protocol import MetricRequest, Subject
from csp.work.metrics.registry import NUMBERS, find_metric
from csp.work.progress import Report, silent
from csp.world.documents import read_settings
from csp.world.vlms.prompts import GRIDS

SEED = 0


class Way(BaseModel):
    """One way to label: a labeler over the vocabulary, or over a VLM's candidates of one mode."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    labeler: str = "csp"
    gamma: float | None = None
    candidates: str | None = None
    """`activating-only` or `contrastive`: choose among the VLM's candidates; None: among the vocabulary."""


class Experiment(BaseModel):
    """What is compared, on what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    """Name or folder of a run; made by `index` first where it does not exist."""
    index: str | None = None
    """A configuration of `csp index`, relative to this file."""
    layers: tuple[str, ...] = ()
    neurons: int | None = None
    """How many neurons of each layer, spread evenly; None: all."""
    ways: tuple[Way, ...]
    metrics: tuple[str, ...] = ("ground-truth", "simcorr", "cosy")
    simulator: str | None = None
    generator: str | None = None
    generated: int = 20


@dataclass(frozen=True)
class ExperimentResults:
    """The values of every number, way and neuron."""

    experiment: Experiment
    run: str
    fingerprint: str
    values: Mapping[str, pd.DataFrame]
    """By number: one row a neuron (layer, neuron), one column a way; NaN where not measured."""

    def table(self, number: str) -> dict[str, Interval]:
        """By way: the mean over the neurons that all ways have, with its 95 % interval."""
        common = self.values[number].dropna()
        return {str(way): _mean(common[way]) for way in common}

    def differences(self, number: str) -> dict[str, Interval]:
        """By way but the first: first minus this one, paired by neuron."""
        common = self.values[number].dropna()
        first, *others = common.columns
        return {str(way): _mean(common[first] - common[way]) for way in others}

    def markdown(self) -> str:
        """One table: a row a way, a column a number; then the paired differences to the first way."""
        shown = [number for number in self.values if not self.values[number].dropna().empty]
        ways = [way.name for way in self.experiment.ways]
        heads = [f"{NUMBERS[number].title} (n = {len(self.values[number].dropna())})" for number in shown]
        means = {number: self.table(number) for number in shown}
        apart = {number: self.differences(number) for number in shown}
        lines = [_line(["way to label", *heads]), _line(["---"] * (len(shown) + 1))]
        lines += [_line([way, *(_words(means[number][way]) for number in shown)]) for way in ways]
        lines += ["", f"{ways[0]} minus the other, paired by neuron:", ""]
        lines += [_line(["", *heads]), _line(["---"] * (len(shown) + 1))]
        lines += [_line([way, *(_words(apart[number][way]) for number in shown)]) for way in ways[1:]]
        return "\n".join(lines) + "\n"


def read_experiment(path: Path) -> Experiment:
    """Read a YAML file; raises NotFoundError, or BadInputError that names the field."""
    content = read_settings(path, "experiment")
    try:
        experiment = Experiment.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInputError(f"{path}: {place} {shown(first['input'])} can't be used: {wish(first)}") from None
    _check(experiment, path)
    if experiment.index is None:
        return experiment
    return experiment.model_copy(update={"index": str(path.parent / experiment.index)})


def run_experiment(
    experiment: Experiment, report: Report = silent, *, in_place: bool = False
) -> ExperimentResults:
    """Measure what is not measured yet, and put all of it together. Raises any CspError of its parts."""
    explorer = open_explorer(_run(experiment, report))
    neurons = _neurons(explorer, experiment)
    additions = Additions(explorer.run, in_place=in_place)
    options_of = {way.name: explorer.options(gamma=way.gamma) for way in experiment.ways}
    labels = {way.name: _labels(explorer, way, options_of[way.name], neurons) for way in experiment.ways}
    values: dict[str, dict[str, pd.Series]] = {}
    for way in experiment.ways:
        options, subjects = options_of[way.name], labels[way.name]
        for name in experiment.metrics:
            metric = find_metric(name)
            request = MetricRequest(
                name,
                (way.labeler,),
                options,
                neurons,
                experiment.simulator,
                experiment.generator,
                experiment.generated,
            )
            measurer = prepare(metric, explorer, request)
            rows = measure_missing(
                additions, metric, measurer, subjects, Steps(f"{way.name}: {name}", report)
            )
            for number in metric.number_names:
                one = rows[rows["metric"] == number].set_index(["layer", "neuron"])["value"]
                values.setdefault(number, {})[way.name] = one.astype(np.float64)
    tables = {number: pd.DataFrame(columns) for number, columns in values.items()}
    return ExperimentResults(experiment, explorer.run.name, explorer.run.fingerprint, tables)


def as_json(found: ExperimentResults) -> dict[str, Any]:
    """The run, and by number the mean of each way and the first way's lead over the others."""
    return {
        "run": found.run,
        "fingerprint": found.fingerprint,
        "experiment": found.experiment.model_dump(mode="json"),
        "numbers": {
            number: {
                "means": {way: asdict(one) for way, one in found.table(number).items()},
                "differences": {way: asdict(one) for way, one in found.differences(number).items()},
            }
            for number in found.values
        },
    }


def write_markdown(found: ExperimentResults, path: Path) -> None:
    """Write the table, whole or not at all; raises UnavailableError when the file can't be written."""
    deliver(path, found.markdown().encode())


def _check(experiment: Experiment, path: Path) -> None:
    for way in experiment.ways:
        if way.labeler not in LABELERS:
            raise BadInputError(
                f"{path}: there is no labeler {way.labeler!r}; there is {', '.join(LABELERS)}"
            )
        if way.candidates not in (None, *GRIDS):
            raise BadInputError(f"{path}: candidates are {' or '.join(GRIDS)}, not {way.candidates!r}")
    if len({way.name for way in experiment.ways}) < max(2, len(experiment.ways)):
        raise BadInputError(f"{path}: a comparison needs two ways at least, each with a name of its own")
    for name in experiment.metrics:
        if not find_metric(name).of_labels:
            raise BadInputError(f"{path}: {name} measures neurons, not labels, so it compares no ways")


def _run(experiment: Experiment, report: Report) -> str:
    try:
        return str(find_run(experiment.run))
    except NotFoundError:
        if experiment.index is None:
            raise
    return str(index(make_spec(read_config(Path(experiment.index))), report))


def _neurons(explorer: Explorer, experiment: Experiment) -> dict[str, list[int]]:
    chosen = {}
    for layer in experiment.layers or explorer.run.layers:
        count = explorer.run.layer(layer).neurons
        wanted = count if experiment.neurons is None else min(count, experiment.neurons)
        chosen[layer] = np.linspace(0, count - 1, wanted).round().astype(int).tolist()
    return chosen


def _labels(
    explorer: Explorer, way: Way, options: ExampleOptions, neurons: Mapping[str, Sequence[int]]
) -> list[Subject]:
    """What one way measures; BadInputError where it has no label at all, as then nothing can be compared."""
    found = list(_subjects(explorer, way, options, neurons))
    if found:
        return found
    mode = " --activating-only" if way.candidates == "activating-only" else ""
    missing = f"ask a model first: csp candidates {explorer.run.name} --vlm SPEC{mode}"
    raise BadInputError(
        f"no neuron has a label by the way {way.name!r}; "
        + (missing if way.candidates else "the run has no vocabulary, or its neurons never fire")
    )


def _subjects(
    explorer: Explorer, way: Way, options: ExampleOptions, neurons: Mapping[str, Sequence[int]]
) -> Iterator[Subject]:
    """The first label of each neuron; the labeler's name says the way, so that ways are kept apart."""
    name = way.labeler if way.candidates is None else f"{way.labeler} of {way.candidates} candidates"
    for layer, numbers in neurons.items():
        for neuron in numbers:
            label = _first(explorer, way, options, (layer, neuron))
            if label is not None:
                yield Subject(layer, neuron, name, label)


def _first(explorer: Explorer, way: Way, options: ExampleOptions, spot: tuple[str, int]) -> str | None:
    if way.candidates is None:
        labels, _ = explorer.labels(*spot, options)
        rows = labels.get(way.labeler, ())
        return rows[0].label if rows else None
    proposed = [
        one
        for one in candidates(explorer, *spot, options)
        if one.source == "vlm" and one.mode == way.candidates and way.labeler in one.scores
    ]
    best = max(proposed, key=lambda one: one.scores[way.labeler].score, default=None)
    return None if best is None else best.text


def _mean(values: pd.Series) -> Interval:
    return bootstrap_interval(values.to_numpy(dtype=np.float64), np.random.default_rng(SEED))


def _words(one: Interval) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _line(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
