"""The tables of the ISIC challenges, HAM10000 and BCN20000, headed as the real files are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from csp.world.protocols.dataset import Dataset, open_dataset
from tests.world.datasets.pictures import png

Opens = Callable[[str, str], Dataset]


@pytest.fixture
def opened(tmp_path: Path) -> Opens:
    """Opens a table beside the images that it names."""
    images = tmp_path / "images"
    images.mkdir()
    for number in (0, 1, 2):
        (images / f"ISIC_000000{number}.jpg").write_bytes(png(number))

    def opens(name: str, text: str) -> Dataset:
        (tmp_path / name).write_text(text)
        return open_dataset(f"csv:{tmp_path / name}")

    return opens


def paths(dataset: Dataset) -> list[str]:
    return dataset.table["path"].tolist()


def test_2016_has_no_head(opened: Opens) -> None:
    dataset = opened(
        "ISBI2016_ISIC_Part3_Training_GroundTruth.csv", "ISIC_0000000,benign\nISIC_0000002,malignant\n"
    )
    assert paths(dataset) == ["images/ISIC_0000000.jpg", "images/ISIC_0000002.jpg"]
    assert dataset.table["label"].tolist() == ["benign", "malignant"]
    assert any("has no head" in note for note in dataset.notes)


def test_2017_has_two_columns_for_three_classes(opened: Opens) -> None:
    text = "image_id,melanoma,seborrheic_keratosis\nISIC_0000000,0.0,0.0\n"
    text += "ISIC_0000001,1.0,0.0\nISIC_0000002,0.0,1.0\n"
    dataset = opened("ISIC-2017_Training_Part3_GroundTruth.csv", text)
    assert dataset.table["label"].tolist() == ["nevus", "melanoma", "seborrheic_keratosis"]
    assert any("else it is nevus" in note for note in dataset.notes)


def test_2018_with_its_groups_of_lesions(opened: Opens) -> None:
    opened(  # as a table of its own it opens, too
        "ISIC2018_Task3_Training_LesionGroupings.csv",
        "image,lesion_id,diagnosis_confirm_type\nISIC_0000001,HAM_0000550,histopathology\n",
    )
    text = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nISIC_0000000,0.0,1.0,0.0,0.0,0.0,0.0,0.0\n"
    text += "ISIC_0000001,1.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    dataset = opened("ISIC2018_Task3_Training_GroundTruth.csv", text)
    assert dataset.table["label"].tolist() == ["NV", "MEL"]
    assert dataset.table["lesion_id"].tolist() == [None, "HAM_0000550"]


def test_2019_with_its_metadata(opened: Opens) -> None:
    opened(
        "ISIC_2019_Training_Metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex\nISIC_0000002,55,anterior torso,,female\n"
        "ISIC_0000000,30,upper extremity,MSK4_0011169,male\nISIC_9999999,1,head/neck,,male\n",
    )
    text = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\nISIC_0000000,0.0,1.0,0,0,0,0,0,0,0\n"
    text += "ISIC_0000002,0.0,0.0,0,0,0,0,0,1.0,0\n"
    dataset = opened("ISIC_2019_Training_GroundTruth.csv", text)
    assert paths(dataset) == ["images/ISIC_0000000.jpg", "images/ISIC_0000002.jpg"]
    assert dataset.table["label"].tolist() == ["NV", "SCC"]
    assert dataset.table["age_approx"].tolist() == [30, 55]
    assert dataset.table["sex"].tolist() == ["male", "female"]
    assert any(
        "come from ISIC_2019_Training_Metadata.csv" in note and "2 of 2" in note for note in dataset.notes
    )


def test_2020_where_most_diagnoses_are_unknown(opened: Opens) -> None:
    head = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,"
    head += "benign_malignant,target\n"
    rows = "ISIC_0000000,IP_1,male,45,head/neck,unknown,benign,0\n"
    rows += "ISIC_0000001,IP_1,male,45,torso,unknown,benign,0\n"
    dataset = opened(
        "ISIC_2020_Training_GroundTruth.csv", head + rows + "ISIC_0000002,IP_2,,50,,melanoma,malignant,1\n"
    )
    assert dataset.table["label"].tolist() == ["benign", "benign", "malignant"]
    assert dataset.table["diagnosis"].tolist() == ["unknown", "unknown", "melanoma"]


def test_ham10000_and_bcn20000(opened: Opens) -> None:
    head = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
    ham = opened("HAM10000_metadata.csv", f"{head}HAM_0000118,ISIC_0000001,bkl,histo,80.0,male,scalp\n")
    assert (paths(ham), ham.table["label"].tolist()) == (["images/ISIC_0000001.jpg"], ["bkl"])
    assert ham.attributes == ("lesion_id", "dx_type", "age", "sex", "localization")
    head = "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,split\n"
    bcn = opened(
        "bcn_20k_train.csv", f"{head}ISIC_0000000.jpg,55.0,anterior torso,MEL,BCN_1,2012-05-16,male,train\n"
    )
    assert (paths(bcn), bcn.table["label"].tolist()) == (["images/ISIC_0000000.jpg"], ["MEL"])
    assert bcn.table["split"].tolist() == ["train"]
