"""Files that people bring along, damaged at random: each is read, or refused in a sentence."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save as save_safetensors

from csp.errors import CspError
from csp.keeping.reviews.store import open_reviews
from csp.keeping.run_folder.run import Run
from csp.work.indexing.npy_files import check_activations, check_vectors, open_given
from csp.work.indexing.spec import make_spec, read_config
from csp.work.indexing.vocabulary_file import read_terms
from csp.work.metrics.experiment import read_experiment
from csp.work.reviews.exchange import import_reviews
from csp.world.pictures.decode import decode_picture
from csp.world.protocols.dataset import open_dataset
from csp.world.torch_models.checkpoints import read_checkpoint
from tests.hostile.fuzz import SAMPLE, damaged, said_or_done


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.eye(4, 3, dtype=np.float32))
    return file.getvalue()


def _pt() -> bytes:
    file = io.BytesIO()
    torch.save({"state_dict": {"fc.weight": torch.ones(2, 3), "fc.bias": torch.zeros(2)}, "epoch": 3}, file)
    return file.getvalue()


def _picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(file, kind)
    return file.getvalue()


SAFETENSORS = save_safetensors({"fc.weight": torch.ones(2, 3)}, {"classes": '["a", "b"]'})
PICTURES = [_picture(kind) for kind in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")]
CONFIG = b"model: torchvision:resnet18\nlayers: [layer4]\ndata: folder:x\nencoder: openclip:y\nout: z\nk: 3\n"
EXPERIMENT = b"run: demo\nways:\n- {name: a, labeler: csp}\n- {name: b, labeler: semanticlens, gamma: 0.5}\n"
TABLE = b'path,label,age\na.png,"mole, large",3\nb.png,ruler,4\n'
VOCABULARY = b'text,attributes,broad\nruler,"a;b",0\nblue veil,,1\n'
REVIEWS = b"layer,neuron,verdict,label,reviewer,gamma,at,tags\nlate,1,reject,,Ann,0.5,2026-01-01,artefact\n"


@settings(max_examples=SAMPLE)
@given(data=damaged(_npy()))
def test_arrays(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.npy"
    path.write_bytes(data)

    def read() -> None:
        given_array = open_given(path, "activations")
        check_activations(given_array)
        check_vectors(given_array)

    said_or_done(read)


@settings(max_examples=SAMPLE)
@given(data=st.one_of(damaged(_pt()), damaged(SAFETENSORS)))
@pytest.mark.filterwarnings("ignore")
def test_weights(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.pt"
    path.write_bytes(data)
    said_or_done(lambda: read_checkpoint(str(path)))


@settings(max_examples=SAMPLE)
@given(data=damaged(CONFIG), ending=st.sampled_from([".yaml", ".json"]))
def test_configs(data: bytes, ending: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz{ending}"
    path.write_bytes(data)
    said_or_done(lambda: make_spec(read_config(path)))


@settings(max_examples=SAMPLE)
@given(data=damaged(EXPERIMENT))
def test_experiments(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(data)
    said_or_done(lambda: read_experiment(path))


@settings(max_examples=SAMPLE)
@given(data=damaged(TABLE))
def test_tables(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(data)
    said_or_done(lambda: open_dataset(f"csv:{path}").fingerprint())


@settings(max_examples=SAMPLE)
@given(data=st.one_of(damaged(VOCABULARY), damaged(json.dumps(["ruler", "veil"]).encode())))
def test_vocabularies(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz-terms.csv"
    path.write_bytes(data)
    said_or_done(lambda: read_terms(path))


@settings(max_examples=SAMPLE)
@given(data=st.one_of(*map(damaged, PICTURES)))
@pytest.mark.filterwarnings("ignore")
def test_pictures(data: bytes) -> None:
    said_or_done(lambda: decode_picture(data))


@settings(max_examples=SAMPLE)
@given(data=damaged(REVIEWS))
def test_reviews(data: bytes, built_run: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Beside the damaged row goes in a sound one, unless the file as a whole is no table."""
    path = tmp_path_factory.getbasetemp() / "fuzz-reviews.csv"
    path.write_bytes(data)
    with open_reviews() as reviews:
        try:
            import_reviews(reviews, path, Run.open(built_run))
        except CspError as error:
            assert "\n" not in str(error)
        assert reviews.verify().ok
