"""From answers before and after to `Numbers`: the same for what was worked out exactly and by the model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from csp.keeping.run_folder.run import Run
from csp.method.metrics.classification import Quality, quality
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


@dataclass(frozen=True)
class Asked:
    """What was switched off, and how."""

    layers: tuple[str, ...]
    neurons: int
    how: How
    split: str


def numbers(run: Run, answers: Answers, shown: Shown, asked: Asked) -> Numbers:
    """All that is told of one concept from its answers."""
    on, off = shown.on[answers.images], shown.off[answers.images]
    every = np.ones(len(on), dtype=bool)
    main = on if on.any() else every
    of = {
        "on": _changes(answers, answers.mean, on),
        "off": _changes(answers, answers.mean, off),
        "all": _changes(answers, answers.mean, every),
        "resampled_on": _changes(answers, answers.resampled, on),
        "resampled_off": _changes(answers, answers.resampled, off),
    }
    random = (answers.random[:, main] - answers.before[main]).mean(axis=1)
    chosen = _most_changed(of["on"] if on.any() else of["all"])
    chance = by_chance(random, (of["on"] if on.any() else of["all"]).change)
    names = run.manifest.classes
    classes = {
        names[place]: OfClass(
            **{part: _change(found, place) for part, found in of.items()},
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
        **_qualities(run, answers, chosen),
    )


def _changes(
    answers: Answers, after: Float[np.ndarray, "n classes"], rows: Bool[np.ndarray, " n"]
) -> Changes:
    return changes(answers.before[rows], after[rows], np.random.default_rng(SEED))


def _change(found: Changes, place: int) -> Change:
    one = found.of(place)
    return Change(change=number(one.value), low=number(one.low), high=number(one.high), n=one.n)


def _most_changed(found: Changes) -> list[int]:
    """The classes told: all where they are few, in their order."""
    order = np.argsort(-np.abs(np.nan_to_num(found.change)), kind="stable")[:MOST_CLASSES]
    return sorted(order.tolist())


def _qualities(run: Run, answers: Answers, chosen: list[int]) -> dict[str, Any]:
    """Accuracy, AUROC, sensitivity and calibration on the images whose true class is known."""
    labels = run.images["label"].tolist()
    truth, known = known_truth([labels[image] for image in answers.images], run.manifest.classes)
    rng = np.random.default_rng(SEED)
    draws = (
        np.concatenate([np.ones((1, int(known.sum()))), bootstrap_weights(int(known.sum()), rng, RESAMPLES)])
        if known.any()
        else np.ones((1, 0))
    )

    def judged(outputs: Float[np.ndarray, "n classes"], weights: Float[np.ndarray, "b n"]) -> Quality:
        return quality(
            outputs[known], truth[known], weights, independent=answers.link == "sigmoid", chosen=chosen
        )

    before, after = judged(answers.before, draws), judged(answers.mean, draws)
    plain = draws[:1]
    random = [judged(each, plain) for each in answers.random]

    def pair(name: str, place: int | None = None) -> BeforeAfter:
        def column(found: Quality) -> Float64[np.ndarray, " b"]:
            values: Float64[np.ndarray, " b"] = getattr(found, name)
            return values if place is None else values[:, place]

        base = column(before)[0]
        low, high = _middle(column(after)[1:] - column(before)[1:])
        random_low, random_high = _middle(np.array([column(each)[0] for each in random]) - base)
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


def _middle(values: Float64[np.ndarray, " b"]) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None, None
    low, high = np.quantile(finite, [0.025, 0.975])
    return number(low), number(high)
