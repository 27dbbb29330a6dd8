"""Whom DICOM files show stays out of datasets: out of paths, labels, notes and what is said of a file."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.world.protocols.dataset import Dataset, open_dataset
from tests.world.pictures.test_dicom import BROUGHT, RAMP, written

PATIENT = ("Roe", "Richard", "4711", "0815", "1950")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """As a viewer exports it: folders of patients, files without endings."""
    folder = tmp_path / "export"
    more = {"PatientAge": "093Y", "PatientSex": "M", "Modality": "XC", "BodyPartExamined": "SKIN"}
    for name, pixels in {
        "Roe_Richard/4711-0815/IM0001": RAMP,
        "Roe_Richard/4711-0815/IM0002": np.stack([RAMP, RAMP // 2]),
        "Doe_Jane/IM0001": RAMP,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(written(pixels, "MONOCHROME2", **more))
    (folder / "DICOMDIR.txt").write_text("Roe")
    return folder


def says_nobody(dataset: Dataset) -> bool:
    said = f"{dataset.table.to_csv()} {dataset.notes} {list(dataset.images.files())}"
    return not any(part in said for part in PATIENT)


def test_an_export_keeps_no_patient_and_each_frame_is_a_picture(export: Path) -> None:
    dataset = open_dataset(f"dicom:{export}")
    assert len(dataset.table) == 4
    assert dataset.table["path"].str.fullmatch(r"[0-9a-f]{16}(-frame[12])?\.dcm").all()
    assert says_nobody(dataset)
    assert dataset.table["label"].tolist() == [None] * 4
    assert set(dataset.table["age"]) == {90}
    assert set(dataset.table["sex"]) == {"M"} and set(dataset.table["body_part"]) == {"SKIN"}
    second = dataset.table["path"][dataset.table["frame"] == 2].iloc[0]
    assert (np.asarray(dataset.images.picture(second).image)[..., 0] == RAMP // 2).all()
    assert any("1 files that are no DICOM" in note for note in dataset.notes)


def test_the_names_stay_the_same_wherever_the_files_lie(export: Path, tmp_path: Path) -> None:
    before = open_dataset(f"dicom:{export}")
    shutil.copytree(export / "Roe_Richard" / "4711-0815", tmp_path / "other")
    shutil.copy(export / "Doe_Jane" / "IM0001", tmp_path / "other" / "x")
    after = open_dataset(f"dicom:{tmp_path / 'other'}")
    assert after.table["path"].tolist() == before.table["path"].tolist()
    assert after.fingerprint() == before.fingerprint()


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_folders_of_patients_are_no_classes_but_others_are(tmp_path: Path, kind: str) -> None:
    def opened(*names: str) -> Dataset:
        folder = tmp_path / names[0].partition("/")[0]
        for number, name in enumerate(names):
            file = folder / f"{name}/Roe_{number}.dcm"
            file.parent.mkdir(parents=True)
            file.write_bytes(written(RAMP + np.uint8(number), "MONOCHROME2"))
        if kind == "folder":
            return open_dataset(f"folder:{folder}")
        return open_dataset(f"archive:{shutil.make_archive(str(folder), 'zip', folder)}")

    classes = opened("melanoma", "nevus")
    assert sorted(classes.table["label"]) == ["melanoma", "nevus"]
    assert says_nobody(classes)
    patients = opened("Roe, Richard", "nevi")
    assert patients.table["label"].tolist() == [None, None]
    assert any("labels of DICOM files were left out" in note for note in patients.notes)
    assert says_nobody(patients)


def test_a_table_names_its_files_but_the_run_does_not(tmp_path: Path) -> None:
    (tmp_path / "ROE_4711.dcm").write_bytes(written(RAMP, "MONOCHROME2"))
    (tmp_path / "again.dcm").write_bytes((tmp_path / "ROE_4711.dcm").read_bytes())
    table = "image,diagnosis\nROE_4711,nevus\nagain.dcm,melanoma\nROE_GONE_0815.dcm,nevus\n"
    (tmp_path / "cases.csv").write_text(table)
    dataset = open_dataset(f"csv:{tmp_path / 'cases.csv'}")
    assert says_nobody(dataset) and "ROE" not in f"{dataset.table.to_csv()}{dataset.notes}"
    assert dataset.table["label"].tolist() == ["nevus", "melanoma", "nevus"]
    first, twin, gone = dataset.table["path"]
    assert twin == first.replace(".dcm", "-2.dcm") and gone == "missing.dcm"
    with pytest.raises(Exception, match="can't be opened") as caught:
        dataset.images.picture(gone)
    assert "ROE" not in str(caught.value)


def test_files_without_a_picture_are_listed_by_their_reason_alone(tmp_path: Path) -> None:
    shutil.copy(BROUGHT / "reportsi.dcm", tmp_path / "Roe_report.dcm")
    dataset = open_dataset(f"dicom:{tmp_path}")
    with pytest.raises(Exception, match="holds no picture, but is of the kind Basic Text SR Storage"):
        dataset.images.picture(dataset.table["path"][0])
    assert says_nobody(dataset)


def test_a_folder_without_dicom_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="has no DICOM files"):
        open_dataset(f"dicom:{tmp_path}")
