"""Target models in ONNX: `onnx:FILE`, run by ONNX Runtime; every tensor between its nodes can be a layer.

What the file can't say may stand in its metadata, each as JSON: `classes` (names), `input_size` (224 or
`[224, 224]`, where the graph leaves it open), `mean` and `std` (three numbers, of pixels from 0 to 1),
`columns` (what it takes beside the picture, see `csp.world.protocols.columns`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from jaxtyping import Float32
from onnx import TensorProto
from PIL import Image

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded, is_regular
from csp.world.protocols.columns import Column, Values, entered
from csp.world.protocols.pooling import Pooling
from csp.world.protocols.target import LayerInfo, TargetOutput
from csp.world.specs.registry import nearest, reason
from csp.world.targets.onnx_file import (
    encoded,
    graph_hash,
    input_columns,
    last_operation,
    other_inputs,
    picture_input,
    picture_size,
    read_graph,
    sides,
    stated,
    three_numbers,
)
from csp.world.torch_models.classes import class_names
from csp.world.torch_models.layers import pool
from csp.world.torch_models.model_names import file_name
from csp.world.torch_models.target import probabilities

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation that most programs train with."""
_NORMALISED = {"Softmax": False, "Sigmoid": True}
"""Nodes that end a graph with probabilities, and whether each class then has its own."""


@dataclass(frozen=True)
class OnnxTarget:
    """A model that takes one picture; its first output holds logits or probabilities, if it has two axes."""

    spec: str
    name: str
    classes: tuple[str, ...]
    weights_hash: str
    input_size: tuple[int, int]
    graph: Any
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels_last: bool
    pooling: Pooling = "mean"
    multi_label: bool = False
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    values: Values | None = None
    sessions: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)

    def given(self, values: Values) -> "OnnxTarget":
        """The same model, for batches of pictures with these values beside them."""
        return replace(self, values=values)

    def layers(self) -> list[LayerInfo]:
        """Every tensor of 2 to 4 axes between nodes, by one pass over two blank pictures."""
        blank = np.zeros((2, 3, *self.input_size), np.float32)
        arrays = self._compute(blank, self._names)
        return [
            LayerInfo(name, node.op_type, arrays[name].shape[1:])
            for node in self.graph.graph.node
            for name in node.output
            if name in arrays and len(arrays[name]) == 2 and 2 <= arrays[name].ndim <= 4
        ]

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Scale the short side to the input, cut the centre out, normalise."""
        height, width = self.input_size
        scale = max(height / image.height, width / image.width)
        size = max(width, round(image.width * scale)), max(height, round(image.height * scale))
        scaled = image.resize(size, Image.Resampling.BILINEAR)
        left, top = (size[0] - width) // 2, (size[1] - height) // 2
        pixels = np.asarray(scaled.crop((left, top, left + width, top + height)), np.float32) / 255
        normalised = (pixels - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normalised.transpose(2, 0, 1), np.float32)

    def run(self, batch: Float32[np.ndarray, "b 3 h w"], layers: Sequence[str]) -> TargetOutput:
        """Read several tensors in one pass. Raises `NotFoundError`, `BadInputError` if one can't be read."""
        for layer in layers:
            if layer not in self._names:
                raise NotFoundError(f"The model has no layer '{layer}'{nearest(layer, self._names)}.")
        arrays = self._compute(batch, [*layers, self._output])
        pooled = {layer: self._pooled(layer, arrays[layer], batch) for layer in layers}
        if not self.classes:
            return TargetOutput(pooled, None)
        found = arrays[self._output]
        if self._ends_in not in _NORMALISED:
            found = probabilities(torch.from_numpy(found), self.multi_label).numpy()
        elif found.shape[1] == 1:
            found = np.hstack([1 - found, found])
        return TargetOutput(pooled, found.astype(np.float32))

    def _pooled(self, layer: str, array: np.ndarray, batch: np.ndarray) -> Float32[np.ndarray, "b c"]:
        if len(array) != len(batch) or array.ndim < 2:
            raise BadInputError(f"Layer '{layer}' does not give one row per image: choose another.")
        height, width = self.input_size
        return pool(layer, torch.from_numpy(array), self.pooling, height / width, self.channels_last).numpy()

    def _compute(self, batch: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The named tensors, float32; a graph for a fixed number of pictures gets so many at a time."""
        names = list(dict.fromkeys(names))
        session = self._session(tuple(names))
        given = batch.transpose(0, 2, 3, 1) if self.channels_last else batch
        fixed = sides(self._input)[0]
        step = fixed or len(batch)
        parts: list[list[np.ndarray]] = []
        fed = {self._input.name: np.ascontiguousarray(given, np.float32), **self._beside(len(batch))}
        for start in range(0, len(batch), step):
            rows = np.minimum(np.arange(start, start + step), len(batch) - 1)  # the last one again at the end
            try:
                parts.append(session.run(names, {name: array[rows] for name, array in fed.items()}))
            except Exception as error:  # ONNX Runtime raises classes of its own for each kind
                raise BadInputError(f"{self.name} can't be run on pictures ({reason(error)}).") from error
        if not fixed:
            return {name: array.astype(np.float32) for name, array in zip(names, parts[0], strict=True)}
        kept = {}
        for place, name in enumerate(names):
            arrays = [part[place] for part in parts]
            if all(array.ndim and len(array) == step for array in arrays):
                kept[name] = np.concatenate(arrays)[: len(batch)].astype(np.float32)
        return kept

    def _beside(self, count: int) -> dict[str, np.ndarray]:
        """What the inputs beside the picture get."""
        values = entered(self.columns, [{}]) if self.values is None else self.values
        inputs = zip(self.columns, other_inputs(self.graph), strict=True)
        return {
            one.name: encoded(one, np.broadcast_to(values[column.name], count), len(column.choices))
            for column, one in inputs
        }

    def _session(self, names: tuple[str, ...]) -> Any:
        if names not in self.sessions:
            asked = onnx.ModelProto()
            asked.CopyFrom(self.graph)
            known = {output.name: output for output in asked.graph.output}
            del asked.graph.output[:]
            asked.graph.output.extend(known.get(name) or onnx.ValueInfoProto(name=name) for name in names)
            self.sessions[names] = _opened(asked, self.name)
        return self.sessions[names]

    @cached_property
    def _names(self) -> list[str]:
        """The tensors of floating numbers that nodes give."""
        typed = onnx.shape_inference.infer_shapes(self.graph).graph
        kinds = {info.name: info.type.tensor_type.elem_type for info in (*typed.value_info, *typed.output)}
        floats = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
        return [name for node in self.graph.graph.node for name in node.output if kinds.get(name) in floats]

    @property
    def _input(self) -> Any:
        return picture_input(self.graph)

    @property
    def _output(self) -> str:
        return str(self.graph.graph.output[0].name)

    @property
    def _ends_in(self) -> str:
        return last_operation(self.graph)


def open_target(name: str, pooling: Pooling) -> OnnxTarget:
    """Open an ONNX file.

    Raises `NotFoundError`, `BadInputError` for one that takes no picture or can't be run.
    """
    path = expanded(name)
    if path.is_dir():
        raise BadInputError(f"'{name}' is a folder: name the .onnx file in it.")
    if not is_regular(path):
        raise NotFoundError(f"There is no ONNX file '{name}'.")
    graph = read_graph(path, name)
    facts = {entry.key: entry.value for entry in graph.metadata_props}
    notes: list[str] = []
    picture = picture_input(graph)
    channels_last = sides(picture)[3] == 3 and sides(picture)[1] != 3
    size = picture_size(picture, channels_last, facts, name, notes)
    mean, std = (
        three_numbers(facts, key, default, name)
        for key, default in zip(("mean", "std"), IMAGENET, strict=True)
    )
    if "mean" not in facts or "std" not in facts:
        notes.append(
            f"The ONNX file '{name}' does not say how its pictures were normalised, so they are as for most "
            "ImageNet models; write mean and std into its metadata where that is not so."
        )
    target = OnnxTarget(
        spec=f"onnx:{name}",
        name=file_name(name).removesuffix(".onnx"),
        classes=(),
        weights_hash=graph_hash(graph),
        input_size=size,
        graph=graph,
        mean=mean,
        std=std,
        channels_last=channels_last,
        pooling=pooling,
        columns=input_columns(graph, facts, name),
        multi_label=_NORMALISED.get(last_operation(graph), False),
    )
    classes, more = _classes(target, facts)
    return replace(target, classes=classes, notes=(*notes, *more), sessions={})


def _opened(graph: Any, name: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=onnxruntime.get_available_providers()
        )
    except Exception as error:
        raise BadInputError(f"ONNX Runtime can't run '{name}' ({reason(error)}).") from error


def _classes(target: OnnxTarget, facts: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the columns of the first output; none where it is no row of numbers for each picture."""
    blank = np.zeros((1, 3, *target.input_size), np.float32)
    first = target._compute(blank, [target._output]).get(target._output)
    if first is None or first.ndim != 2:
        return (), ()
    named = stated(facts, "classes", target.name)
    names = [str(each) for each in named] if isinstance(named, list) else []
    return class_names(names, first.shape[1], f"The ONNX file {target.name}")
