"""`csp evaluate`: measures labels and neurons in batches that are kept, and sums them up by labeler.

Which metrics there are: `csp.work.metrics.registry`. Results join the run (`results.FAITHFULNESS`); what is
already measured for the same label and settings is not measured again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from csp.keeping.run_folder.added_tables import Additions
from csp.method.labelers.registry import check_labeler
from csp.method.metrics.statistics import Interval, bootstrap_interval
from csp.work.engines.engine import HERE, Engine
from csp.work.explorer.complete_labels import label_all
from csp.work.explorer.explorer import Explorer, reopened
from csp.work.metrics.metric import Metric
from csp.work.metrics.protocol import Measured, Measurer, MetricRequest, Subject
from csp.work.metrics.registry import METRICS, find_metric
from csp.work.metrics.results import FAITHFULNESS, read
from csp.work.metrics.settings import Settings
from csp.work.progress import Report, Stage, silent

BATCH = 64
SEED = 0
Subjects = Sequence[Subject]


@dataclass(frozen=True)
class Evaluation:
    """The results of one request, old and new."""

    request: MetricRequest
    rows: pd.DataFrame
    """Columns of `FAITHFULNESS`."""
    settings: Settings
    by: str


def evaluate(
    explorer: Explorer,
    request: MetricRequest,
    report: Report = silent,
    *,
    batch: int = BATCH,
    in_place: bool = False,
    engine: Engine = HERE,
) -> Evaluation:
    """Measure what the request asks for and was not measured yet; a stopped job goes on where it was.

    With another engine the workers find the run under the same path.

    Raises BadInputError for an unknown metric or labeler and what the run lacks; UnavailableError for models
    that can't be opened.
    """
    metric = find_metric(request.metric)
    for name in request.labelers:
        check_labeler(name)
    measurer = prepare(metric, explorer, request)
    if metric.of_labels and request.options == explorer.options():
        label_all(explorer, report, neurons=request.neurons, in_place=in_place)
    subjects = list(_subjects(explorer, request, metric))
    additions = Additions(explorer.run, in_place=in_place)

    def measured(parts: Sequence[Subjects]) -> Iterator[list[Measured]]:
        there = partial(_measure_of, explorer.run.path, explorer.run.fingerprint, request)
        return engine.each(parts, partial(_measured, metric, measurer), there)

    steps = Steps(request.metric, report, batch)
    rows = measure_missing(additions, metric, measurer, subjects, steps, measured)
    return Evaluation(request, rows, measurer.settings, measurer.by)


@dataclass(frozen=True)
class Steps:
    """How far a measurement tells that it got, and after how many subjects results are kept."""

    stage: str
    report: Report = silent
    batch: int = BATCH


def measure_missing(
    additions: Additions,
    metric: Metric,
    measurer: Measurer,
    subjects: Sequence[Subject],
    steps: Steps,
    measured: Callable[[Sequence[Subjects]], Iterator[list[Measured]]] | None = None,
) -> pd.DataFrame:
    """The rows of these subjects, old and new: columns of `FAITHFULNESS`.

    `measured` gives the numbers of some parts of them, in order; without it the measurer does.
    """
    done = _done(additions, metric, measurer)
    missing = [one for one in subjects if one not in done]
    if missing:
        additions.expect_room()
    stage = Stage(steps.stage, len(missing), steps.report)
    parts = [missing[start : start + steps.batch] for start in range(0, len(missing), steps.batch)]
    found = measured(parts) if measured else map(partial(_measured, metric, measurer), parts)
    for done_now, numbers in zip(accumulate(map(len, parts)), found, strict=True):
        additions.append(FAITHFULNESS, _rows(measurer, numbers))
        stage.reached(done_now)
    additions.compact(FAITHFULNESS)
    rows = _of(read(additions), metric.number_names, measurer.settings)
    return _only(rows, subjects)


def _measured(metric: Metric, measurer: Measurer, part: Subjects) -> list[Measured]:
    with METRICS.blaming(metric.name):
        return list(measurer.measure(part))


def _measure_of(path: Path, fingerprint: str, request: MetricRequest) -> Callable[[Subjects], list[Measured]]:
    """What a worker of a cluster does with the request."""
    metric = find_metric(request.metric)
    return partial(_measured, metric, prepare(metric, reopened(path, fingerprint), request))


def prepare(metric: Metric, explorer: Explorer, request: MetricRequest) -> Measurer:
    """The metric made ready, for a run that has what it needs."""
    with METRICS.blaming(metric.name):
        metric.check(explorer.run)
        return metric.prepare(explorer, request)


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """By number: mean and interval over neurons for each labeler, and paired differences to the first one.

    As JSON: `{"run"..., "numbers": {number: {"methods": {labeler: {"mean", "low", "high", "n"}},
    "differences": {"csp - falcon": {...}}}}}`. Numbers of neurons have the one method `neurons`, and those
    that tell of each class `"classes": {class: {"mean", ...}}`.
    """
    numbers = METRICS[evaluation.request.metric].number_names
    return {
        "metric": evaluation.request.metric,
        "settings": evaluation.settings.as_json(),
        "by": evaluation.by,
        "numbers": {name: _number(evaluation, name) for name in numbers},
    }


def _number(evaluation: Evaluation, number: str) -> dict[str, Any]:
    rows = evaluation.rows[evaluation.rows["metric"] == number]
    wide = rows.pivot(index=["layer", "neuron"], columns="labeler", values="value").astype(np.float64)
    wide = wide.rename(columns={"": "neurons"})
    order = [name for name in (*evaluation.request.labelers, "neurons") if name in wide]
    found = {
        "methods": {name: _mean(wide[name]) for name in order},
        "differences": {f"{order[0]} - {name}": _mean(wide[order[0]] - wide[name]) for name in order[1:]},
    }
    of_class = evaluation.rows[evaluation.rows["metric"].str.startswith(f"{number}/")]
    classes = {
        str(metric).partition("/")[2]: _mean(rows["value"].astype(np.float64))
        for metric, rows in of_class.groupby("metric", sort=False)
    }
    return found | ({"classes": classes} if classes else {})


def _mean(values: pd.Series) -> dict[str, float | int | None]:
    known = values.dropna().to_numpy()
    return interval_json(bootstrap_interval(known, np.random.default_rng(SEED)), "mean")


def interval_json(interval: Interval, name: str) -> dict[str, float | int | None]:
    """An interval as JSON; null for what is not a number."""
    values = {name: interval.value, "low": interval.low, "high": interval.high}
    rounded = {key: round(value, 4) if np.isfinite(value) else None for key, value in values.items()}
    return {**rounded, "n": interval.n}


def _subjects(explorer: Explorer, request: MetricRequest, metric: Metric) -> Iterator[Subject]:
    for layer, neurons in request.neurons.items():
        for neuron in neurons:
            if not metric.of_labels:
                yield Subject(layer, neuron)
                continue
            labels, _ = explorer.labels(layer, neuron, request.options)
            for name in request.labelers:
                if labels.get(name):
                    yield Subject(layer, neuron, name, labels[name][0].label)


def _done(additions: Additions, metric: Metric, measurer: Measurer) -> set[Subject]:
    """The subjects that have all numbers, measured for the label that the neuron still has."""
    rows = _of(read(additions), metric.number_names, measurer.settings)
    rows = rows[rows["metric"].isin(metric.number_names)]
    fields = ["layer", "neuron", "labeler", "label"]
    counted = rows.groupby(fields)["metric"].nunique()
    return {Subject(*key) for key in counted[counted == len(metric.number_names)].index}


def _rows(measurer: Measurer, measured: Iterable[Measured]) -> pd.DataFrame:
    now = datetime.now(UTC).replace(microsecond=0)
    stamp = {"settings": measurer.settings.column, "by": measurer.by, "when": now}
    return pd.DataFrame(
        [
            {
                **asdict(one.subject),
                "metric": one.number,
                "value": one.value,
                "low": one.low,
                "high": one.high,
            }
            | stamp
            for one in measured
        ]
    )


def _of(rows: pd.DataFrame, numbers: Sequence[str], settings: Settings) -> pd.DataFrame:
    """The rows of these numbers, and of those of each class that belong to them (`causal_accuracy/nevus`)."""
    whole = rows["metric"].str.split("/", n=1).str[0]
    return rows[whole.isin(numbers) & (rows["settings"] == settings.column)]


def _only(rows: pd.DataFrame, subjects: Sequence[Subject]) -> pd.DataFrame:
    """The rows of these subjects alone: not of other neurons, nor of labels that neurons no longer have."""
    wanted = set(subjects)
    fields = zip(rows["layer"], rows["neuron"], rows["labeler"], rows["label"], strict=True)
    mask = np.array([Subject(*each) in wanted for each in fields], dtype=bool)
    return rows[mask].reset_index(drop=True)
