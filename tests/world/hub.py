"""A stand-in for the Hugging Face hub: folders put where the hub's own download function looks first."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

COMMIT = "0" * 40


def put(hub: Path, repository: str, folder: Path) -> None:
    """Make `folder` the newest version of a repository, as if it had been downloaded."""
    place = hub / f"models--{repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    shutil.copytree(folder, place / "snapshots" / COMMIT)


def use(monkeypatch: pytest.MonkeyPatch, hub: Path) -> None:
    """Let all libraries look there, and nowhere else (the tests run with HF_HUB_OFFLINE)."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
