"""Target models in ONNX: `onnx:FILE`, run by ONNX Runtime; every tensor between its nodes can be a layer.

What the file can't say may stand in its metadata, each as JSON (`csp.world.targets.facts`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from jaxtyping import Float32
from onnx import TensorProto

from csp.errors import BadInputError
from csp.world.protocols.pooling import Pooling
from csp.world.specs.registry import reason
from csp.world.targets.entries import Entry, columns_of
from csp.world.targets.facts import model_file
from csp.world.targets.onnx_file import (
    answer_output,
    encoded,
    facts_of,
    graph_hash,
    input_entries,
    last_operation,
    other_inputs,
    picture_input,
    picture_numbers,
    picture_size,
    read_graph,
    sides,
)
from csp.world.targets.tensors import OUTPUT, NamedTensors, with_classes
from csp.world.torch_models.model_names import file_name

_ENDS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
"""Nodes that end a graph with probabilities."""


@dataclass(frozen=True)
class OnnxTarget(NamedTensors):
    """A model that takes one picture; the first output of two axes holds logits or probabilities."""

    graph: Any = None
    entries: tuple[Entry, ...] = ()
    sessions: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)

    def known(self) -> dict[str, str]:
        """The tensors of floating numbers that nodes give."""
        return self._kinds

    def compute(self, batch: Float32[np.ndarray, "b 3 h w"], names: Sequence[str]) -> dict[str, np.ndarray]:
        """The named tensors, float32; a graph for a fixed number of pictures gets so many at a time."""
        own = answer_output(self.graph)
        found = self._found(batch, list(dict.fromkeys(name or own for name in names)))
        return found | ({OUTPUT: found[own]} if own in found else {})

    def _found(self, batch: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
        session = self._session(tuple(names))
        given = batch.transpose(0, 2, 3, 1) if self.channels_last else batch
        fixed = sides(self._input)[0]
        step = fixed or len(batch)
        parts: list[list[np.ndarray]] = []
        fed = {
            self._input.name: np.ascontiguousarray(given, picture_numbers(self._input)),
            **self._others(len(batch)),
        }
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

    def _others(self, count: int) -> dict[str, np.ndarray]:
        """What the inputs beside the picture get."""
        values = {name: torch.tensor(numbers) for name, numbers in self.beside(count).items()}
        inputs = zip(other_inputs(self.graph), self.entries, strict=True)
        return {one.name: encoded(one, entry.tensor(values)) for one, entry in inputs}

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
    def _kinds(self) -> dict[str, str]:
        typed = onnx.shape_inference.infer_shapes(self.graph).graph
        types = {info.name: info.type.tensor_type.elem_type for info in (*typed.value_info, *typed.output)}
        floats = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
        nodes = self.graph.graph.node
        return {name: node.op_type for node in nodes for name in node.output if types.get(name) in floats}

    @property
    def _input(self) -> Any:
        return picture_input(self.graph)


def open_target(name: str, pooling: Pooling) -> OnnxTarget:
    """Open an ONNX file.

    Raises `NotFoundError`, `BadInputError` for one that takes no picture or can't be run.
    """
    graph = read_graph(model_file(name, "ONNX"), name)
    facts = facts_of(graph, name)
    picture = picture_input(graph)
    picture_numbers(picture)
    channels_last = sides(picture)[3] == 3 and sides(picture)[1] != 3
    size = picture_size(picture, channels_last, facts)
    mean, std = facts.normalisation()
    entries = input_entries(graph, facts)
    target = OnnxTarget(
        spec=f"onnx:{name}",
        name=file_name(name).removesuffix(".onnx"),
        classes=(),
        weights_hash=graph_hash(graph),
        input_size=size,
        mean=mean,
        std=std,
        channels_last=channels_last,
        pooling=pooling,
        ends_in=_ENDS.get(last_operation(graph), ""),
        columns=columns_of(entries),
        entries=entries,
        graph=graph,
    )
    return with_classes(target, facts)


def _opened(graph: Any, name: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=onnxruntime.get_available_providers()
        )
    except Exception as error:
        raise BadInputError(f"ONNX Runtime can't run '{name}' ({reason(error)}).") from error
