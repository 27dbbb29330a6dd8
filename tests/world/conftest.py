from pathlib import Path

import pytest


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
