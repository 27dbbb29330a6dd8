"""A small probe dataset with broken files in it, and two tiny real models to index it with."""

import csv
import json
from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file

from csp.work.indexing.spec import IndexSpec, make_spec
from tests.build import draw
from tests.world.tiny import save_open_clip

GOOD = 56
BROKEN = ("broken/empty.png", "broken/text.jpg", "broken/cut.png", "broken/missing.png")
VOCABULARY = "text,attributes,broad\nruler,ruler,0\na hair,hairs,0\nmole,,1\nblue white veil,,0\nred,,0\n"
CLASSES = ["nevus", "melanoma", "keratosis"]


def make_world(folder: Path) -> Path:
    """Write images, `images.csv`, `terms.csv`, the classifier and the folder `clip`; returns the folder."""
    (folder / "images").mkdir(parents=True)
    (folder / "broken").mkdir()
    rows = [("path", "label", "split", "ruler", "hairs")]
    for row in range(GOOD):
        draw(row).save(folder / f"images/{row:02}.png")
        rows.append(
            (
                f"images/{row:02}.png",
                CLASSES[row % 2],
                "held-out" if row % 2 else "",
                str(row % 2),
                str(int(row % 3 == 0)),
            )
        )
    (folder / "broken/empty.png").touch()
    (folder / "broken/text.jpg").write_text("not an image")
    (folder / "broken/cut.png").write_bytes((folder / "images/03.png").read_bytes()[:200])
    for place, path in enumerate(BROKEN):
        rows.insert(1 + 9 * place, (path, "", "", "0", "0"))
    with (folder / "images.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "terms.csv").write_text(VOCABULARY)
    save_classifier(folder / "classifier.safetensors")
    save_open_clip(folder / "clip")
    return folder


def save_classifier(path: Path) -> None:
    """A ResNet-18 with random weights for pictures of 32 x 32."""
    torch.manual_seed(0)
    weights = torchvision.models.resnet18(num_classes=len(CLASSES)).state_dict()
    metadata = {"input_size": "32", "classes": json.dumps(CLASSES)}
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path, metadata)


def fields(world: Path) -> dict[str, object]:
    """What an index config of this world says, paths relative to it."""
    return {
        "model": "torchvision:resnet18@classifier.safetensors",
        "layers": ["layer1", "layer2.0.bn1"],
        "data": "csv:images.csv",
        "encoder": "openclip:local-dir:clip",
        "vocabulary": "terms.csv",
        "templates": ["{}", "a photo of {}"],
        "batch_size": 8,
        "k": 6,
        "neighbours": 12,
    }


def index_spec(world: Path, out: Path, **changed: object) -> IndexSpec:
    """The spec that indexes this world."""
    absolute = {
        "model": f"torchvision:resnet18@{world}/classifier.safetensors",
        "data": f"csv:{world}/images.csv",
        "encoder": f"openclip:local-dir:{world}/clip",
        "vocabulary": world / "terms.csv",
        "out": str(out),
    }
    return make_spec(fields(world) | absolute | changed)
