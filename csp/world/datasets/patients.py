"""Keeps whom DICOM files show out of a dataset: out of its paths, labels and notes, and so out of the run."""

import io
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from csp.extras import optional
from csp.world.datasets.image_kinds import kind_of
from csp.world.pictures.decode import UnreadableImageError
from csp.world.places.place import Place
from csp.world.places.pseudonyms import Hidden, Pseudonyms, pseudonyms
from csp.world.protocols.dataset import Dataset

ENDINGS = (".dcm", ".dicom")
SHORTEST = 3
"""Letters of a name or number that is looked for in the names of folders."""
_NUMBER = re.compile(r"\d{5}|\^")
_SAID = "the files are kept under names made of their content, as those of DICOM files may name patients"


def without_patients(dataset: Dataset) -> Dataset:
    """The dataset with its DICOM files under pseudonyms, and without labels that name a patient.

    A label, which may be the name of a folder, is left out with all others where one holds the name, number
    or date of birth that stands in a file under it, `^`, or five digits in a row.
    """
    paths = [path for path in dataset.table["path"] if kind_of(path) in ENDINGS]
    if not paths:
        return dataset
    place = dataset.images
    names = pseudonyms(place, paths)
    table = dataset.table.assign(path=[names.get(path, path) for path in dataset.table["path"]])
    notes = [*_without(dataset.notes, paths), f"of {len(paths):,} DICOM files {_SAID}"]
    shown = dataset.table["path"].isin(paths) & table["label"].notna()
    labelled = dataset.table.loc[shown, ["path", "label"]].astype(str)
    if any(_names_patient(place, *row) for row in zip(labelled["path"], labelled["label"], strict=True)):
        table.loc[dataset.table["path"].isin(paths), "label"] = None
        notes.append("labels of DICOM files were left out, as they may name patients: give a table (csv:)")
    hidden = {pseudonym: Hidden(path) for path, pseudonym in names.items()}
    return replace(dataset, table=table, notes=tuple(notes), place=Pseudonyms(place, hidden))


def _without(notes: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Notes that quote none of the files."""
    stems = {part for path in paths for part in (path, path.rpartition("/")[2].rpartition(".")[0]) if part}
    return [note for note in notes if not any(stem in note for stem in stems)]


def _names_patient(place: Place, path: str, label: str) -> bool:
    plain = _plain(label)
    if _NUMBER.search(label):
        return True
    return any(len(one) >= SHORTEST and one in plain for one in _said(place, path))


def _said(place: Place, path: str) -> set[str]:
    """What a file says of whom it shows, in small letters and digits; it goes no further than here."""
    with optional():
        from csp.world.pictures.dicom import not_quoting, read_header
    try:
        header: Any = read_header(io.BytesIO(place.read(path)))
        with not_quoting():
            names = re.split(r"[\^=, ]", str(header.get("PatientName") or ""))
            numbers = [str(header.get(name) or "") for name in _IDENTIFYING]
    except UnreadableImageError:
        return set()
    return {_plain(one) for one in (*names, *numbers)}


_IDENTIFYING = ("PatientID", "PatientBirthDate", "AccessionNumber", "OtherPatientNames")


def _plain(text: str) -> str:
    return re.sub(r"\W|_", "", text).casefold()
