"""From answers before and after to `Numbers`: the same for what was worked out exactly and by the model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from csp.keeping.run_folder.run import Run
from csp.method.metrics.classification import Quality, quality, quality_of_each, right
from csp.method.reliance import (
    Changes,
    Link,
    bootstrap_weights,
    by_chance,
    changes,
    known_truth,
)
from csp.work.reliance.concepts import Shown
from csp.work.reliance.numbers import BeforeAfter, Chance, Change, How, Numbers, OfClass, number

SEED = 0
MOST_CLASSES = 20
"""With more, only the classes that change most are told."""
RESAMPLES = 400
"""Of the images, for accuracy and its like."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What the model says of some probe images with a concept's neurons and without."""

    images: np.ndarray
    """Their numbers."""
    before: Float64[np.ndarray, "n classes"]
    mean: Float64[np.ndarray, "n classes"]
    """With the neurons at their mean."""
    resampled: Float64[np.ndarray, "n classes"]
    """With the neurons at the values that they have on other images."""
    random: Float64[np.ndarray, "g n classes"]
    """With random groups of as many neurons at their mean."""
    link: Link
    erased: Float64[np.ndarray, "n classes"] | None = None
    """With everything in the layer that goes with the concept taken away; None where that can't be told."""


@dataclass(frozen=True)
class Asked:
    """What was switched off, and how."""

    layers: tuple[str, ...]
    neurons: int
    how: How
    split: str
    pictures: tuple[int, ...]


def numbers(run: Run, answers: Answers, shown: Shown, asked: Asked) -> Numbers:
    """All that is told of one concept from its answers."""
    on, off = shown.on[answers.images], shown.off[answers.images]
    every = np.ones(len(on), dtype=bool)
    main = main_rows(answers, shown)
    of = {
        "on": _changes(answers, answers.mean, on),
        "off": _changes(answers, answers.mean, off),
        "all": _changes(answers, answers.mean, every),
        "resampled_on": _changes(answers, answers.resampled, on),
        "resampled_off": _changes(answers, answers.resampled, off),
    }
    if answers.erased is not None:
        of["erased"] = _changes(answers, answers.erased, on)
    random = (answers.random[:, main] - answers.before[main]).mean(axis=1)
    chosen = _most_changed(of["on"] if on.any() else of["all"])
    chance = by_chance(random, (of["on"] if on.any() else of["all"]).change)
    names = run.manifest.classes
    classes = {
        names[place]: OfClass(
            before=number(answers.before[main, place].mean()),
            **{part: told(found, place) for part, found in of.items()},
            random=Chance(
                mean=number(chance.mean[place]),
                low=number(chance.low[place]),
                high=number(chance.high[place]),
                beaten=float(chance.beaten[place]),
                groups=chance.groups,
            ),
        )
        for place in chosen
    }
    return Numbers(
        layers=asked.layers,
        neurons=asked.neurons,
        how=asked.how,
        shown=shown.by,
        split=asked.split,
        images=len(answers.images),
        classes=classes,
        pictures=asked.pictures,
        **_qualities(run, answers, chosen),
    )


def main_rows(answers: Answers, shown: Shown) -> Bool[np.ndarray, " n"]:
    """The images that the main number is about: those that show the concept, all where none is known to."""
    on: Bool[np.ndarray, " n"] = shown.on[answers.images]
    return on if on.any() else np.ones(len(on), dtype=bool)


def _changes(
    answers: Answers, after: Float[np.ndarray, "n classes"], rows: Bool[np.ndarray, " n"]
) -> Changes:
    return changes(answers.before[rows], after[rows], np.random.default_rng(SEED))


def told(found: Changes, place: int) -> Change:
    """Of one class, as it is kept."""
    one = found.of(place)
    return Change(change=number(one.value), low=number(one.low), high=number(one.high), n=one.n)


def _most_changed(found: Changes) -> list[int]:
    """The classes told: all where they are few, in their order."""
    order = np.argsort(-np.abs(np.nan_to_num(found.change)), kind="stable")[:MOST_CLASSES]
    return sorted(order.tolist())


def _qualities(run: Run, answers: Answers, chosen: list[int]) -> dict[str, Any]:
    """Accuracy, AUROC, sensitivity and calibration on the images whose true class is known."""
    truth, known = _truth(run, answers)
    ones, rng = np.ones((1, int(known.sum()))), np.random.default_rng(SEED)

    def judged(outputs: Float[np.ndarray, "n classes"], weights: Float[np.ndarray, "b n"]) -> Quality:
        return quality(
            outputs[known], truth[known], weights, independent=answers.link == "sigmoid", chosen=chosen
        )

    before, after = judged(answers.before, ones), judged(answers.mean, ones)
    draws = [
        (judged(answers.before, weights), judged(answers.mean, weights))
        for weights in bootstrap_weights(int(known.sum()), rng, RESAMPLES)
    ]
    random = quality_of_each(
        answers.random[:, known], truth[known], independent=answers.link == "sigmoid", chosen=chosen
    )

    def pair(name: str, place: int | None = None) -> BeforeAfter:
        def column(found: Quality) -> Float64[np.ndarray, " b"]:
            values: Float64[np.ndarray, " b"] = getattr(found, name)
            return values if place is None else values[:, place]

        base = column(before)[0]
        low, high = _middle(
            np.concatenate([column(two) - column(one) for one, two in draws] or [np.zeros(0)])
        )
        random_low, random_high = _middle(column(random) - base)
        return BeforeAfter(
            before=number(base),
            after=number(column(after)[0]),
            low=low,
            high=high,
            random_low=random_low,
            random_high=random_high,
        )

    names = [run.manifest.classes[place] for place in chosen]
    return {
        "accuracy": pair("accuracy"),
        "calibration": pair("calibration"),
        "auroc": {name: pair("auroc", place) for place, name in enumerate(names)},
        "sensitivity": {name: pair("sensitivity", place) for place, name in enumerate(names)},
    }


def accuracy(run: Run, answers: Answers, rows: Bool[np.ndarray, " n"]) -> BeforeAfter:
    """On some of the images, without comparison to chance."""
    truth, known = _truth(run, answers)
    chosen = known & rows
    independent = answers.link == "sigmoid"
    right_before, right_after = (
        right(outputs[chosen], truth[chosen], independent) for outputs in (answers.before, answers.mean)
    )
    found = changes(right_before[:, None], right_after[:, None], np.random.default_rng(SEED)).of(0)
    return BeforeAfter(
        before=number(right_before.mean() if len(right_before) else np.nan),
        after=number(right_after.mean() if len(right_after) else np.nan),
        low=number(found.low),
        high=number(found.high),
    )


def _truth(run: Run, answers: Answers) -> tuple[Bool[np.ndarray, "n classes"], Bool[np.ndarray, " n"]]:
    """The true classes of the images, and of which images they are known."""
    labels = run.images["label"].tolist()
    return known_truth([labels[image] for image in answers.images], run.manifest.classes)


def _middle(values: Float64[np.ndarray, " b"]) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None, None
    low, high = np.quantile(finite, [0.025, 0.975])
    return number(low), number(high)
