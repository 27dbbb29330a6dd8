"""What an ONNX file says: its one picture, the metadata beside the graph, how it ends."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import onnx

from csp.errors import BadInputError
from csp.world.specs.registry import reason

DEFAULT_SIZE = 224
LARGEST = 2 << 30
"""Bytes that one ONNX message may have."""


def read_graph(path: Path, name: str) -> Any:
    """The checked graph with its weights. Raises `BadInputError`."""
    if path.stat().st_size >= LARGEST:
        raise BadInputError(
            f"The ONNX file '{name}' is larger than 2 GB, which ONNX does not allow: save it anew."
        )
    try:
        graph = onnx.load(str(path))
        onnx.checker.check_model(graph)
    except Exception as error:  # protobuf, the checker and files beside it raise classes of their own
        raise BadInputError(f"'{name}' is no ONNX file that can be read ({reason(error)}).") from error
    return graph


def picture_input(graph: Any) -> Any:
    """The one input that is not a weight. Raises `BadInputError`."""
    weights = {one.name for one in graph.graph.initializer}
    inputs = [one for one in graph.graph.input if one.name not in weights]
    if len(inputs) != 1 or len(sides(inputs[0])) != 4 or 3 not in (sides(inputs[0])[1], sides(inputs[0])[3]):
        shapes = "; ".join(f"{one.name} {sides(one)}" for one in inputs)
        raise BadInputError(
            f"The ONNX model takes {shapes or 'nothing'}: it must take one picture of three colours, "
            "as [pictures, 3, height, width] or [pictures, height, width, 3]."
        )
    return inputs[0]


def sides(tensor: Any) -> list[int]:
    """The lengths of its axes; 0 where the graph leaves one open."""
    return [side.dim_value for side in tensor.type.tensor_type.shape.dim]


def picture_size(
    picture: Any, channels_last: bool, facts: dict[str, str], name: str, notes: list[str]
) -> tuple[int, int]:
    """Height and width that the picture must have; appends to the notes where nothing says it."""
    height, width = sides(picture)[1:3] if channels_last else sides(picture)[2:4]
    if height and width:
        return height, width
    given = stated(facts, "input_size", name)
    if given is None:
        notes.append(
            f"The ONNX file '{name}' takes pictures of any size: they are made {DEFAULT_SIZE} pixels wide."
        )
        given = DEFAULT_SIZE
    pair = [given, given] if isinstance(given, int) else given
    if (
        not isinstance(pair, list)
        or len(pair) != 2
        or not all(isinstance(side, int) and 0 < side < 1 << 14 for side in pair)
    ):
        raise BadInputError(f"The metadata 'input_size' of '{name}' is no size such as 224.")
    return height or pair[0], width or pair[1]


def three_numbers(
    facts: dict[str, str], key: str, default: tuple[float, ...], name: str
) -> tuple[float, ...]:
    """A field of the metadata that is a number for each colour. Raises `BadInputError`."""
    values = stated(facts, key, name)
    numbers = default if values is None else values
    if (
        not isinstance(numbers, list | tuple)
        or len(numbers) != 3
        or not all(isinstance(value, int | float) and math.isfinite(value) for value in numbers)
        or (key == "std" and not all(numbers))
    ):
        raise BadInputError(f"The metadata '{key}' of '{name}' is not three numbers.")
    return tuple(float(value) for value in numbers)


def stated(facts: dict[str, str], key: str, name: str) -> Any:
    """A field of the metadata, read as JSON; None where it is missing. Raises `BadInputError`."""
    if key not in facts:
        return None
    try:
        return json.loads(facts[key])
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"The metadata '{key}' of '{name}' is not JSON.") from error


def last_operation(graph: Any) -> str:
    """The kind of the node that gives the first output."""
    output = graph.graph.output[0].name
    return next((str(node.op_type) for node in graph.graph.node if output in node.output), "")


def graph_hash(graph: Any) -> str:
    """SHA-256 over the whole graph, weights and operations."""
    return hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest()
