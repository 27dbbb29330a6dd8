"""Datasets as Hugging Face's own library writes them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.world.protocols.dataset import Dataset, open_dataset
from tests.world.datasets.pictures import picture, png

datasets = pytest.importorskip("datasets")
NAMES = ["nevus", "melanoma"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    yield
    datasets.enable_progress_bars()


def rows(count: int, first: int = 0, **more: list[object]) -> object:
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}
    given = {
        "image": [picture(first + number) for number in range(count)],
        "label": [number % 2 for number in range(count)],
    }
    table = datasets.Dataset.from_dict(given, features=datasets.Features(features))
    for name, values in more.items():
        table = table.add_column(name, values)
    return table


def shows(dataset: Dataset, row: int, number: int) -> bool:
    seen = dataset.images.picture(dataset.table["path"][row]).image
    return np.array_equal(np.asarray(seen), np.asarray(picture(number)))


def test_a_dictionary_of_splits_that_was_saved_to_disk(tmp_path: Path) -> None:
    both = datasets.DatasetDict({"train": rows(3, age=[40, None, 7]), "test": rows(2, 10, age=[1, 2])})
    both.save_to_disk(tmp_path / "skin")
    dataset = open_dataset(f"hf:{tmp_path / 'skin'}")
    table = dataset.table
    assert table["split"].tolist() == ["test", "test", "train", "train", "train"]
    assert table["label"].tolist() == ["nevus", "melanoma", "nevus", "melanoma", "nevus"]
    assert table["age"].tolist()[:3] == [1, 2, 40]
    assert shows(dataset, 0, 10) and shows(dataset, 4, 2)
    assert dataset.name == "skin"
    only = open_dataset(f"hf:{tmp_path / 'skin'}#train")
    assert only.table["split"].unique().tolist() == ["train"]
    assert shows(only, 1, 1)
    with pytest.raises(NotFoundError, match="no split 'val'"):
        open_dataset(f"hf:{tmp_path / 'skin'}#val")


def test_parquet_shards_as_the_hub_lays_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(2):
        shard = rows(3, 3 * number, site=["back", "arm", "leg"], box=[[1, 2]] * 3)
        shard.to_parquet(tmp_path / "data" / f"validation-{number:05}-of-00002.parquet", batch_size=2)
    dataset = open_dataset(f"hf:{tmp_path}")
    assert dataset.table["split"].unique().tolist() == ["validation"]
    assert dataset.table["site"].tolist() == ["back", "arm", "leg"] * 2
    assert all(shows(dataset, row, row) for row in (5, 0, 3, 1))
    assert "columns that are no single values were left out: box" in dataset.notes
    one = open_dataset(f"hf:{tmp_path}/data/validation-00001*.parquet")
    assert shows(one, 0, 3)
    again = open_dataset(f"hf:{tmp_path}")
    assert again.fingerprint() == dataset.fingerprint() != one.fingerprint()


def test_plain_bytes_under_another_name_are_found_and_columns_are_said(tmp_path: Path) -> None:
    given = {
        "code": [b"no picture", b"neither"],
        "photo": [Path(save(tmp_path, number)).read_bytes() for number in range(2)],
        "dx": ["nv", "mel"],
    }
    datasets.Dataset.from_dict(given).to_parquet(tmp_path / "cases.parquet")
    dataset = open_dataset(f"hf:{tmp_path / 'cases.parquet'}")
    assert dataset.table["label"].tolist() == ["nv", "mel"]
    assert shows(dataset, 1, 1)
    assert "the column 'dx' was taken for the labels" in dataset.notes


def save(folder: Path, number: int) -> str:
    place = folder / f"{number}.png"
    picture(number).save(place)
    return str(place)


def test_a_dataset_of_one_picture_and_twice_the_same_one(tmp_path: Path) -> None:
    datasets.concatenate_datasets([rows(1), rows(1)]).to_parquet(tmp_path / "twice.parquet")
    assert len(open_dataset(f"hf:{tmp_path / 'twice.parquet'}").table) == 2
    rows(1).to_parquet(tmp_path / "one.parquet")
    assert len(open_dataset(f"hf:{tmp_path / 'one.parquet'}").table) == 1


def test_what_can_not_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    rows(0).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(BadInputError, match="has no images"):
        open_dataset(f"hf:{tmp_path / 'none.parquet'}")
    rows(2).to_parquet(tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError, match="damaged or cut off"):
        open_dataset(f"hf:{tmp_path / 'cut.parquet'}")
    datasets.Dataset.from_dict({"text": ["a"]}).to_parquet(tmp_path / "text.parquet")
    with pytest.raises(BadInputError, match="no column of pictures among text"):
        open_dataset(f"hf:{tmp_path / 'text.parquet'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match="no Parquet or Arrow file"):
        open_dataset(f"hf:{tmp_path / 'empty'}")
    with pytest.raises(NotFoundError, match="does not exist"):
        open_dataset(f"hf:{tmp_path / 'nowhere'}")
    for name in ("one", "two"):
        (tmp_path / "several" / name).mkdir(parents=True)
        rows(1, **{name: ["x"]}).to_parquet(tmp_path / "several" / name / "train.parquet")
    with pytest.raises(BadInputError, match=r"several datasets.*name one of its folders \(one, two\)"):
        open_dataset(f"hf:{tmp_path / 'several'}")


def test_columns_that_other_programs_wrote(tmp_path: Path) -> None:
    pictures = pa.array([None] * 12 + [png(0)], pa.binary())
    pq.write_table(pa.table({"img": pictures}), tmp_path / "late.parquet")
    assert len(open_dataset(f"hf:{tmp_path / 'late.parquet'}").table) == 13
    twice = pa.Table.from_arrays([pictures, pictures], names=["image", "image"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(BadInputError, match="two columns called 'image'"):
        open_dataset(f"hf:{tmp_path / 'twice.parquet'}")
    pq.write_table(pa.table({"img": pictures[:0]}), tmp_path / "none.parquet")
    with pytest.raises(BadInputError, match="has no images"):
        open_dataset(f"hf:{tmp_path / 'none.parquet'}")


def test_a_row_without_its_picture_is_left_out_later(tmp_path: Path) -> None:
    features = datasets.Features({"image": datasets.Image(decode=False), "label": datasets.Value("string")})
    given = {"image": [{"bytes": None, "path": "/etc/hostname"}, None], "label": ["a", "b"]}
    datasets.Dataset.from_dict(given, features=features).to_parquet(tmp_path / "names.parquet")
    dataset = open_dataset(f"hf:{tmp_path / 'names.parquet'}")
    with pytest.raises(Exception, match="only the name of a file"):
        dataset.images.picture(dataset.table["path"][0])
    with pytest.raises(Exception, match="holds no picture"):
        dataset.images.picture(dataset.table["path"][1])


def test_the_hub_out_of_reach_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        UnavailableError, match="'someone/skin' is no folder here and can't be had from the hub"
    ):
        open_dataset("hf:someone/skin")


def test_a_dataset_in_the_cache_of_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the hub's own library has fetched before opens without the hub."""
    folder = tmp_path / "hub" / "datasets--someone--skin"
    snapshot = folder / "snapshots" / ("a" * 40) / "data"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("a" * 40)
    rows(2).to_parquet(snapshot / "test-00000-of-00001.parquet")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    dataset = open_dataset("hf:someone/skin")
    assert dataset.table["split"].tolist() == ["test", "test"]
    assert shows(dataset, 1, 1)
