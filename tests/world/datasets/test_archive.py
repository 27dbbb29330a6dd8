"""Zip and tar archives of images."""

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError
from csp.world.places.archive import open_archive
from csp.world.protocols.dataset import Dataset, open_dataset
from tests.world.datasets.pictures import picture, png

KINDS = ("zip", "tar", "gztar", "bztar", "xztar")


def laid(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(number))
    return folder


def packed(folder: Path, kind: str, base: str | None = None) -> str:
    return shutil.make_archive(str(folder.parent / "images"), kind, base or folder, base)


def shows(dataset: Dataset, row: int, number: int) -> bool:
    seen = dataset.images.picture(dataset.table["path"][row]).image
    return np.array_equal(np.asarray(seen), np.asarray(picture(number)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_read_as_the_folder_that_was_packed(tmp_path: Path, kind: str) -> None:
    laid(tmp_path / "skin", "melanoma/1.png", "nevus/2.png", "nevus/deep/3.png", "__MACOSX/nevus/._2.png")
    dataset = open_dataset(f"archive:{packed(tmp_path / 'skin', kind)}")
    assert dataset.table["path"].tolist() == ["melanoma/1.png", "nevus/2.png", "nevus/deep/3.png"]
    assert dataset.table["label"].tolist() == ["melanoma", "nevus", "nevus"]
    assert shows(dataset, 2, 2) and shows(dataset, 0, 0)


def test_one_folder_that_holds_all_is_no_class(tmp_path: Path) -> None:
    laid(tmp_path / "in" / "skin", "melanoma/1.png", "nevus/2.png")
    dataset = open_dataset(f"archive:{packed(tmp_path / 'in', 'zip')}")
    assert dataset.table["label"].tolist() == ["melanoma", "nevus"]
    laid(tmp_path / "flat" / "pictures", "1.png")
    shutil.make_archive(str(tmp_path / "flat"), "tar", tmp_path / "flat")
    assert open_dataset(f"archive:{tmp_path / 'flat.tar'}").table["label"].tolist() == [None]


def test_the_table_in_an_archive_names_its_images(tmp_path: Path) -> None:
    folder = laid(tmp_path / "isic", "images/ISIC_1.png", "images/ISIC_2.png")
    (folder / "metadata.csv").write_text("isic_id,diagnosis,age\nISIC_2,nevus,40\nISIC_1,melanoma,50\n")
    (folder / "licence.txt").write_text("free")
    dataset = open_dataset(f"archive:{packed(folder, 'zip')}")
    assert dataset.table["path"].tolist() == ["images/ISIC_2.png", "images/ISIC_1.png"]
    assert dataset.table["label"].tolist() == ["nevus", "melanoma"]
    assert dataset.table["age"].tolist() == [40, 50]
    assert "labels and attributes come from metadata.csv in the archive" in dataset.notes
    (folder / "metadata.csv").write_text("key,value\nmade,2020\n")
    assert len(open_dataset(f"archive:{packed(folder, 'zip')}").table) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_cut_off_archive_is_one_sentence(tmp_path: Path, kind: str, share: float) -> None:
    file = Path(packed(laid(tmp_path / "skin", *(f"{number}.png" for number in range(20))), kind))
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole.rstrip(b"\0")) * share)])
    with pytest.raises(
        BadInputError, match=r"The archive '.*' is damaged or cut off: copy or download it again"
    ):
        open_dataset(f"archive:{file}")


def test_a_tar_cut_between_two_files_is_cut_off_all_the_same(tmp_path: Path) -> None:
    file = Path(packed(laid(tmp_path / "skin", "a.png", "b.png"), "tar"))
    with tarfile.open(file) as tar:
        end = max(member.offset_data for member in tar) - 512
    file.write_bytes(file.read_bytes()[:end])
    with pytest.raises(BadInputError, match="cut off"):
        open_dataset(f"archive:{file}")


def test_a_damaged_picture_in_a_zip_is_left_out_alone(tmp_path: Path) -> None:
    file = Path(packed(laid(tmp_path / "skin", "a.png", "b.png"), "zip"))
    with zipfile.ZipFile(file) as packed_file:
        start = packed_file.getinfo("a.png").header_offset + 60
    data = bytearray(file.read_bytes())
    data[start : start + 40] = bytes(40)
    file.write_bytes(data)
    dataset = open_dataset(f"archive:{file}")
    with pytest.raises(Exception, match="damaged in the archive"):
        dataset.images.picture("a.png")
    assert shows(dataset, 1, 1)


def test_what_can_not_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        open_dataset(f"archive:{tmp_path / 'none.zip'}")
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(BadInputError, match="no archive that can be read here"):
        open_dataset(f"archive:{tmp_path / 'text.zip'}")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(BadInputError, match="has no image files"):
        open_dataset(f"archive:{tmp_path / 'empty.zip'}")


def test_a_tar_that_grows_beyond_all_pictures_is_a_trap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csp.world.places.archive.SLACK", 2**20)
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "a.png").write_bytes(bytes(2**24))
    with pytest.raises(BadInputError, match="more than 50 times its size"):
        open_dataset(f"archive:{packed(tmp_path / 'trap', 'gztar')}")


def test_names_are_plain_however_the_archive_was_packed(tmp_path: Path) -> None:
    names = ["/nevus/1.png", "./nevus/./2.png", "melanoma//3.png", "../nevus/4.png"]
    with tarfile.open(tmp_path / "x.tar", "w") as tar, zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        for number, name in enumerate(names):
            member = tarfile.TarInfo(name)
            member.size = len(png(number))
            tar.addfile(member, io.BytesIO(png(number)))
            packed.writestr(name.replace("/", "\\") if number == 2 else name, png(number))
    for kind in ("tar", "zip"):
        dataset = open_dataset(f"archive:{tmp_path}/x.{kind}")
        found = dict(zip(dataset.table["path"], dataset.table["label"], strict=True))
        assert found == {"nevus/1.png": "nevus", "nevus/2.png": "nevus", "melanoma/3.png": "melanoma"}
        assert shows(dataset, list(found).index("nevus/2.png"), 1)


def test_links_and_devices_in_a_tar_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(tmp_path / "a.png", "a.png")
        link = tarfile.TarInfo("passwd.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    place = open_archive((tmp_path / "x.tar").open("rb"), "x.tar", "The archive")
    assert list(place.files()) == ["a.png"]
