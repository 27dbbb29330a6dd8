import os
from pathlib import Path

import pytest

# No test may depend on a hub; without this, one that asks for a hub's model would try again and again.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of tiny transformers and OpenCLIP models, made once."""
    from tests.world import tiny

    root = tmp_path_factory.mktemp("models")
    for kind in ("vit", "swin", "resnet"):
        tiny.save_classifier(root / kind, kind)
    for kind in ("clip", "siglip"):
        tiny.save_dual_encoder(root / kind, kind)
    tiny.save_open_clip(root / "openclip")
    return root
