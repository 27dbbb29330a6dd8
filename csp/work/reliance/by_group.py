"""Reliance for whom: the same numbers on each part of the held-out images."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from csp.keeping.run_folder.run import Run
from csp.method.reliance import by_chance_apart, changes
from csp.work.reliance.concepts import Shown
from csp.work.reliance.measure import SEED, Answers, accuracy, main_rows, told
from csp.work.reliance.numbers import ByColumn, Difference, Numbers, OfGroup, Side
from csp.work.subgroups import SMALL, Subgroup, subgroups

DRAWS = 500


def by_column(run: Run, answers: Answers, shown: Shown, numbers: Numbers, column: str) -> ByColumn:
    """By one column of the dataset; raises NotFoundError for one that it lacks."""
    groups = [(group, np.asarray(group.rows[answers.images], dtype=bool)) for group in subgroups(run, column)]
    found = tuple(
        _of_group(run, answers, shown, numbers, group, rows) for group, rows in groups if rows.any()
    )
    return ByColumn(column=column, groups=found, difference=_difference(run, answers, shown, numbers, groups))


def _of_group(
    run: Run, answers: Answers, shown: Shown, numbers: Numbers, group: Subgroup, rows: np.ndarray
) -> OfGroup:
    main = main_rows(answers, shown)
    sides: dict[Side, np.ndarray] = {
        "with": shown.on[answers.images] & rows,
        "without": shown.off[answers.images] & rows,
    }
    found = {
        side: changes(answers.before[chosen], answers.mean[chosen], np.random.default_rng(SEED))
        for side, chosen in sides.items()
    }
    places = {name: run.manifest.classes.index(name) for name in numbers.classes}
    return OfGroup(
        name=group.name,
        n=int(rows.sum()),
        small=bool((rows & main).sum() < SMALL),
        classes={
            name: {side: told(one, place) for side, one in found.items()} for name, place in places.items()
        },
        accuracy=accuracy(run, answers, rows),
    )


def _difference(
    run: Run,
    answers: Answers,
    shown: Shown,
    numbers: Numbers,
    groups: Sequence[tuple[Subgroup, np.ndarray]],
) -> Difference | None:
    """In the class that changes most; over images that show the concept, all where none is known to."""
    main = main_rows(answers, shown)
    ranked = [(group.name, rows & main) for group, rows in groups if (rows & main).sum() >= SMALL]
    if len(ranked) < 2:
        return None
    place = run.manifest.classes.index(numbers.most)
    change: Float64[np.ndarray, " n"] = (answers.mean - answers.before)[:, place]
    member: Int64[np.ndarray, " n"] = np.full(len(main), -1, dtype=np.int64)
    for number, (_, rows) in enumerate(ranked):
        member[rows] = number
    own = member >= 0
    means, random_high = by_chance_apart(change[own], member[own], np.random.default_rng(SEED), DRAWS)
    return Difference(
        of_class=numbers.most,
        least=ranked[int(np.abs(means).argmin())][0],
        most=ranked[int(np.abs(means).argmax())][0],
        apart=float(np.ptp(means)),
        random_high=random_high,
    )
