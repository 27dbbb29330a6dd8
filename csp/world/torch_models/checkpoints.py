"""Reads a file of weights by what is in it, whatever its name, without running anything that is in it."""

import argparse
import datetime
import json
import pathlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded, is_regular, open_regular, read_regular
from csp.world.specs.registry import reason

Place = tuple[str, ...]
"""Where something lies in a file: the names of the mappings around it."""

DEEPEST = 4
"""How many mappings inside each other are looked into; training programs use up to three."""
_WRAPPERS = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_forward_module.")
"""What compiling and sharding put into the names of parameters, at any place."""

_PLAIN = (
    argparse.Namespace,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
    datetime.datetime,
    datetime.date,
    datetime.timedelta,
    datetime.timezone,
)
"""Plain values that training programs save beside the weights, besides those that torch reads anyway."""

_OTHERS = (
    (b"\x89HDF\r\n", "is a Keras (HDF5) file, which torch can't read: save it anew by model.save('x.keras')"),
    (b"version https://git-lfs", "is a pointer of Git LFS and not the weights: run `git lfs pull`"),
    (b"\x1f\x8b", "is compressed: unpack it first"),
    (b"7z\xbc\xaf", "is compressed: unpack it first"),
    (b"BZh", "is compressed: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed: unpack it first"),
    (b"<", "is a web page and not the weights: download the file itself"),
    (b"GGUF", "is a GGUF file, which torch can't read"),
    (b"\x93NUMPY", "is a NumPy array and no state dict: save model.state_dict()"),
)
_WHOLE = {"torchscript": "constants.pkl", "export": "archive_format", "keras": "model.weights.h5"}
"""What archives of whole models hold, by the scheme that opens them."""
_UNKNOWN = "was written neither by torch.save nor by safetensors: save model.state_dict()"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds: state dicts by their place in it, and what it says besides.

    `metadata` are the fields of a safetensors file; `facts` are the plain values beside the weights of a file
    of torch.
    """

    path: str
    states: dict[Place, dict[str, Tensor]]
    metadata: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def value(self, key: str) -> Any:
        """Return a metadata field, read as JSON; None where it is missing. Raises `BadInputError`."""
        if key not in self.metadata:
            return None
        try:
            return json.loads(self.metadata[key])
        except (ValueError, RecursionError) as error:
            raise BadInputError(f"The metadata '{key}' of checkpoint '{self.path}' is not JSON.") from error


def read_checkpoint(name: str) -> Checkpoint:
    """Read a file of torch or safetensors, or the index of a sharded one.

    Raises `NotFoundError`, `BadInputError` with what the file is instead and what to do.
    """
    path = expanded(name)
    if path.is_dir():
        raise BadInputError(f"The checkpoint '{name}' is a folder: name the file of weights in it.")
    if not path.exists():
        raise NotFoundError(f"There is no checkpoint file '{name}'.")
    try:
        return Checkpoint(name, *_read(path, name))
    except OSError as error:
        raise BadInputError(
            f"The checkpoint '{name}' can't be read ({error.strerror or reason(error)})."
        ) from error
    except RecursionError:
        raise BadInputError(f"The checkpoint '{name}' is damaged (it is nested too deeply).") from None


Content = tuple[dict[Place, dict[str, Tensor]], dict[str, str], dict[str, Any]]
"""State dicts, metadata, facts."""


def _read(path: Path, name: str) -> Content:
    with open_regular(path) as file:
        start = file.read(512)
    if _is_safetensors(path, start):
        state, metadata = _read_safetensors(path, name)
        return {(): _plain_names(state)}, metadata, {}
    if start.lstrip().startswith(b"{"):
        return {(): _plain_names(_read_shards(path, name))}, {}, {}
    if zipfile.is_zipfile(path) or start.startswith((b"\x80", b"PK")):
        content = _load(path, name)
        states = {place: _plain_names(state) for place, state in _states(content)}
        if not states:
            raise BadInputError(f"The checkpoint '{name}' is no state dict: save model.state_dict().")
        return states, {}, _facts(content)
    if start[257:262] == b"ustar":
        raise BadInputError(f"The checkpoint '{name}' is an archive: unpack it first.")
    if not start:
        raise BadInputError(f"The checkpoint '{name}' is damaged: it is empty.")
    other = next((words for mark, words in _OTHERS if start.startswith(mark)), _UNKNOWN)
    raise BadInputError(f"The checkpoint '{name}' {other}.")


def _is_safetensors(path: Path, start: bytes) -> bool:
    """Eight bytes with the length of a header, then the header, which is JSON."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") < max(path.stat().st_size, 1 << 27)


def _read_safetensors(path: Path, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
            return state, file.metadata() or {}
    except OSError:
        raise
    except Exception as error:  # a damaged head brings about more than SafetensorError
        raise BadInputError(f"The checkpoint '{name}' is damaged ({reason(error)}).") from error


def _read_shards(path: Path, name: str) -> dict[str, Tensor]:
    """All files that an index names (`{"weight_map": {key: file}}`), which lie beside it."""
    try:
        files = sorted(set(json.loads(read_regular(path))["weight_map"].values()))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadInputError(
            f"The checkpoint '{name}' is JSON but no index of weights: name the file of weights itself."
        ) from error
    state: dict[str, Tensor] = {}
    for file in files:
        shard = path.parent / str(file)
        if Path(str(file)).name != file or not is_regular(shard):
            raise NotFoundError(f"The checkpoint '{name}' is an index of files and lacks '{file}' beside it.")
        for part in _read(shard, str(shard))[0].values():
            state |= part
    return state


def _load(path: Path, name: str) -> Any:
    if scheme := _model_kind(path):
        raise BadInputError(
            f"The checkpoint '{name}' is a whole model and no state dict: open it as {scheme}:{name}, or "
            "save only model.state_dict(), best as .safetensors."
        )
    try:
        # opened here, as torch takes a name for what it says
        with plain_values(), path.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise BadInputError(f"The checkpoint '{name}' {runs_code(error)}") from error
    except Exception as error:
        raise BadInputError(f"The checkpoint '{name}' is damaged ({reason(error)}).") from error


def runs_code(error: BaseException | None = None) -> str:
    """Say that a file holds more than weights, what, and what to do: the end of a sentence."""
    found = re.search(r"GLOBAL (\w[\w.]*\w)", str(error)) if error else None
    what = f" ({found[1]})" if found else ""
    return (
        f"holds more than weights{what} and would run code when read: "
        "save only model.state_dict(), best as .safetensors."
    )


@contextmanager
def plain_values() -> Iterator[None]:
    """Let `torch.load(weights_only=True)` read numbers of NumPy and other plain values: none can run code."""
    makers: tuple[Any, ...] = (np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0])
    modules = ("numpy.core.multiarray", "numpy._core.multiarray")  # before and since NumPy 2
    numbers: list[Any] = [
        *((maker, f"{module}.{maker.__name__}") for maker in makers for module in modules),
        np.ndarray,
        np.dtype,
        *{type(np.dtype(code)) for code in np.typecodes["All"] if code != "O"},
    ]
    with torch.serialization.safe_globals([*numbers, *_PLAIN]):
        yield


def _model_kind(path: Path) -> str:
    """The scheme that opens an archive of a whole model (its graph or code); empty for weights."""
    if not zipfile.is_zipfile(path):
        return ""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.partition("/")[2] or entry for entry in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # torch's own reader says what is wrong
        return ""
    return next((scheme for scheme, entry in _WHOLE.items() if entry in entries), "")


def _states(content: Any, place: Place = ()) -> Iterator[tuple[Place, dict[str, Tensor]]]:
    """Every mapping of names to tensors, outermost first."""
    if not isinstance(content, Mapping) or len(place) > DEEPEST:
        return
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    tensors = {key: tensor for key, value in named.items() if (tensor := _tensor(value)) is not None}
    if tensors:
        yield place, tensors
    for key, value in named.items():
        yield from _states(value, (*place, key))


def _tensor(value: Any) -> Tensor | None:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return torch.from_numpy(value.copy())
    return value.detach() if isinstance(value, Tensor) else None


def _plain_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    def plain(key: str) -> str:
        for wrapper in _WRAPPERS:
            key = key.replace(wrapper, "")
        return key

    return {plain(key): value for key, value in state.items()}


def _facts(content: Any) -> dict[str, Any]:
    """What stands beside the weights, and one level down (hyperparameters, arguments)."""
    if not isinstance(content, Mapping):
        return {}
    facts: dict[str, Any] = {}
    for value in content.values():
        inner = vars(value) if isinstance(value, argparse.Namespace) else value
        if isinstance(inner, Mapping) and not any(isinstance(each, Tensor) for each in inner.values()):
            facts |= {key: each for key, each in inner.items() if isinstance(key, str)}
    return facts | {key: value for key, value in content.items() if isinstance(key, str)}
