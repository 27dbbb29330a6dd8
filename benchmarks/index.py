"""Images per second of `csp index` against the bare forward passes of the same two models.

Usage: python -m benchmarks.index [--images 192] [--batch-size 32] [--model SPEC --layer NAME --encoder SPEC]
Without specs: a ResNet-50 and a CLIP ViT-B/32 with random weights, on drawn JPEG files of 600 x 450.
The bare passes get ready batches from memory; index also decodes, preprocesses, makes thumbnails and writes.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import open_clip
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index
from csp.work.indexing.spec import make_spec
from csp.work.progress import Progress
from csp.world.pictures.decode import read_image
from csp.world.protocols.encoder import open_encoder
from csp.world.protocols.target import open_target

CLIP = "ViT-B-32"


def main() -> None:
    """Measure both and print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--model")
    parser.add_argument("--layer", default="layer4")
    parser.add_argument("--encoder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_images(folder / "images", options.images)
        fields = {
            "model": options.model or f"torchvision:resnet50@{save_classifier(folder)}",
            "layers": [options.layer],
            "data": f"folder:{folder}/images",
            "encoder": options.encoder or f"openclip:local-dir:{save_clip(folder)}",
            "out": str(folder / "run"),
            "batch_size": options.batch_size,
        }
        bare = bare_seconds(fields, sorted((folder / "images").iterdir()))
        seconds = index_seconds(fields)
        images = Run.open(folder / "run").manifest.images
    result = {
        "benchmark": "index",
        "ratio": round(seconds["images"] / bare, 3),
        "ratio_of": "seconds of the image pass of index / seconds of the bare forward passes of both models",
        "images": images,
        "index_images_per_second": round(images / seconds["images"], 2),
        "bare_images_per_second": round(images / bare, 2),
        "index_seconds_in_all": round(seconds["all"], 2),
        "threads": torch.get_num_threads(),
        "models": [fields["model"].partition("@")[0], options.encoder or CLIP],
    }
    print(json.dumps(result))


def bare_seconds(fields: dict[str, str], paths: list[Path]) -> float:
    """Seconds that both models take for all images, preprocessed beforehand, after one batch to warm up."""
    target, encoder = open_target(fields["model"]), open_encoder(fields["encoder"])
    pictures = [read_image(path) for path in paths]
    inputs = np.stack([target.preprocess(picture) for picture in pictures])
    others = np.stack([encoder.preprocess(picture) for picture in pictures])
    size = int(fields["batch_size"])
    target.run(inputs[:size], fields["layers"])
    encoder.embed_images(others[:size])
    began = time.perf_counter()
    for start in range(0, len(paths), size):
        target.run(inputs[start : start + size], fields["layers"])
        encoder.embed_images(others[start : start + size])
    return time.perf_counter() - began


def index_seconds(fields: dict[str, object]) -> dict[str, float]:
    """Seconds of the image pass, and of the whole job with opening the models and working out the answers."""
    ends: dict[str, float] = {}

    def note(progress: Progress) -> None:
        if progress.stage == "images" and progress.rate:
            ends["images"] = progress.done / progress.rate

    began = time.perf_counter()
    index(make_spec(fields), note)
    return ends | {"all": time.perf_counter() - began}


def draw_images(folder: Path, count: int) -> None:
    """Smooth colours with some grain: files of about the size of a dermoscopic JPEG."""
    folder.mkdir()
    for seed in range(count):
        rng = np.random.default_rng(seed)
        coarse = Image.fromarray(rng.integers(60, 220, (6, 8, 3), np.uint8)).resize(
            (600, 450), Image.Resampling.BICUBIC
        )
        grain = np.asarray(coarse, dtype=np.int16) + rng.integers(-12, 13, (450, 600, 3))
        Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(folder / f"{seed:05}.jpg", quality=90)


def save_classifier(folder: Path) -> Path:
    """A ResNet-50 with random weights."""
    torch.manual_seed(0)
    save_file(torchvision.models.resnet50().state_dict(), folder / "classifier.safetensors")
    return folder / "classifier.safetensors"


def save_clip(folder: Path) -> Path:
    """A CLIP with random weights, as an OpenCLIP folder."""
    torch.manual_seed(0)
    clip = folder / "clip"
    clip.mkdir()
    model = open_clip.create_model(CLIP, pretrained=None)
    config = {"model_cfg": open_clip.get_model_config(CLIP), "preprocess_cfg": {"size": 224}}
    (clip / "open_clip_config.json").write_text(json.dumps(config))
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, clip / "open_clip_model.safetensors")
    return clip


if __name__ == "__main__":
    main()
