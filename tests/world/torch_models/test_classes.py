from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.world.torch_models.classes import class_names, stated_classes

NAMES = st.lists(st.text(max_size=5), max_size=6)


@given(names=NAMES, logits=st.integers(1, 6))
def test_every_column_has_a_name_of_its_own(names: list[str], logits: int) -> None:
    found, notes = class_names(names, logits, "It")
    assert len(found) == max(logits, 2)
    given = [name.strip() for name in names]
    if len(given) == len(found) and all(given) and len(set(given)) == len(given):
        assert found == tuple(given)
        assert notes == ()


@pytest.mark.parametrize(
    ("names", "logits", "expected", "note"),
    [
        (["melanoma", "nevus"], 2, ("melanoma", "nevus"), None),
        (["melanoma"], 1, ("not melanoma", "melanoma"), None),
        (["no", "yes"], 1, ("no", "yes"), None),
        ([], 2, ("class 0", "class 1"), None),
        (["LABEL_0", "LABEL_1"], 2, ("class 0", "class 1"), "does not say what its classes are called"),
        (["LABEL_0"], 1, ("class 0", "class 1"), "does not say what its classes are called"),
        (["a", "b", "c"], 2, ("class 0", "class 1"), "names 3 classes but its head has 2"),
        (
            ["nevus", "nevus", "other"],
            3,
            ("nevus (0)", "nevus (1)", "other"),
            "several classes called 'nevus'",
        ),
    ],
)
def test_names_and_notes(names: list[str], logits: int, expected: tuple[str, ...], note: str | None) -> None:
    found, notes = class_names(names, logits, "The config")
    assert found == expected
    assert [note in each for each in notes] == ([True] if note else [])


@pytest.mark.parametrize(
    "facts",
    [
        {"classes": ["a", "b"]},
        {"class_names": ("a", "b")},
        {"class_to_idx": {"b": 1, "a": 0}},
        {"id2label": {"0": "a", "1": "b"}},
        {"idx_to_class": {1: "b", 0: "a"}},
        {"classes": 2, "labels": ["a", "b"]},
    ],
)
def test_names_that_a_checkpoint_states(facts: dict[str, Any]) -> None:
    assert stated_classes(facts) == ["a", "b"]


@pytest.mark.parametrize(
    "facts", [{}, {"classes": 2}, {"class_to_idx": {"a": 0, "b": 2}}, {"labels": [0, 1]}]
)
def test_what_states_no_names(facts: dict[str, Any]) -> None:
    assert stated_classes(facts) == []
