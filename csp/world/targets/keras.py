"""Target models of Keras 3: `keras:FILE.keras`, run by torch; layers by name, those within layers by `a.b`.

A file is opened in safe mode, and only if it is made of Keras's own layers: no code comes out of it.
"""

import hashlib
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from csp.errors import BadInputError, UnavailableError
from csp.world.pictures.prepare import prepared
from csp.world.protocols.pooling import Pooling
from csp.world.specs.registry import reason
from csp.world.targets.entries import Entry, columns_of, read_entries
from csp.world.targets.facts import Facts, facts_in_zip, model_file
from csp.world.torch_models.classes import class_names
from csp.world.torch_models.model_names import file_name
from csp.world.torch_models.target import TorchTarget, logits_of

if "keras" not in sys.modules:
    os.environ["KERAS_BACKEND"] = "torch"  # read once, when Keras is imported
import keras

_ROOMS = "layers|models|initializers|regularizers|constraints|dtype_policies|optimizers|losses|metrics|ops"
HDF5 = b"\x89HDF"
_OWN = re.compile(rf"keras|builtins|keras\.(src\.)?({_ROOMS})(\.\w+)*")
_REFUSED = re.compile(
    r".*[Ll]ambda.*|TorchModuleWrapper|TFSMLayer|JaxLayer|FlaxLayer|.*Lookup|TextVectorization|function"
)
"""Layers that run code of the file, or that read other files."""
SCALED = (0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)
"""Pixels from 0 to 255, as `mean` and `std`."""
PLAIN = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


class Tap(nn.Identity):
    """What a layer gives passes through here: what reads or holds it hooks on."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self._layer = [layer]  # in a list, as the layer is no part of this
        self.channels_last = getattr(layer, "data_format", "channels_last") != "channels_first"
        self._call = layer.call
        layer.call = self._tapped

    def _tapped(self, *inputs: Any, **named: Any) -> Any:
        return self(self._call(*inputs, **named))

    def type_name(self) -> str:
        """The class of the layer."""
        return type(self._layer[0]).__name__

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Those of the layer."""
        for variable in self._layer[0].trainable_variables:
            yield variable.value


class KerasModel(nn.Module):
    """A model of Keras called with pictures `[b, 3, h, w]` and, by name, what stands beside them; logits."""

    def __init__(self, model: Any, picture: Any, entries: Sequence[Entry], ends_in: str) -> None:
        super().__init__()
        self._model, self._entries, self.ends_in = [model], entries, ends_in
        self._picture, self._colours_last = picture.name, picture.shape[-1] == 3
        self._names = [one.name for one in model.inputs]
        self._taps = {name: Tap(layer) for name, layer in _layers(model)}

    def forward(self, picture: Tensor, **beside: Tensor) -> Any:
        """What the model gives of pictures."""
        given = {one.name: one.tensor(beside) for one in self._entries}
        given[self._picture] = picture.permute(0, 2, 3, 1) if self._colours_last else picture
        ordered = [given[name] for name in self._names]
        output = self._model[0](ordered if len(ordered) > 1 else ordered[0], training=False)
        return logits_of(output, self.ends_in)

    def named_modules(self, *_arguments: Any, **_named: Any) -> Iterator[tuple[str, nn.Module]]:
        """A tap for each layer, by its name."""
        yield "", self
        yield from self._taps.items()

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Those of the model."""
        for variable in self._model[0].variables:
            yield variable.value


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open a `.keras` file.

    Raises `NotFoundError`, `UnavailableError` where Keras runs on another library than torch, `BadInputError`
    for a file that takes no picture, or needs code of its own.
    """
    if keras.config.backend() != "torch":
        raise UnavailableError(
            f"Keras runs on {keras.config.backend()} here: set KERAS_BACKEND=torch before the program starts."
        )
    path = model_file(name, ".keras")
    whose = f"The Keras file '{name}'"
    if _head(path) == HDF5:
        raise BadInputError(
            f"{whose} is of an older Keras (HDF5): open it there and save it by `model.save('x.keras')`."
        )
    facts = facts_in_zip(path, whose)
    _check_config(path, whose)
    model = _read(path, whose)
    picture, others = _inputs(model, whose)
    widths = {one.name: (*one.shape[1:], 0)[0] for one in others}
    entries = read_entries(facts.said.get("columns"), widths, whose)
    sides = picture.shape[1:3] if picture.shape[-1] == 3 else picture.shape[2:4]
    size = tuple(sides) if all(isinstance(side, int) for side in sides) else facts.size()
    mean, std = _normalisation(model, facts)
    ends_in = _ends_in(model)
    module = KerasModel(model, picture, entries, ends_in).eval()
    rows = (tuple(one.shape) for one in model.outputs if len(one.shape) == 2)
    outputs = next((shape[1] for shape in rows if isinstance(shape[1], int)), 0)
    classes, notes = class_names(facts.names(), outputs, facts.whose)
    target = TorchTarget(
        spec=f"keras:{name}",
        name=file_name(name).removesuffix(".keras"),
        classes=classes,
        weights_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        input_size=(size[0], size[1]),
        module=module,
        transform=lambda image: prepared(image, (size[0], size[1]), mean, std),
        pooling=pooling,
        multi_label=ends_in == "sigmoid" and outputs > 1,
        notes=(*facts.notes, *notes),
        columns=columns_of(entries),
    )
    if not ends_in and target.said_by_softmax():
        module.ends_in = "softmax"
    return target


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(HDF5))


def _check_config(path: Path, whose: str) -> None:
    """Raise `BadInputError` for a file that is made of more than Keras's own layers."""
    try:
        with zipfile.ZipFile(path) as archive:
            waiting = [json.loads(archive.read("config.json"))]
    except (KeyError, ValueError, RecursionError, RuntimeError, NotImplementedError) as error:
        raise BadInputError(
            f"{whose} can't be read: it is no file of Keras 3 (`model.save('x.keras')`)."
        ) from error
    while waiting:
        one = waiting.pop()
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
        if not isinstance(one, dict) or "class_name" not in one:
            continue
        kind, module = str(one["class_name"]), one.get("module")
        foreign = module is not None and not _OWN.fullmatch(str(module))
        if foreign or _REFUSED.fullmatch(kind) or (module is None and one.get("registered_name")):
            raise BadInputError(
                f"{whose} holds '{kind[:80]}', which needs code or files that are not Keras's own: open "
                "such a model with a class of your own (docs/how-to/own-adapters.md)."
            )


def _read(path: Path, whose: str) -> Any:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras and h5py raise classes of their own
        raise BadInputError(f"{whose} can't be opened ({reason(error)}).") from error


def _inputs(model: Any, whose: str) -> tuple[Any, list[Any]]:
    """The picture, and what stands beside it. Raises `BadInputError`."""
    inputs = list(getattr(model, "inputs", None) or [])
    pictures = [one for one in inputs if len(one.shape) == 4 and 3 in (one.shape[-1], one.shape[1])]
    others = [one for one in inputs if not any(one is picture for picture in pictures)]
    if len(pictures) != 1 or any(len(one.shape) > 2 or one.dtype == "string" for one in others):
        said = "; ".join(f"{one.name} {list(one.shape)}" for one in inputs)
        raise BadInputError(
            f"{whose} takes {said or 'nothing that it names'}: it must take one picture of three colours, "
            "and beside it numbers, as [pictures, 1] or [pictures, choices]."
        )
    return pictures[0], others


def _layers(model: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The layers by name, those within a layer after it."""
    for layer in getattr(model, "layers", []):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        yield f"{before}{layer.name}", layer
        yield from _layers(layer, f"{before}{layer.name}.")


def _normalisation(model: Any, facts: Facts) -> Any:
    kinds = {type(layer).__name__ for _, layer in _layers(model)}
    if kinds & {"Rescaling", "Normalization"}:
        return facts.normalisation(SCALED, "from 0 to 255, which its own layers scale")
    return facts.normalisation(PLAIN, "from 0 to 1")


def _ends_in(model: Any) -> str:
    last = getattr(model.outputs[0], "_keras_history", [None])[0]
    function = getattr(getattr(last, "activation", None), "__name__", type(last).__name__.lower())
    return function if function in ("softmax", "sigmoid") else ""
