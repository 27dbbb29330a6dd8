"""What a model takes beside the picture: words and numbers, what is missing, what can't enter."""

from typing import Any

import pandas as pd
import pytest

from csp.errors import BadInputError
from csp.world.protocols.columns import Column, entered, lacking, read_columns, settle

AGE, SEX = Column("age"), Column("sex", ("female", "male"))


def test_values_enter_by_name_and_missing_ones_as_the_default() -> None:
    columns = (Column("age", default=50.0), Column("sex", ("female", "male"), "male"))
    rows: list[dict[str, object]] = [
        {"Age": 61, "sex": "Female"},
        {"Age": float("nan"), "sex": "unknown"},
        {"Age": "37,5", "sex": pd.NA},
        {},
    ]
    found = entered(columns, rows)
    assert found["age"].tolist() == [61.0, 50.0, 37.5, 50.0]
    assert found["sex"].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert [one.name for one in lacking(columns, rows[1])] == ["age", "sex"]


def test_the_dataset_says_what_enters_where_the_model_does_not() -> None:
    table = pd.DataFrame({"age": [20, 40, 90, None], "Sex": ["male", "male", None, "female"]})
    (age, sex), notes = settle((AGE, SEX), table)
    assert (age.default, sex.default) == (40.0, "male")
    assert any("'age'" in note and "1 of 4 images have none: there 40 enters" in note for note in notes)
    assert settle((Column("site", default=1.0),), table)[1] == (
        "the model takes 'site' beside the picture and no image has one: there 1 enters",
    )


def test_a_column_that_the_dataset_lacks_is_told_with_the_nearest() -> None:
    with pytest.raises(BadInputError, match=r"'age'.*nearest: ages"):
        settle((AGE,), pd.DataFrame({"ages": [3]}))


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [(SEX, "divers", "knows female, male"), (AGE, "old", "takes a number"), (AGE, "inf", "takes a number")],
)
def test_a_value_that_can_not_enter(column: Column, cell: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        settle((column,), pd.DataFrame({column.name: [cell]}))


def test_columns_as_metadata_state_them() -> None:
    stated = {"sex": {"choices": ["female", "male"], "default": "male"}}
    found = read_columns(stated, ["age", "sex"], "It")
    assert found == (AGE, Column("sex", ("female", "male"), "male"))


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ([], "no object"),
        ({"site": {}}, "takes age"),
        ({"age": {"choices": "f"}}, "can't be read"),
        ({"age": 4}, "can't be read"),
        ({"age": {"choices": ["a"], "default": "b"}}, "does not know"),
        ({"age": {"default": "nan"}}, "no value"),
    ],
)
def test_metadata_that_can_not_be_read(stated: Any, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read_columns(stated, ["age"], "It")
