"""Labels and the criteria that they speak of."""

from pathlib import Path

import pytest

from csp.errors import BadInputError
from csp.work.reviews.checklist import artefacts_of, criteria, criteria_of


@pytest.mark.parametrize(
    ("label", "tags"),
    [
        ("blue-white veil", {"abcde:colour", "7-point:blue-white-veil"}),
        ("Atypical network under hairs", {"abcde:diameter", "7-point:atypical-network", "artefact:hairs"}),
        ("notched edges", {"abcde:border"}),
        ("colour reference sticker", {"artefact:sticker"}),
        ("ruler marks", {"artefact:ruler"}),
        ("no hairs", set()),
        ("no hairs; ruler marks", {"artefact:ruler"}),
        ("bordering the shrink-wrapped", set()),
        (None, set()),
    ],
)
def test_a_label_speaks_of_the_criteria_whose_words_it_has(label: str | None, tags: set[str]) -> None:
    assert set(criteria_of(label, criteria())) == tags


def test_artefacts_are_what_is_not_the_lesion() -> None:
    assert artefacts_of("typical network beside a coloured sticker", criteria()) == ("artefact:sticker",)
    assert artefacts_of("blue-white veil", criteria()) == ()


def test_a_list_of_ones_own_takes_the_place_of_the_shipped_one(own_home: Path) -> None:
    own_home.mkdir(parents=True, exist_ok=True)
    (own_home / "checklist.csv").write_text("tag,words\n7-point:regression,peppered (fine)\n")
    assert criteria_of("a Peppered (fine) area", criteria()) == ("7-point:regression",)
    assert criteria_of("blue-white veil", criteria()) == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("words,criterion\n", "columns tag and words"),
        ("", "is empty"),
        ("tag,words\nborder,edge\n", r"line 2: 'border' is no tag"),
        ("tag,words\n7-point:regression, ; \n", "line 2: 7-point:regression has no words"),
    ],
)
def test_a_list_that_cannot_be_used_is_named_with_the_line(own_home: Path, content: str, said: str) -> None:
    own_home.mkdir(parents=True, exist_ok=True)
    (own_home / "checklist.csv").write_text(content)
    with pytest.raises(BadInputError, match=said):
        criteria()
