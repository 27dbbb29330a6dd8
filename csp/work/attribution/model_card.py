"""How good the target model is, for whom: the numbers of a model card by any column of the dataset.

card = model_card(explorer, "skin_tone")      # None: all images together; BadInputError
card.groups[0].classes[2].auroc               # Interval, over bootstrap resamples of the group's images
card.apart(2, "auroc")                        # which groups are furthest apart, and what chance gives
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from pandas.api.types import is_bool_dtype

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.method.metrics.classification import decided, quality
from csp.method.metrics.statistics import Interval, auroc_matrix
from csp.method.reliance import bootstrap_weights, known_truth, link_of
from csp.work.explorer.explorer import Explorer
from csp.work.splits import held_out
from csp.work.subgroups import SMALL, in_words, subgroups

SEED, RESAMPLES, SHUFFLES = 0, 400, 200
MOST_CLASSES = 20
GUESSES = "The model is hardly better than guessing, so what pushes towards a class says little"
GUESSES_BY_NONE = "A model that guesses has no artefacts that matter to its answers."
"""What stands beside the number of neurons that seem to follow one."""
GUESSING = 0.6
"""Below this mean AUROC a model counts as guessing. Chosen, not fitted."""
MOST_ANSWERS = 20_000_000
"""Of more answers (images times classes) it is not asked whether the model guesses: that takes long."""
ALL = "all images"

Which = Literal["auroc", "sensitivity", "specificity"]
AS_DECIDED = "Sensitivity as decided"
"""Of what the model says: its most likely class, or all from 0.5 on; not of a threshold that one chooses."""


@dataclass(frozen=True)
class ClassNumbers:
    """One class against all others, in one group."""

    name: str
    auroc: Interval
    sensitivity: Interval
    """As decided: of the images of this class, the share that the model calls so; n: how many there are."""
    specificity: Interval
    """Of all others, the share that it does not call so."""

    @property
    def ranked(self) -> bool:
        """Whether the group is compared with others in this class: by the one rule for all its numbers."""
        return bool(enough(self.sensitivity.n, self.specificity.n))


@dataclass(frozen=True)
class GroupNumbers:
    """The model on one part of the labelled images."""

    name: str
    n: int
    accuracy: Interval
    calibration: Interval
    """Expected calibration error, 0 to 1, 0 the best."""
    classes: tuple[ClassNumbers, ...]

    @property
    def small(self) -> bool:
        """Whether its numbers say too little to be compared."""
        return self.n < SMALL


@dataclass(frozen=True)
class Apart:
    """The two groups that differ most in one number, of those with `enough` images."""

    least: str
    most: str
    difference: float
    by_chance: float
    """So far apart are groups of these sizes in 95 of 100 cases where the group makes no difference."""


@dataclass(frozen=True)
class ModelCard:
    """The model by the values of one column."""

    column: str | None
    part: str
    """The split, or `all` where none is held out."""
    independent: bool
    """Whether an image may have several labels, each decided for itself."""
    all: GroupNumbers
    groups: tuple[GroupNumbers, ...]
    differences: Mapping[str, Apart]
    """By `number/place of the class`, where two groups or more can be compared."""

    def apart(self, place: int, which: Which) -> Apart | None:
        """For one class; None where fewer than two groups can be compared."""
        return self.differences.get(f"{which}/{place}")

    def unranked(self, place: int) -> tuple[GroupNumbers, ...]:
        """The groups that are not compared in one class, as they hold too few images of it or of others."""
        return tuple(group for group in self.groups if not group.classes[place].ranked)

    def named(self, group: str) -> str:
        """A group in words, with what its value is of: `skin tone 4`."""
        return group if self.column is None else f"{in_words(self.column)} {group}"


@dataclass(frozen=True)
class Skill:
    """Whether the model tells its classes at all; else nothing follows from what pushes towards them."""

    auroc: float
    """Mean over the classes with `enough` images, each against all others."""
    classes: int
    """How many these are."""
    images: int
    part: str

    @property
    def guessing(self) -> bool:
        """Whether the model is hardly better than guessing."""
        return self.auroc < GUESSING

    @property
    def sentence(self) -> str:
        """What was measured, on what."""
        held = "" if self.part == "all" else f"{self.part} "
        return f"{self.number} on {self.images:,} {held}images (0.50 is guessing)"

    @property
    def number(self) -> str:
        """The number alone, for where there is one line."""
        return f"{'Mean ' if self.classes > 1 else ''}AUROC {self.auroc:.2f}"


def skill(run: Run) -> Skill | None:
    """By the held-out images with a label; None where that can't be told, or takes long."""
    if len(run.images) * len(run.manifest.classes) > MOST_ANSWERS:
        return None
    try:
        answers = _answers(run, run.probabilities)
    except BadInputError:
        return None
    shown = answers.truth.sum(axis=0)
    ranked = np.flatnonzero(enough(shown, len(answers.images) - shown))[:MOST_CLASSES]
    if not len(ranked):
        return None
    each = [auroc_matrix(answers.outputs[:, [one]], answers.truth[:, [one]])[0, 0] for one in ranked]
    return Skill(float(np.mean(each)), len(ranked), len(answers.images), answers.part)


def enough(of_class: Any, others: Any) -> Any:
    """Whether so many images of a class and so many others, numbers or arrays, let groups be compared."""
    return np.minimum(of_class, others) >= SMALL


def model_card(explorer: Explorer, column: str | None = None) -> ModelCard:
    """Of the held-out images with a label; kept for the next time.

    Raises BadInputError for a run without class probabilities or labels, NotFoundError for an unknown column.
    """
    run = explorer.run
    check_column(run, column)

    def compute() -> dict[str, Any]:
        return card_as_json(card_of(run, run.probabilities, column))

    return card_from_json(explorer.cache.get_or_compute({"column": column}, compute).value)


def check_column(run: Run, column: str | None) -> None:
    """Raise NotFoundError for a column that the dataset lacks."""
    if column is not None:
        subgroups(run, column)


def card_of(run: Run, outputs: Float[np.ndarray, "n classes"] | None, column: str | None) -> ModelCard:
    """The same of other answers to the same images, such as those without some neurons; not kept."""
    answers = _answers(run, outputs)
    parts = () if column is None else subgroups(run, column)
    groups = [(part.name, part.rows[answers.images]) for part in parts]
    known = [(name, rows) for name, rows in groups if rows.any()]
    return ModelCard(
        column=column,
        part=answers.part,
        independent=answers.independent,
        all=_numbers(answers, ALL, np.ones(len(answers.images), dtype=bool)),
        groups=tuple(_numbers(answers, name, rows) for name, rows in known),
        differences=_differences(answers, known),
    )


def card_as_json(card: ModelCard) -> dict[str, Any]:
    """Plain values, None for NaN."""
    found: dict[str, Any] = _without_nan(asdict(card))
    return found


def card_from_json(value: Mapping[str, Any]) -> ModelCard:
    """What `card_as_json` was given."""
    return ModelCard(
        column=value["column"],
        part=value["part"],
        independent=value["independent"],
        all=_group(value["all"]),
        groups=tuple(_group(one) for one in value["groups"]),
        differences={key: Apart(**one) for key, one in value["differences"].items()},
    )


@dataclass(frozen=True, eq=False)
class _Answers:
    names: tuple[str, ...]
    images: Int64[np.ndarray, " n"]
    outputs: Float64[np.ndarray, "n classes"]
    truth: Bool[np.ndarray, "n classes"]
    independent: bool
    part: str


def _answers(run: Run, outputs: Float[np.ndarray, "n classes"] | None) -> _Answers:
    names = run.manifest.classes
    if outputs is None or not names:
        raise BadInputError(
            "the run holds no class probabilities, so how good the model is can't be told: make it with "
            "`csp index`, or import them with --probabilities"
        )
    finite = np.isfinite(outputs).all(axis=1)
    link = link_of(outputs[finite])
    if link == "none":
        raise BadInputError(
            "the model's answers are no probabilities of classes (they leave the range from 0 to 1), so "
            "there is no sensitivity or AUROC of a class to tell"
        )
    truth, known = _truth(run, independent=link == "sigmoid")
    rows, part = held_out(run)
    images = np.flatnonzero(rows & known & finite)
    if not len(images):
        raise BadInputError(
            f"none of the {'' if part == 'all' else part + ' '}images has a label that is a class of the "
            "model, so how good it is can't be told"
        )
    return _Answers(names, images, outputs[images].astype(np.float64), truth[images], link == "sigmoid", part)


def _truth(run: Run, *, independent: bool) -> tuple[Bool[np.ndarray, "n classes"], Bool[np.ndarray, " n"]]:
    """Which classes each image really has, and of which images that is known.

    Classes that exclude each other by the label. Independent ones by the dataset's columns of their names
    where it has them all, else by the label, which may be another than any of them.
    """
    table, names = run.images, run.manifest.classes
    truth, known = known_truth(table["label"].tolist(), names)
    if not independent:
        return truth, known
    if all(name in table.columns and is_bool_dtype(table[name].dropna().infer_objects()) for name in names):
        stated = table[list(names)]
        return stated.fillna(False).to_numpy(dtype=bool), stated.notna().all(axis=1).to_numpy(dtype=bool)
    return truth, table["label"].notna().to_numpy(dtype=bool)


def _numbers(answers: _Answers, name: str, rows: Bool[np.ndarray, " n"]) -> GroupNumbers:
    n, positives = int(rows.sum()), answers.truth[rows].sum(axis=0)
    draws = bootstrap_weights(n, np.random.default_rng(SEED), RESAMPLES)
    found = _measured(answers, rows, (np.ones((1, n)), *draws))
    return GroupNumbers(
        name=name,
        n=n,
        accuracy=_interval(found.accuracy, n),
        calibration=_interval(found.calibration, n),
        classes=tuple(
            ClassNumbers(
                answers.names[place],
                _interval(found.auroc[:, place], n),
                _interval(found.sensitivity[:, place], int(positives[place])),
                _interval(found.specificity[:, place], n - int(positives[place])),
            )
            for place in _places(answers)
        ),
    )


@dataclass(frozen=True, eq=False)
class _Measured:
    """One row a weighting of the images."""

    accuracy: Float64[np.ndarray, " b"]
    calibration: Float64[np.ndarray, " b"]
    auroc: Float64[np.ndarray, "b classes"]
    sensitivity: Float64[np.ndarray, "b classes"]
    specificity: Float64[np.ndarray, "b classes"]


def _measured(
    answers: _Answers, rows: Bool[np.ndarray, " n"], weights: Iterable[Float64[np.ndarray, "b m"]]
) -> _Measured:
    """Of some images; the weightings come some at a time, as many as fit into memory."""
    outputs, truth, alone = answers.outputs[rows], answers.truth[rows], answers.independent
    parts = []
    for some in weights:
        worth = quality(outputs, truth, some, independent=alone, chosen=_places(answers))
        said = decided(outputs, truth, some, independent=alone)
        parts.append((worth.accuracy, worth.calibration, worth.auroc, *said))
    return _Measured(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _places(answers: _Answers) -> list[int]:
    return list(range(min(len(answers.names), MOST_CLASSES)))


def _interval(values: Float[np.ndarray, " b"], n: int) -> Interval:
    """The first is of the images as they are; resamples that can't tell are left out."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not len(drawn) or n < 2:
        return Interval(float(values[0]), float("nan"), float("nan"), n)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(values[0]), float(low), float(high), n)


def _differences(answers: _Answers, groups: Sequence[tuple[str, Bool[np.ndarray, " n"]]]) -> dict[str, Apart]:
    """How far the groups are apart, against shuffled images."""
    large = [(name, rows) for name, rows in groups if rows.sum() >= SMALL]
    if len(large) < 2:
        return {}
    own = np.logical_or.reduce([rows for _, rows in large])
    truth, rng = answers.truth[own], np.random.default_rng(SEED)
    members = np.stack([rows[own] for _, rows in large]).astype(np.float64)
    orders = [np.arange(members.shape[1]), *(rng.permutation(members.shape[1]) for _ in range(SHUFFLES))]
    measured = _measured(answers, own, (members[:, order] for order in orders))
    found: dict[str, Apart] = {}
    for place in _places(answers):
        told = enough(members @ truth[:, place], members @ ~truth[:, place])
        if told.sum() < 2:
            continue
        names = [name for (name, _), one in zip(large, told, strict=True) if one]
        for which in get_args(Which):
            values = getattr(measured, which)[:, place].reshape(len(orders), len(large))[:, told]
            found[f"{which}/{place}"] = _apart(names, values)
    return found


def _apart(names: Sequence[str], by_group: Float64[np.ndarray, "s g"]) -> Apart:
    """The first row is as it is, the others are by chance."""
    spread = by_group.max(axis=1) - by_group.min(axis=1)
    return Apart(
        names[int(by_group[0].argmin())],
        names[int(by_group[0].argmax())],
        float(spread[0]),
        float(np.nanquantile(spread[1:], 0.95)),
    )


def _without_nan(value: Any) -> Any:
    """For JSON: NaN is None."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _group(row: Mapping[str, Any]) -> GroupNumbers:
    return GroupNumbers(
        row["name"],
        row["n"],
        _told(row["accuracy"]),
        _told(row["calibration"]),
        tuple(
            ClassNumbers(
                one["name"], _told(one["auroc"]), _told(one["sensitivity"]), _told(one["specificity"])
            )
            for one in row["classes"]
        ),
    )


def _told(row: Mapping[str, Any]) -> Interval:
    value, low, high = (np.nan if row[key] is None else row[key] for key in ("value", "low", "high"))
    return Interval(value, low, high, row["n"])
