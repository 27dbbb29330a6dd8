"""Inputs beside the picture that are made of one column, or of several in a row."""

from typing import Any

import pytest
import torch

from csp.errors import BadInputError
from csp.world.targets.entries import columns_of, read_entries

SEX = {"choices": ["female", "male", "unknown"], "default": "unknown"}
META = {"meta": {"joined": {"sex": SEX, "age": {"scale": 0.01}}}}
GIVEN = {"sex": torch.tensor([1, 2]), "age": torch.tensor([50.0, 20.0])}


@pytest.mark.parametrize("width", [4, None])
def test_columns_are_joined_in_a_row(width: int | None) -> None:
    (entry,) = read_entries(META, {"meta": width}, "It")
    assert [column.name for column in columns_of([entry])] == ["sex", "age"]
    assert torch.allclose(entry.tensor(GIVEN), torch.tensor([[0, 1, 0, 0.5], [0, 0, 1, 0.2]]))


@pytest.mark.parametrize(
    ("width", "expected"), [(0, [1, 2]), (1, [[1.0], [2.0]]), (3, [[0.0, 1, 0], [0, 0, 1]])]
)
def test_one_column_enters_as_the_input_is_shaped(width: int, expected: list[Any]) -> None:
    (entry,) = read_entries({"sex": SEX}, {"sex": width}, "It")
    assert entry.tensor(GIVEN).tolist() == expected


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        (None, r"takes 10 numbers for 'meta' .* make 1: state as many choices, or the columns"),
        (META, r"takes 10 numbers for 'meta' .* make 4"),
        ({"mata": META["meta"]}, "states the column 'mata', but takes meta"),
        ({"meta": {"joined": ["sex"]}}, "'joined' holds columns by their names"),
        ({"meta": {"joined": {"age": {"scale": "small"}}}}, "'scale' within 'meta' that is no number"),
        (["meta"], "'columns' that are no object"),
    ],
)
def test_what_does_not_fit_the_input_is_told(stated: object, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read_entries(stated, {"meta": 10}, "It")


def test_a_column_enters_once() -> None:
    with pytest.raises(BadInputError, match="column 'age' twice"):
        read_entries(META, {"meta": 4, "age": 0}, "It")
