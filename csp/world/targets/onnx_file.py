"""What an ONNX file says: its one picture, the metadata beside the graph, how it ends."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto
from torch import Tensor

from csp.errors import BadInputError
from csp.world.specs.registry import reason
from csp.world.targets.entries import Entry, read_entries
from csp.world.targets.facts import KEYS, Facts, parsed

LARGEST = 2 << 30
"""Bytes that one ONNX message may have."""
FLOATS = {
    TensorProto.FLOAT: np.float32,
    TensorProto.FLOAT16: np.float16,
    TensorProto.DOUBLE: np.float64,
}
NUMBERS = {
    **FLOATS,
    TensorProto.INT64: np.int64,
    TensorProto.INT32: np.int32,
    TensorProto.BOOL: np.bool_,
}
"""The kinds of numbers that an input beside the picture may take."""


def read_graph(path: Path, name: str) -> Any:
    """The checked graph with its weights. Raises `BadInputError`."""
    if path.stat().st_size >= LARGEST:
        raise BadInputError(
            f"The ONNX file '{name}' is larger than 2 GB, which ONNX does not allow: save it anew."
        )
    try:
        graph = onnx.load(str(path))
        _check_opset(graph, name)
        onnx.checker.check_model(graph)
    except BadInputError:
        raise
    except Exception as error:  # protobuf, the checker and files beside it raise classes of their own
        raise BadInputError(f"'{name}' is no ONNX file that can be read ({reason(error)}).") from error
    return graph


def _check_opset(graph: Any, name: str) -> None:
    newest = onnx.defs.onnx_opset_version()
    opset = max((one.version for one in graph.opset_import if not one.domain), default=0)
    if opset > newest:
        raise BadInputError(
            f"The ONNX file '{name}' uses opset {opset}, and {newest} is the newest known here: export it "
            f"with opset_version={newest}."
        )


def picture_input(graph: Any) -> Any:
    """The one input that is a picture. Raises `BadInputError`."""
    inputs = _inputs(graph)
    found = [one for one in inputs if len(sides(one)) == 4 and 3 in (sides(one)[1], sides(one)[3])]
    if len(found) != 1:
        shapes = "; ".join(f"{one.name} {sides(one)}" for one in inputs)
        raise BadInputError(
            f"The ONNX model takes {shapes or 'nothing'}: it must take one picture of three colours, "
            "as [pictures, 3, height, width] or [pictures, height, width, 3]."
        )
    return found[0]


def picture_numbers(picture: Any) -> Any:
    """The kind of floating numbers that the picture has. Raises `BadInputError` for others."""
    kind = picture.type.tensor_type.elem_type
    if kind not in FLOATS:
        raise BadInputError(
            f"The ONNX model takes its picture as {TensorProto.DataType.Name(kind)}: export it so that it "
            "takes floating numbers (FLOAT, FLOAT16 or DOUBLE)."
        )
    return FLOATS[kind]


def answer_output(graph: Any) -> str:
    """The name of the first output that is a row of numbers, else of the first."""
    outputs = list(graph.graph.output)
    rows = (one for one in outputs if len(sides(one)) == 2)
    return str(next(rows, outputs[0]).name)


def other_inputs(graph: Any) -> list[Any]:
    """The inputs beside the picture, each one value for a picture. Raises `BadInputError` for another."""
    picture = picture_input(graph).name
    others = [one for one in _inputs(graph) if one.name != picture]
    for one in others:
        if len(sides(one)) not in (1, 2) or one.type.tensor_type.elem_type not in NUMBERS:
            raise BadInputError(
                f"The ONNX model takes '{one.name}' {sides(one)} beside the picture: that must be one number "
                "a picture, as [pictures], or several in a row, as [pictures, numbers]."
            )
    return others


def input_entries(graph: Any, facts: Facts) -> tuple[Entry, ...]:
    """What the graph takes beside the picture, as its metadata `columns` says. Raises `BadInputError`."""
    inputs = other_inputs(graph)
    widths = {one.name: sides(one)[1] or None if len(sides(one)) == 2 else 0 for one in inputs}
    return read_entries(facts.said.get("columns"), widths, "The ONNX model")


def encoded(one: Any, rows: Tensor) -> np.ndarray:
    """A row as the input takes it."""
    return rows.numpy().astype(NUMBERS[one.type.tensor_type.elem_type])


def _inputs(graph: Any) -> list[Any]:
    """What the graph takes that is no weight."""
    weights = {one.name for one in graph.graph.initializer}
    return [one for one in graph.graph.input if one.name not in weights]


def sides(tensor: Any) -> list[int]:
    """The lengths of its axes; 0 where the graph leaves one open."""
    return [side.dim_value for side in tensor.type.tensor_type.shape.dim]


def facts_of(graph: Any, name: str) -> Facts:
    """What the metadata beside the graph says, each as JSON. Raises `BadInputError`."""
    whose = f"The ONNX file '{name}'"
    texts = {entry.key: entry.value for entry in graph.metadata_props}
    return Facts(whose, {key: parsed(texts[key], key, whose) for key in KEYS if key in texts})


def picture_size(picture: Any, channels_last: bool, facts: Facts) -> tuple[int, int]:
    """Height and width that the picture must have. Raises `BadInputError`."""
    height, width = sides(picture)[1:3] if channels_last else sides(picture)[2:4]
    if height and width:
        return height, width
    usual = facts.size()
    return height or usual[0], width or usual[1]


def last_operation(graph: Any) -> str:
    """The kind of the node that gives the answer."""
    output = answer_output(graph)
    return next((str(node.op_type) for node in graph.graph.node if output in node.output), "")


def graph_hash(graph: Any) -> str:
    """SHA-256 over the whole graph, weights and operations."""
    return hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest()
