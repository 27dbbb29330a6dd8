"""Reliance as rows of a table: one a concept and class, and for each subgroup where one asked for them."""

from collections.abc import Iterator
from typing import Any

from csp.work.reliance.numbers import Change
from csp.work.reliance.reliance import ConceptReliance, Reliance

_SIDE = ("with", "without")
COLUMNS = (
    *("concept", "group", "class", "neurons", "checked"),
    *(f"{side}{part}" for side in _SIDE for part in ("", "_low", "_high", "_n")),
    *("random_low", "random_high", "more_than_chance", "leans", "shown_by"),
)


def rows_of(found: Reliance) -> Iterator[dict[str, Any]]:
    """Each with `COLUMNS`; `group` is empty for all images."""
    for one in found.concepts:
        for name, told in one.numbers.classes.items():
            sides = {"with": told.on, "without": told.off}
            random = {"random_low": told.random.low, "random_high": told.random.high}
            yield _row(one, "", name, sides) | random
        for group in one.subgroups.groups if one.subgroups else ():
            for name, parts in group.classes.items():
                yield _row(one, group.name, name, {side: parts[side] for side in ("with", "without")})


def _row(one: ConceptReliance, group: str, name: str, sides: dict[str, Change]) -> dict[str, Any]:
    changes = {
        f"{side}{part}": value
        for side, told in sides.items()
        for part, value in (("", told.change), ("_low", told.low), ("_high", told.high), ("_n", told.n))
    }
    return {
        "concept": one.concept.name,
        "group": group,
        "class": name,
        "neurons": one.numbers.neurons,
        "checked": one.concept.checked,
        **changes,
        "more_than_chance": one.more_than_chance,
        "leans": one.leans,
        "shown_by": one.numbers.shown,
    }
