"""Parts of the probe dataset by its columns."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from csp.errors import NotFoundError
from csp.work.subgroups import (
    MOST_GROUPS,
    NOT_STATED,
    OTHERS,
    in_words,
    offered_columns,
    subgroup_columns,
    subgroups,
)


class Tiny:
    """As much of a run as is asked here."""

    name = "tiny"

    def __init__(self, frame: pd.DataFrame) -> None:
        self.images = frame.assign(image=range(len(frame)))


def run(**columns: Any) -> Any:
    return Tiny(pd.DataFrame(columns))


def parts(values: Any) -> dict[str, int]:
    return {group.name: int(group.rows.sum()) for group in subgroups(run(column=values), "column")}


def test_texts_numbers_and_flags_are_each_parted_as_people_read_them() -> None:
    assert parts(["f", "m", "f", None, " "]) == {"f": 2, "m": 1, NOT_STATED: 2}
    assert parts([3, 1, 3, 2]) == {"1": 1, "2": 1, "3": 2}
    assert parts([True, False, True]) == {"no": 1, "yes": 2}
    assert parts(pd.array([True, None, False], dtype="boolean")) == {"no": 1, "yes": 1, NOT_STATED: 1}


def test_every_image_is_in_one_part() -> None:
    ages = np.array([*np.linspace(20, 80, 99), np.nan])
    found = subgroups(run(age=ages), "age")
    assert [group.name for group in found][-1] == NOT_STATED
    assert len(found) == 5
    assert (np.sum([group.rows for group in found], axis=0) == 1).all()


def test_the_rarest_of_many_values_are_put_together() -> None:
    found = parts([f"clinic {place}" for place in range(30) for _ in range(30 - place)])
    assert len(found) == MOST_GROUPS
    assert found[OTHERS] == sum(range(1, 20))


def test_a_column_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(NotFoundError, match=r"columns to part them by: sex$"):
        subgroups(run(sex=["f", "m"], site=["arm", "arm"]), "age")
    assert subgroup_columns(run(site=["arm", "arm"])) == ()


def test_people_and_devices_are_offered_first_and_neither_classes_nor_ids() -> None:
    columns = {
        "ruler": [True, False] * 10,
        "label": ["nevus", "melanoma"] * 10,
        "split": ["held-out", "selection"] * 10,
        "diagnosis_1": ["benign", "benign", "malignant", "benign"] * 5,
        "short": ["NV", "MEL"] * 10,
        "fold": [1, 2, 3, 4] * 5,
        "patient": [f"P{number}" for number in range(20)],
        "lesion_id": [*range(10)] * 2,
        "imageQuality": [1, 2] * 10,
        "dark_skin": [True, False] * 10,
        "patientAge": [30, 60] * 10,
        "device": ["a", "b"] * 10,
    }
    assert offered_columns(run(**columns)) == ("dark_skin", "patientAge", "device", "ruler", "imageQuality")
    assert in_words("dark_skin") == "dark skin"
