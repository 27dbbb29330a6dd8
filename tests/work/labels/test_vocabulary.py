"""Which row of the vocabulary a text has, and how candidates join it."""

import numpy as np

from csp.keeping.run_folder.run import Run
from csp.work.labels.vocabulary import Vocabulary, run_vocabulary, shown_name


def vocabulary(*texts: str) -> Vocabulary:
    return Vocabulary(texts, np.arange(2 * len(texts), dtype=np.float32).reshape(-1, 2))


def test_capital_letters_do_not_count() -> None:
    known = vocabulary("blue-white veil", "Ruler", "Straße")
    assert [known.row(text) for text in ("Blue-White Veil", "ruler", "STRASSE", "veil")] == [0, 1, 2, None]
    found = known.embedding("RULER")
    assert found is not None and found.tolist() == [2.0, 3.0]
    assert known.embedding("hair") is None


def test_texts_that_differ_in_capitals_only_keep_their_own_rows() -> None:
    known = vocabulary("ruler", "Ruler")
    assert [known.row(text) for text in ("ruler", "Ruler", "RULER")] == [0, 1, 0]


def test_hyphens_and_plurals_lead_to_the_term() -> None:
    known = vocabulary("blue-white veil", "pen marks", "hairs", "Hair-covered lesion", "glass", "hair")
    assert known.spelling("Blue white  veils") == "blue-white veil"
    assert [known.spelling(text) for text in ("pen mark", "pen-marks")] == ["pen marks"] * 2
    assert known.spelling("hair covered lesions") == "Hair-covered lesion"
    assert [known.spelling(text) for text in ("hair", "hairs", "HAIR")] == ["hair", "hairs", "HAIR"]
    assert [known.spelling(text) for text in ("glas", "white veil", "")] == ["glas", "white veil", ""]


def test_only_new_texts_join_each_once() -> None:
    known = vocabulary("ruler", "hair")
    rows = [np.full(2, value, np.float32) for value in (7, 8, 9)]
    joined = known.joined(["Ruler", "red ruler", "Red ruler"], rows)
    assert joined.texts == ("ruler", "hair", "red ruler")
    assert joined.embeddings.tolist() == [[0, 1], [2, 3], [8, 8]]
    assert known.joined([], []) is known


def test_the_rows_are_those_of_the_run(tiny_run: Run) -> None:
    known = run_vocabulary(tiny_run)
    for row, text in enumerate(tiny_run.vocabulary["text"]):
        assert known.row(text) == row
    assert tiny_run.text_embeddings is not None
    np.testing.assert_array_equal(known.embeddings, tiny_run.text_embeddings)


def test_a_name_is_shown_as_the_vocabulary_writes_it(tiny_run: Run) -> None:
    names = ("blue_white_veil", "Blue White Veil", "ruler", "Dark_Skin_", "_")
    assert [shown_name(tiny_run, name) for name in names] == [
        "blue-white veil",
        "blue-white veil",
        "ruler",
        "Dark Skin",
        "_",
    ]
