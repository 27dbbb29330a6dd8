import os
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.errors import BadInputError, CspError, NotFoundError
from csp.world.protocols.dataset import open_dataset

REAL = Path(__file__).parents[3] / ".." / "shared" / "real"


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def csv(folder: Path, text: str) -> str:
    (folder / "cases.csv").write_text(text, encoding="utf-8")
    return f"csv:{folder / 'cases.csv'}"


def rows(table: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in table[list(columns)].itertuples(index=False)]


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a.PNG", "c.tiff", ".hidden.jpg", "notes.txt", ".thumbs/x.jpg", "no_extension")
    dataset = open_dataset(f"folder:{tmp_path}")
    assert rows(dataset.table, "path", "label", "split") == [
        ("a.PNG", None, ""),
        ("b.jpg", None, ""),
        ("c.tiff", None, ""),
    ]
    assert dataset.root == tmp_path
    assert dataset.attributes == ()


def test_one_folder_per_class_however_deep(tmp_path: Path) -> None:
    touch(tmp_path, "nevus/1.jpg", "melanoma/deep/er/2.jpg", "melanoma/1.jpg", "stray.jpg")
    dataset = open_dataset(f"folder:{tmp_path}")
    assert rows(dataset.table, "path", "label") == [
        ("melanoma/1.jpg", "melanoma"),
        ("melanoma/deep/er/2.jpg", "melanoma"),
        ("nevus/1.jpg", "nevus"),
        ("stray.jpg", None),
    ]


def test_folders_named_like_splits_are_splits(tmp_path: Path) -> None:
    touch(tmp_path, "train/nevus/1.jpg", "Test/melanoma/2.jpg", "train/3.jpg")
    dataset = open_dataset(f"folder:{tmp_path}")
    assert rows(dataset.table, "split", "label") == [
        ("Test", "melanoma"),
        ("train", None),
        ("train", "nevus"),
    ]


def test_a_class_called_test_beside_others_is_a_class(tmp_path: Path) -> None:
    touch(tmp_path, "test/1.jpg", "nevus/1.jpg")
    assert open_dataset(f"folder:{tmp_path}").table["label"].tolist() == ["nevus", "test"]


def test_linked_folders_are_followed_and_rings_end(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/1.jpg", "data/nevus/2.jpg")
    (tmp_path / "data/melanoma").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/nevus/ring").symlink_to(tmp_path / "data")
    paths = open_dataset(f"folder:{tmp_path / 'data'}").table["path"]
    assert paths.tolist() == ["melanoma/1.jpg", "nevus/2.jpg"]


def test_the_fingerprint_follows_content_not_place(tmp_path: Path) -> None:
    one, two = touch(tmp_path / "one", "a/1.jpg", "b/2.jpg"), touch(tmp_path / "two", "a/1.jpg", "b/2.jpg")
    before = open_dataset(f"folder:{one}").fingerprint()
    assert open_dataset(f"folder:{two}").fingerprint() == before
    (two / "a/1.jpg").write_bytes(b"a/9.jpg")
    assert open_dataset(f"folder:{two}").fingerprint() != before
    (one / "b/2.jpg").rename(one / "a/2.jpg")
    assert open_dataset(f"folder:{one}").fingerprint() != before


def test_csv_columns_are_typed(tmp_path: Path) -> None:
    spec = csv(
        tmp_path,
        "path,label,split,ruler,hair,age,site,empty,streaks\n"
        "x/1.jpg,nevus,train,1,yes,40.5,back,,absent\n"
        "x/2.jpg,,,0,No,,NA,,present\n"
        "./x/3.jpg, melanoma ,test,,TRUE,7, leg ,,absent\n",
    )
    dataset = open_dataset(spec)
    table = dataset.table
    assert rows(table, "path", "label", "split") == [
        ("x/1.jpg", "nevus", "train"),
        ("x/2.jpg", None, ""),
        ("x/3.jpg", "melanoma", "test"),
    ]
    assert dataset.attributes == ("ruler", "hair", "age", "site", "empty", "streaks")
    assert table["ruler"].dtype == table["hair"].dtype == "boolean"
    assert table["ruler"].tolist() == [True, False, pd.NA]
    assert table["hair"].tolist() == [True, False, True]
    assert table["age"].dtype == "float64"
    assert table["site"].tolist() == ["back", None, "leg"]
    assert table["empty"].tolist() == [None, None, None]
    assert table["streaks"].tolist() == [False, True, False]


@pytest.mark.parametrize("head", ["Image;Diagnosis", "file\ttarget", "\ufefffilename,class"])
def test_csv_of_other_programs(tmp_path: Path, head: str) -> None:
    separator = next(mark for mark in ";\t," if mark in head)
    spec = csv(tmp_path, f"{head}\nsub\\a b.jpg{separator}nevus\n")
    assert rows(open_dataset(spec).table, "path", "label") == [("sub/a b.jpg", "nevus")]


def test_path_comes_before_image_and_label_before_diagnosis(tmp_path: Path) -> None:
    dataset = open_dataset(csv(tmp_path, "image,diagnosis,path,label\n7,x,a.jpg,y\n"))
    assert rows(dataset.table, "path", "label") == [("a.jpg", "y")]
    assert dataset.attributes == ("image", "diagnosis")


def test_absolute_paths_under_the_root_become_relative(tmp_path: Path) -> None:
    spec = csv(tmp_path, f"path\n{tmp_path / 'a.jpg'}\n/elsewhere/b.jpg\n")
    dataset = open_dataset(spec)
    assert dataset.table["path"].tolist() == ["a.jpg", "/elsewhere/b.jpg"]
    assert dataset.root / dataset.table["path"][1] == Path("/elsewhere/b.jpg")


def test_missing_files_are_no_error_and_change_the_fingerprint(tmp_path: Path) -> None:
    spec = csv(tmp_path, "path\na.jpg\n")
    before = open_dataset(spec).fingerprint()
    touch(tmp_path, "a.jpg")
    assert open_dataset(spec).fingerprint() != before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path\na.jpg\n./a.jpg\n", "names the image 'a.jpg' more than once"),
        ("drawing,label\na,x\n", "no column of image paths among drawing, label"),
        ("path,label\n", "has no images"),
        ("", "can't be read as a table"),
        ("path,label\na.jpg,x\n,y\n", "no image path in line 3"),
        ("path,label\na.jpg,x,y\nb.jpg,x,y\n", "more cells in its rows than names"),
        ('path,label\na.jpg,"x\nb.jpg,y\n', "quotes that are not closed"),
    ],
)
def test_csv_that_is_no_table_of_images(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        open_dataset(csv(tmp_path, text))


def test_csv_of_windows_is_read_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_bytes("path,label\nä.jpg,x\n".encode("cp1252"))
    dataset = open_dataset(f"csv:{tmp_path / 'cases.csv'}")
    assert dataset.table["path"].tolist() == ["ä.jpg"]
    assert "read as Windows-1252" in dataset.notes[0]


@pytest.mark.parametrize(
    ("head", "row", "path", "label"),
    [
        (
            "isic_id,attribution,age_approx,benign_malignant,diagnosis",
            "ISIC_7,x,55,benign,nevus",
            "ISIC_7",
            "nevus",
        ),
        ("lesion_id,image_id,dx,dx_type,age", "HAM_0,ISIC_7,bkl,histo,80.0", "ISIC_7", "bkl"),
        ("md5hash,fitzpatrick_scale,label,url", "0a1b,3,psoriasis,https://x.org/1.jpg", "0a1b", "psoriasis"),
        ("patient_id,lesion_id,diagnostic,img_id", "PAT_1,1,NEV,PAT_1_1.png", "PAT_1_1.png", "NEV"),
        ("image_name,patient_id,benign_malignant,target", "ISIC_7,IP_1,benign,0", "ISIC_7", "0"),
        (
            "case_num,diagnosis,clinic,derm",
            "1,clark nevus,NAL/Nal001.jpg,NAL/Nal001d.jpg",
            "NAL/Nal001d.jpg",
            "clark nevus",
        ),
        ("Image Name;Class", "a.jpg;x", "a.jpg", "x"),
        ("case,scan", "1,a.jpg", "a.jpg", None),
    ],
)
def test_tables_of_archives_are_taken_as_they_come(
    tmp_path: Path, head: str, row: str, path: str, label: str | None
) -> None:
    dataset = open_dataset(csv(tmp_path, f"{head}\n{row}\n"))
    assert rows(dataset.table, "path", "label") == [(path, label)]


def test_classes_that_have_a_column_each_are_labels(tmp_path: Path) -> None:
    spec = csv(tmp_path, "image,MEL,NV,UNK,age\na.jpg,0.0,1.0,0.0,1\nb.jpg,1.0,0.0,0.0,0\n")
    dataset = open_dataset(spec)
    assert dataset.table["label"].tolist() == ["NV", "MEL"]
    assert dataset.attributes == ("age",)
    assert "MEL, NV, UNK" in " ".join(dataset.notes)
    odd = open_dataset(csv(tmp_path, "image,MEL,NV\na.jpg,1,0\nb.jpg,1,1\nc.jpg,0,0\nd.jpg,,\n"))
    assert odd.table["label"].tolist() == ["MEL", None, None, None]
    assert "3 rows have none or several, and so no label" in " ".join(odd.notes)
    both = open_dataset(csv(tmp_path, "image,ruler,hair\na.jpg,1,1\nb.jpg,1,0\n"))
    assert both.attributes == ("ruler", "hair")
    assert both.table["label"].isna().all()


NEARLY = {
    "ISIC_1": "ISIC_1.jpg",
    "img_2.jpg": "IMG_2.JPG",
    unicodedata.normalize("NFD", "ä.png"): unicodedata.normalize("NFC", "ä.png"),
    "part/3": "deep/part/3.tif",
    "C:\\data\\4.png": "deep/4.png",
    "/elsewhere/5.jpg": "5.jpg",
}


@given(st.permutations(sorted(NEARLY)))
@settings(max_examples=5)
def test_a_name_that_means_one_file_is_found(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        root = touch(Path(folder), *NEARLY.values(), "notes/ISIC_1.txt")
        dataset = open_dataset(csv(root, "image\n" + "\n".join(names) + "\n"))
    assert dataset.table["path"].tolist() == [NEARLY[name] for name in names]
    assert any(f"{len(NEARLY)} images were found" in note for note in dataset.notes)


def test_a_name_that_can_mean_several_files_is_said_and_left(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.png", "test/b.jpg", "other/c.jpg", "third/c.jpg")
    dataset = open_dataset(csv(tmp_path, "image\na\ntrain/b.jpg\nc.jpg\n"))
    assert dataset.table["path"].tolist() == ["a", "train/b.jpg", "c.jpg"]
    assert dataset.notes == ("2 names of the table can mean several files, such as a: a.jpg or a.png",)


def test_images_beside_the_folder_of_tables_are_found(tmp_path: Path) -> None:
    touch(tmp_path, "images/NAL/1d.jpg", "meta/x.txt")
    dataset = open_dataset(csv(tmp_path / "meta", "derm,clinic\nNAL/1d.jpg,NAL/1.jpg\n"))
    assert (dataset.root / dataset.table["path"][0]).is_file()


def test_of_columns_that_could_name_images_the_one_with_files_counts(tmp_path: Path) -> None:
    touch(tmp_path, "x7.jpg")
    assert open_dataset(csv(tmp_path, "image,img_id\n1,x7\n")).table["path"].tolist() == ["x7.jpg"]


@pytest.mark.parametrize("cell", ["9" * 25, "1e999", "-0", "3,5", "\u0663", "NaN", "x" * 200_000])
def test_any_cell_is_an_attribute(tmp_path: Path, cell: str) -> None:
    quoted = f'path,a\nx.jpg,"{cell}"\ny.jpg,\n'
    assert open_dataset(csv(tmp_path, quoted)).attributes == ("a",)


def test_files_passed_over_in_a_folder_are_counted_by_kind(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.PSD", "c.psd", "notes.txt", ".hidden.dat", "README")
    (note,) = open_dataset(f"folder:{tmp_path}").notes
    assert note.startswith("4 files of other kinds were passed over (2 .psd, 1 without ending, 1 .txt)")
    assert "to use .psd, save them as JPEG" in note


@pytest.mark.parametrize(
    ("spec", "kind", "reason"),
    [
        ("folder:/no/such/place", NotFoundError, "does not exist"),
        ("csv:/no/such/file.csv", NotFoundError, "does not exist"),
        (
            "zip:images.zip",
            BadInputError,
            "starts with none of folder:, csv:, dicom:, archive:, webdataset:, hf:, python:",
        ),
        ("floder:images", BadInputError, "nearest: folder"),
        ("folder:", BadInputError, "names nothing after"),
    ],
)
def test_specs_that_name_nothing(spec: str, kind: type[CspError], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        open_dataset(spec)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    with pytest.raises(BadInputError, match="no image files"):
        open_dataset(f"folder:{tmp_path}")


def test_a_dataset_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_data.py").write_text(
        "from pathlib import Path\n"
        "import pandas as pd\n"
        "from csp.world.protocols.dataset import Dataset\n"
        "def open_dataset(name):\n"
        "    table = pd.DataFrame({'path': [f'{name}.jpg'], 'label': ['x'], 'split': ['']})\n"
        "    return Dataset(f'python:own_data:{name}', Path('.'), table)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert open_dataset("python:own_data:a").table["path"].tolist() == ["a.jpg"]
    with pytest.raises(NotFoundError, match="no Python module 'no_such_module'"):
        open_dataset("python:no_such_module:a")
    with pytest.raises(BadInputError, match="no function 'open_dataset'"):
        open_dataset("python:json:a")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real images are not here")
def test_real_archives_are_read() -> None:
    ph2, isic = (open_dataset(f"csv:{REAL / name / 'cases.csv'}") for name in ("ph2", "isic"))
    assert (len(ph2.table), len(isic.table)) == (100, 411)
    assert "melanoma" in set(ph2.table["label"])
    assert {str(isic.table[name].dtype) for name in ("hair", "ruler", "ink", "patches")} == {"boolean"}
    assert all((isic.root / path).is_file() for path in isic.table["path"])


def test_a_file_whose_name_is_no_text_does_not_hide_the_others(tmp_path: Path) -> None:
    for name in (b"a.png", b"bad\xff.png"):
        (tmp_path / os.fsdecode(name)).touch()
    dataset = open_dataset(f"folder:{tmp_path}")
    assert dataset.table["path"].tolist() == ["a.png"]
    assert dataset.notes == ("1 files were passed over whose names are no text in UTF-8: rename them",)


def test_a_path_given_as_it_is_is_told_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=f"write folder:{tmp_path} or csv:{tmp_path}"):
        open_dataset(str(tmp_path))
