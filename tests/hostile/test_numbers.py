"""Numbers of thousands of digits, of other scripts, with gaps of millions; texts that are none."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

from csp.errors import CspError
from csp.keeping.reviews.rows import from_row
from csp.numerals import whole
from csp.work.labels.vocabulary import clean_text
from csp.world.datasets.shards import files_of
from csp.world.protocols.dataset import open_dataset
from csp.world.torch_models.checkpoints import Checkpoint
from csp.world.torch_models.heads import rebuild_head
from tests.world.datasets.pictures import png

ENDLESS = "9" * 5_000


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("017", 17), ("", None), ("-1", None), ("²", None), ("٣", None)]
)
def test_a_whole_number(text: str, number: int | None) -> None:
    assert whole(text) == number
    assert whole(ENDLESS) is None


@pytest.mark.parametrize("number", ["999999999", ENDLESS, "²"])
def test_a_head_whose_numbers_have_a_gap_is_not_filled_up(number: str) -> None:
    tensors = {"0.weight": torch.ones(4, 3), f"{number}.weight": torch.ones(2, 4)}
    head = rebuild_head(nn.Linear(3, 2), "fc", 3, tensors)
    assert head is None or len(list(head.module.children())) < 5


def test_an_endless_range_of_shards() -> None:
    assert len(files_of(f"a-{{0..{ENDLESS}}}.tar", "shard")) == 1


@pytest.mark.parametrize("said", ["[" * 100_000, ENDLESS])
def test_metadata_that_no_reader_of_json_takes(said: str) -> None:
    with pytest.raises(CspError, match="not JSON"):
        Checkpoint("x.safetensors", {}, {"classes": said}).value("classes")


def test_a_text_of_rows_that_is_none(tmp_path: Path) -> None:
    names = pa.array([b"\xff", b"a"]).view(pa.string())
    pictures = [{"bytes": png(row), "path": f"{row}.png"} for row in range(2)]
    pq.write_table(pa.table({"image": pictures, "label": names}), tmp_path / "a.parquet")
    with pytest.raises(CspError, match=r"The column 'label' of .* can't be read"):
        open_dataset(f"hf:{tmp_path}")


def test_half_a_character_is_no_label_and_no_tag() -> None:
    with pytest.raises(CspError, match="half a character"):
        clean_text("a\ud800")
    with pytest.raises(CspError, match=r"the tag .* can't be kept"):
        from_row({"neuron": 1, "verdict": "reject", "reviewer": "Ann", "tags": ["a\ud800"]})
