"""Reads a state dict from a file without running anything that is in it."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from csp.errors import BadInputError, NotFoundError
from csp.world.specs.registry import reason

# names under which training programs keep the state dict, and what they put before each key
NESTED = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "model.", "_orig_mod.")
_CODE = (
    "holds more than weights and would run code when read: "
    "save only model.state_dict(), best as .safetensors."
)


@dataclass(frozen=True)
class Checkpoint:
    """Weights as stored, and the metadata of a safetensors file (empty for others)."""

    path: str
    state: dict[str, Tensor]
    metadata: dict[str, str]

    def value(self, key: str) -> Any:
        """Return a metadata field, read as JSON; None where it is missing. Raises `BadInputError`."""
        if key not in self.metadata:
            return None
        try:
            return json.loads(self.metadata[key])
        except json.JSONDecodeError as error:
            raise BadInputError(f"The metadata '{key}' of checkpoint '{self.path}' is not JSON.") from error


def read_checkpoint(name: str) -> Checkpoint:
    """Read a `.safetensors`, `.pt` or `.pth` file. Raises `NotFoundError`, `BadInputError`."""
    path = Path(name).expanduser()
    if not path.is_file():
        raise NotFoundError(f"There is no checkpoint file '{name}'.")
    if path.suffix == ".safetensors":
        return _read_safetensors(path, name)
    if path.suffix in (".pt", ".pth", ".bin"):
        return Checkpoint(name, _state_dict(_load(path, name), name), {})
    raise BadInputError(f"The checkpoint '{name}' is neither a .safetensors nor a .pt file.")


def load_state(module: nn.Module, checkpoint: Checkpoint, architecture: str) -> None:
    """Load weights as float32. Raises `BadInputError` naming the first keys that don't fit."""
    own = module.state_dict()
    state = checkpoint.state
    faults = [f"lacks '{key}'" for key in own if key not in state and not key.endswith("num_batches_tracked")]
    faults += [f"has '{key}' besides" for key in state if key not in own]
    faults += [
        f"has '{key}' as {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if faults:
        some = "; ".join(faults[:3]) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else "")
        raise BadInputError(f"The checkpoint '{checkpoint.path}' is not one of {architecture}: it {some}.")
    module.load_state_dict(state, strict=False)


def _read_safetensors(path: Path, name: str) -> Checkpoint:
    try:
        with safe_open(path, framework="pt") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
            return Checkpoint(name, _without_prefix(state), file.metadata() or {})
    except SafetensorError as error:
        raise BadInputError(f"The checkpoint '{name}' is damaged ({reason(error)}).") from error


def _load(path: Path, name: str) -> Any:
    if _is_script(path):
        raise BadInputError(f"The checkpoint '{name}' {_CODE}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise BadInputError(f"The checkpoint '{name}' {_CODE}") from error
    except (RuntimeError, EOFError, ValueError, OSError) as error:
        raise BadInputError(f"The checkpoint '{name}' is damaged ({reason(error)}).") from error


def _is_script(path: Path) -> bool:
    """Tell a TorchScript archive, which holds the model's code, from a saved state dict."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(entry.endswith("/constants.pkl") for entry in archive.namelist())


def _state_dict(content: Any, name: str) -> dict[str, Tensor]:
    nested = next((content[key] for key in NESTED if _is_nested(content, key)), content)
    if not isinstance(nested, Mapping) or not all(isinstance(value, Tensor) for value in nested.values()):
        raise BadInputError(f"The checkpoint '{name}' is no state dict: save model.state_dict().")
    return _without_prefix(dict(nested))


def _is_nested(content: Any, key: str) -> bool:
    return isinstance(content, Mapping) and isinstance(content.get(key), Mapping)


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            return _without_prefix({key.removeprefix(prefix): value for key, value in state.items()})
    return state
