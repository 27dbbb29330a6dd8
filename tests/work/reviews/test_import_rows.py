"""One bad row of an import does not keep the others out, whatever is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from csp.keeping.reviews.store import Reviews, open_reviews
from csp.keeping.run_folder.run import Run
from csp.work.reviews.exchange import import_reviews

GOOD = {"layer": "late", "neuron": 1, "verdict": "reject", "reviewer": "Ann"}


@pytest.fixture
def reviews(own_home: Path) -> Reviews:
    return open_reviews()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gamma": "nan"}, "gamma 'nan' is no number"),
        ({"gamma": "inf"}, "gamma 'inf' is no number"),
        ({"gamma": 10**400}, "is no number"),
        ({"gamma": [1]}, r"gamma \[1\] is no number"),
        ({"neuron": 2**70}, "is no whole number"),
        ({"neuron": {"a": 1}}, "is no whole number"),
        ({"neuron": "9" * 5_000}, "is no whole number"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "the time .* can't be read"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "the time .* can't be read"),
        ({"at": 5}, "the time 5 can't be read"),
        ({"tags": 5}, "tags 5 are no texts"),
        ({"tags": [1]}, "are no texts"),
        ({"tags": {"a": 1}}, "are no texts"),
        ({"label": ["a"]}, "label is no text"),
        ({"labeler": "half \ud800"}, "labeler .* can't be kept"),
        ({"seen": "nul \0"}, "seen .* can't be kept"),
        ({"undoes": "x" * 100_000}, "undoes .* too long"),
        ({"layer": "\ud800"}, "layer .* can't be kept"),
        ({"run": "\0"}, "run .* can't be kept"),
        ({"reviewer": "\ud800"}, "no reviewer's name"),
        ({"verdict": {"a": 1}}, "there is no verdict"),
        ({"blind": "x" * 9_000}, "is neither true nor false"),
        ({"role": "root"}, "there is no role"),
    ],
)
def test_a_bad_row_is_listed_and_the_others_go_in(
    tiny_run: Run, reviews: Reviews, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([GOOD | change, GOOD | {"neuron": 2}]))
    done = import_reviews(reviews, path, tiny_run)
    ((number, reason),) = done.refused
    assert (number, done.added) == (1, 1) and len(reason) < 400
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(reason)
    assert reviews.verify().ok


def test_rows_of_a_table_are_named_by_their_line(tiny_run: Run, reviews: Reviews, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "layer,neuron,verdict,reviewer,reason,gamma\n"
        'late,0,reject,Ann,"two\nlines",1\n'
        "late,1,reject,Ann,a, comma,1\n"
        "late,2,reject,Ann,x,nan\n"
        "late,3,reject,Ann,x,1\n"
    )
    done = import_reviews(reviews, path, tiny_run)
    assert done.added == 2
    assert [(number, reason.rpartition("(")[2]) for number, reason in done.refused] == [
        (2, "line 4 of the file)"),
        (3, "line 5 of the file)"),
    ]
    assert "1 cells more than the head has names" in done.refused[0][1]
