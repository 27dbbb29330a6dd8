"""The probe dataset as a run takes it: columns under names of their own, labels in the model's spelling."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from csp.keeping.run_folder.tables import IMAGES
from csp.work.runs.spec_paths import openable_spec
from csp.world.protocols.dataset import Dataset, open_dataset
from csp.world.tables import same_name

SHOWN = 4
NUMBER = re.compile(r"\d+(\.0*)?", re.ASCII)
WORDS_FOR_NUMBERS = (
    "; what these numbers stand for is not guessed: write the names of the classes in their place"
)
OWN = tuple(IMAGES)
"""Columns that a run fills in itself."""


def open_probe_dataset(spec: str) -> Dataset:
    """Open a dataset; columns that a run fills in itself get another name. Raises as `open_dataset`."""
    dataset = open_dataset(openable_spec(spec))
    clashing = [name for name in dataset.attributes if name.lower() in OWN]
    if not clashing:
        return dataset
    renamed = _free_names(clashing, dataset.table.columns)
    kept = ", ".join(renamed.values())
    note = f"a run fills in {', '.join(clashing)} itself, so these columns of the dataset are kept as {kept}"
    return replace(dataset, table=dataset.table.rename(columns=renamed), notes=(*dataset.notes, note))


def _free_names(clashing: Sequence[str], taken: Iterable[object]) -> dict[str, str]:
    names, renamed = {str(name) for name in taken}, dict[str, str]()
    for name in clashing:
        free = f"{name} (given)"
        while free in names:
            free += "'"
        names.add(free)
        renamed[name] = free
    return renamed


def with_class_names(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """Labels as the model spells its classes (case, `_`, `-`, blanks aside), and a note on those of none."""
    labels = dataset.table["label"]
    if not classes or not labels.notna().any():
        return dataset
    spelled = {same_name(name): name for name in reversed(classes)}
    known = set(classes)
    respelled = {
        label: spelled[same_name(label)]
        for label in labels.dropna().unique()
        if label not in known and same_name(label) in spelled
    }
    if respelled:  # else nothing is made anew for each image
        labels = labels.map(lambda label: respelled.get(label, label))
    table = dataset.table.assign(label=labels.astype(object))
    table["label"] = table["label"].where(table["label"].notna(), None)
    notes = [*dataset.notes]
    if respelled:
        pairs = ", ".join(f"{given} as {name}" for given, name in list(respelled.items())[:SHOWN])
        notes.append(f"labels were written as the model spells its classes ({pairs})")
    if strange := [label for label in table["label"].dropna().unique() if label not in known]:
        notes.append(_strange_note(strange, table["label"], classes))
    return replace(dataset, table=table, notes=tuple(notes))


def _strange_note(strange: Sequence[str], labels: pd.Series, classes: Sequence[str]) -> str:
    images = int(labels.isin(strange).sum())
    whose = "one image has" if images == 1 else f"{images:,} images have"
    return (
        f"{whose} a label that names no class of the model ({_some(strange)}; its classes are "
        f"{_some(classes)}), so whether the model is right there is not known"
        + (WORDS_FOR_NUMBERS if all(map(NUMBER.fullmatch, strange)) else "")
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(map(str, names[:SHOWN])) + more


def remark_notes(remarks: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """A note for each kind of remark on pictures (path, remark), with how many there are and the first."""
    first = {remark: path for path, remark in reversed(remarks)}
    counts = Counter(remark for _, remark in remarks)
    return tuple(
        f"{count:,} {'picture' if count == 1 else 'pictures'} {remark}, such as {first[remark]}"
        if count > 1
        else f"the picture {first[remark]} {remark}"
        for remark, count in counts.items()
    )
