"""The probe dataset as a run takes it."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.keeping.run_folder.tables import IMAGES
from csp.work.indexing.probe_dataset import open_probe_dataset, remark_notes, with_class_names
from csp.world.protocols.dataset import Dataset


@given(st.lists(st.sampled_from([*IMAGES, "Width", "neuron", "x (given)"]), unique_by=str.lower))
def test_no_name_of_a_column_stops_a_run(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("data")
    head = [name for name in names if name not in ("path", "label", "split")]
    (folder / "t.csv").write_text(",".join(["path", *head]) + "\na.jpg" + ",7" * len(head) + "\n")
    dataset = open_probe_dataset(f"csv:{folder / 't.csv'}")
    kept = [f"{name} (given)" if name.lower() in IMAGES else name for name in head]
    assert list(dataset.attributes) == kept
    assert bool(dataset.notes) == (kept != head)


def labelled(*labels: str | None) -> Dataset:
    paths = [f"{row}.jpg" for row in range(len(labels))]
    return Dataset("x", Path(), pd.DataFrame({"path": paths, "label": list(labels), "split": ""}))


def test_labels_are_compared_with_the_classes_whatever_their_case() -> None:
    dataset = with_class_names(
        labelled("Melanoma", "basal_cell carcinoma", None), ["melanoma", "Basal Cell Carcinoma"]
    )
    assert dataset.table["label"].tolist() == ["melanoma", "Basal Cell Carcinoma", None]
    assert "Melanoma as melanoma" in dataset.notes[0]


def test_labels_that_name_no_class_are_said() -> None:
    dataset = with_class_names(labelled("MEL", "nevus"), ["melanoma", "nevus"])
    assert dataset.table["label"].tolist() == ["MEL", "nevus"]
    assert dataset.notes[0].startswith(
        "one image has a label that names no class of the model (MEL; its classes"
    )
    assert with_class_names(labelled("MEL"), []).notes == with_class_names(labelled(None), ["a"]).notes == ()


def test_numbers_are_not_taken_for_classes_in_their_order() -> None:
    dataset = with_class_names(labelled("1.0", "0.0", None), ["melanoma", "nevus"])
    assert dataset.table["label"].tolist() == ["1.0", "0.0", None]
    assert dataset.notes[0].endswith("write the names of the classes in their place")


def test_remarks_become_one_note_a_kind() -> None:
    remarks = [("b.jpg", "came out all black"), ("a.jpg", "came out all black"), ("c.jpg", "moved")]
    assert remark_notes(remarks) == (
        "2 pictures came out all black, such as b.jpg",
        "the picture c.jpg moved",
    )
