"""What a model's classes are called: as its files say, one name each."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_KEYS = (
    "id2label",
    "idx_to_class",
    "class_to_idx",
    "label2id",
    "class_names",
    "classes",
    "label_names",
    "labels",
)
"""Under which training programs keep the names of classes."""
_GENERIC = re.compile(r"LABEL_\d+", re.I)


def class_names(names: Sequence[str], logits: int, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the columns of the probabilities, and say in notes what was wrong with the names given.

    No logits make no classes, a single one makes two, "not x" and "x". Names that say nothing (LABEL_0) and
    names of another count become `class 0`, `class 1`; equal names are told apart by their place. `where`
    begins the notes.
    """
    if not logits:
        no_row = f"{where} names classes, but the model gives no row of numbers for them, so it has none."
        return (), (no_row,) if names else ()
    columns = max(logits, 2)
    numbered = tuple(f"class {place}" for place in range(columns))
    given = [name.strip() for name in names]
    if not given:
        return numbered, ()
    if all(_GENERIC.fullmatch(name) for name in given):
        return numbered, (f"{where} does not say what its classes are called, so they have numbers.",)
    if logits == 1 and len(given) == 1:
        given = [f"not {given[0]}", given[0]]
    if len(given) != columns:
        return numbered, (
            f"{where} names {len(given)} classes but its head has {columns}, so they have numbers instead.",
        )
    filled = [name or numbered[place] for place, name in enumerate(given)]
    equal = [name for name, count in Counter(filled).items() if count > 1]
    if not equal:
        return tuple(filled), ()
    apart = tuple(f"{name} ({place})" if name in equal else name for place, name in enumerate(filled))
    return apart, (f"{where} has several classes called '{equal[0]}', told apart by their numbers.",)


def stated_classes(facts: Mapping[str, Any]) -> list[str]:
    """The class names among the plain values of a file, in the order of the classes; [] without any."""
    for key in _KEYS:
        names = _in_order(facts.get(key))
        if names:
            return names
    return []


def _in_order(value: Any) -> list[str]:
    """A list of names, or a mapping from names to places or from places to names."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return list(value)
    if not isinstance(value, Mapping):
        return []
    pairs = [(place, name) if isinstance(name, str) else (name, place) for place, name in value.items()]
    try:
        placed = {int(place): str(name) for place, name in pairs}
    except (TypeError, ValueError):
        return []
    return (
        [placed[place] for place in range(len(placed))] if sorted(placed) == list(range(len(placed))) else []
    )
