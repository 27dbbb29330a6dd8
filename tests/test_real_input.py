"""Photographs through the demo's models, from `csp index` to the page; skipped where there are none."""

from pathlib import Path

import pytest

from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index
from csp.work.indexing.spec import make_spec
from csp.world.protocols.encoder import open_encoder
from scripts.demo.real_input import report
from tests.face.pages.test_pages import drawn, opened

ASSETS = Path(__file__).parents[1] / "assets"
REAL = Path(__file__).parents[2] / "shared" / "real"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.is_dir(), reason="no folder of real dermoscopy images beside the checkout"),
]


def indexed(name: str) -> Run:
    fields = {
        "model": f"torchvision:resnet18@{ASSETS}/models/classifier.safetensors",
        "layers": ["layer4"],
        "data": f"csv:{REAL}/{name}/cases.csv",
        "encoder": f"openclip:local-dir:{ASSETS}/models/clip",
        "vocabulary": ASSETS / "vocabularies" / "dermoscopy.terms.csv",
        "out": name,
    }
    return Run.open(index(make_spec(fields)))


@pytest.mark.parametrize(
    ("name", "images", "carried_over"),
    [("ph2", 100, ("black", "regression", "blue_white_veil")), ("isic", 411, ("dark_corners",))],
)
def test_photographs_are_indexed_measured_and_shown(
    name: str, images: int, carried_over: tuple[str, ...]
) -> None:
    run = indexed(name)
    assert (len(run.images), len(run.skipped)) == (images, 0)

    measured = report(run, open_encoder(run.manifest.encoder.spec))
    assert measured["classifier, melanoma vs rest"]["auroc"] > 0.5
    for attribute in carried_over:
        assert measured["zero-shot"][attribute]["auroc"] > 0.65, attribute

    activating, contrastive = drawn(opened("pages/neuron.py", run=name, neuron="17"), "tiles")
    assert len(activating["tiles"]) == len(contrastive["tiles"]) > 0
    assert activating["tiles"][0]["src"].startswith("data:image/webp;base64,")
