"""WebDataset shards as the library of that name writes them."""

import json
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.dataset import Dataset, open_dataset
from tests.world.datasets.pictures import picture

wds = pytest.importorskip("webdataset")


def shard(file: Path, numbers: range, **more: object) -> Path:
    with wds.TarWriter(str(file)) as writer:
        for number in numbers:
            sample = {"__key__": f"set/{number:04}", "png": picture(number), "cls": number % 2}
            writer.write(sample | {"json": {"age": 30 + number, "ruler": number > 1, "boxes": [1, 2]}} | more)
    return file


def shows(dataset: Dataset, row: int, number: int) -> bool:
    seen = dataset.images.picture(dataset.table["path"][row]).image
    return np.array_equal(np.asarray(seen), np.asarray(picture(number)))


def test_shards_of_a_brace_range(tmp_path: Path) -> None:
    for number in range(3):
        shard(tmp_path / f"train-{number:03}.tar", range(2 * number, 2 * number + 2))
    dataset = open_dataset(f"webdataset:{tmp_path}/train-{{000..001}}.tar")
    assert dataset.table["path"].tolist() == [
        "train-000.tar/set/0000.png",
        "train-000.tar/set/0001.png",
        "train-001.tar/set/0002.png",
        "train-001.tar/set/0003.png",
    ]
    assert dataset.table["label"].tolist() == ["0", "1", "0", "1"]
    assert dataset.table["age"].tolist() == [30, 31, 32, 33]
    assert dataset.table["ruler"].tolist() == [False, False, True, True]
    assert "what is no single value was left out: boxes" in dataset.notes
    assert shows(dataset, 3, 3) and shows(dataset, 0, 0)
    everything = open_dataset(f"webdataset:{tmp_path}/train-*.tar")
    assert len(everything.table) == 6
    assert len(open_dataset(f"webdataset:{tmp_path}/train-{{000,002}}.tar").table) == 4


def test_class_numbers_are_named_by_a_list_beside_the_shards(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("nevus\nmelanoma\n")
    dataset = open_dataset(f"webdataset:{shard(tmp_path / 'a.tar', range(3))}")
    assert dataset.table["label"].tolist() == ["nevus", "melanoma", "nevus"]
    assert dataset.name == "a.tar"


def test_without_cls_the_label_is_that_of_the_json(tmp_path: Path) -> None:
    with wds.TarWriter(str(tmp_path / "a.tar")) as writer:
        writer.write({"__key__": "x", "jpg": picture(1), "json": {"diagnosis": "nevus", "split": "val"}})
        writer.write({"__key__": "y", "jpg": picture(2), "txt": "a brown spot"})
        writer.write({"__key__": "z", "txt": "no picture"})
    dataset = open_dataset(f"webdataset:{tmp_path / 'a.tar'}")
    assert dataset.table["label"].tolist() == ["nevus", None]
    assert dataset.table["split"].tolist() == ["val", ""]
    assert dataset.table["text"].tolist() == [None, "a brown spot"]
    assert "1 sample without a picture passed over" in dataset.notes


def test_a_cls_that_is_no_text_gives_no_label(tmp_path: Path) -> None:
    file = shard(tmp_path / "a.tar", range(2), cls=np.float32(0.3).tobytes())
    dataset = open_dataset(f"webdataset:{file}")
    assert "label" not in dataset.table or dataset.table["label"].isna().all()
    assert "the .cls of 2 samples holds no text, so no class is known from it" in dataset.notes


def test_packed_shards(tmp_path: Path) -> None:
    dataset = open_dataset(f"webdataset:{shard(tmp_path / 'a.tar.gz', range(2))}")
    assert shows(dataset, 1, 1)


def test_what_can_not_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    whole = shard(tmp_path / "a.tar", range(4)).read_bytes()
    for size in (len(whole) // 2, len(whole) // 3 // 512 * 512):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(BadInputError, match=r"cut.tar' is damaged or cut off: copy or download it again"):
            open_dataset(f"webdataset:{tmp_path / 'cut.tar'}")
    with pytest.raises(NotFoundError, match="no WebDataset shard"):
        open_dataset(f"webdataset:{tmp_path}/none-*.tar")
    with pytest.raises(NotFoundError, match="does not exist"):
        open_dataset(f"webdataset:{tmp_path}/a-{{0..3}}.tar")
    with pytest.raises(BadInputError, match="more than 100,000 files"):
        open_dataset(f"webdataset:{tmp_path}/a-{{0..999999}}.tar")
    with wds.TarWriter(str(tmp_path / "text.tar")) as writer:
        writer.write({"__key__": "x", "json": json.dumps({})})
    with pytest.raises(BadInputError, match="no sample with a picture"):
        open_dataset(f"webdataset:{tmp_path / 'text.tar'}")
