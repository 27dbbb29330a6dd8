"""Target models of `torch.export`: `export:FILE.pt2`, whose modules keep their names, hooks and gradients."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx.node import Node

from csp.counts import counted
from csp.errors import BadInputError
from csp.world.pictures.prepare import prepared
from csp.world.protocols.pooling import Pooling
from csp.world.targets.entries import Entry, columns_of, read_entries
from csp.world.targets.exported_file import read_exported
from csp.world.targets.facts import Facts, facts_in_zip, model_file
from csp.world.torch_models.classes import class_names
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.model_names import file_name
from csp.world.torch_models.target import TorchTarget, logits_of


class Exported(nn.Module):
    """The modules of an exported program, called with the picture and, by name, what stands beside it.

    `entries` are the inputs after the picture, in their order, `keywords` those that go by name, `kinds` the
    numbers that each input is made of, the picture's first. Gives
    logits: of a graph that `ends_in` a softmax or a sigmoid, numbers that it makes the same probabilities of.
    """

    def __init__(
        self,
        modules: nn.Module,
        entries: Sequence[Entry],
        keywords: Sequence[str],
        ends_in: str,
        kinds: Sequence[torch.dtype],
    ) -> None:
        super().__init__()
        self.modules_of = modules
        self._entries, self._keywords, self.ends_in = entries, keywords, ends_in
        self._kinds = kinds

    def forward(self, picture: Tensor, **beside: Tensor) -> Any:
        """What the program gives of pictures."""
        first, *kinds = self._kinds
        pairs = zip(self._entries, kinds, strict=True)
        given = {one.name: one.tensor(beside).to(kind) for one, kind in pairs}
        keywords = {name: given.pop(name) for name in self._keywords if name in given}
        output = self.modules_of(picture.to(first), *given.values(), **keywords)
        return logits_of(output, self.ends_in)

    def named_modules(self, *arguments: Any, **named: Any) -> Any:
        """Those of the program, under their own names."""
        yield from self.modules_of.named_modules(*arguments, **named)


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open a file of `torch.export.save`.

    Raises `NotFoundError`, `BadInputError` for one that takes no picture, or holds more than a graph.
    """
    path = model_file(name, ".pt2")
    program = read_exported(path, name)
    facts = facts_in_zip(path, f"The exported file '{name}'")
    inputs = _inputs(program, name)
    widths = {one.name: _width(one) for one in inputs[1:]}
    entries = read_entries(facts.said.get("columns"), widths, facts.whose)
    size = _picture_size(inputs[0], facts)
    keywords = program.call_spec.in_spec.child(1).context
    ends_in = _ends_in(program)
    kinds = [_numbers(inputs[0], name), *(one.meta["val"].dtype for one in inputs[1:])]
    module = Exported(torch.export.unflatten(program), entries, list(keywords or ()), ends_in, kinds)
    for part in module.named_modules():
        part[1].training = False
    module.to(device())
    mean, std = facts.normalisation()
    outputs = _logits(program)
    classes, notes = class_names(facts.names(), outputs, facts.whose)
    target = TorchTarget(
        spec=f"export:{name}",
        name=file_name(name).removesuffix(".pt2"),
        classes=classes,
        weights_hash=weights_hash(module, str(program.graph)),
        input_size=size,
        module=module,
        transform=lambda image: prepared(image, size, mean, std),
        pooling=pooling,
        multi_label=ends_in == "sigmoid" and outputs > 1,
        notes=(*facts.notes, *notes),
        columns=columns_of(entries),
    )
    if not ends_in and target.said_by_softmax():
        module.ends_in = "softmax"
    return target


def _inputs(program: Any, name: str) -> list[Node]:
    """The inputs that are no weights: the picture first. Raises `BadInputError`."""
    users = set(program.graph_signature.user_inputs)
    inputs = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in users]
    shapes = [tuple(getattr(node.meta.get("val"), "shape", ())) for node in inputs]
    said = "; ".join(
        f"{node.name} {list(map(str, shape))}" for node, shape in zip(inputs, shapes, strict=True)
    )
    if (
        not shapes
        or len(shapes[0]) != 4
        or shapes[0][1] != 3
        or any(len(shape) not in (1, 2) for shape in shapes[1:])
    ):
        raise BadInputError(
            f"The exported file '{name}' takes {said or 'nothing'}: it must take a picture first, as "
            "[pictures, 3, height, width], and beside it numbers, as [pictures] or [pictures, numbers]."
        )
    if isinstance(shapes[0][0], int):
        raise BadInputError(
            f"The exported file '{name}' was made for exactly {counted(shapes[0][0], 'picture')} at a time: "
            "export it with dynamic_shapes that leave the first axis open, such as "
            "{0: torch.export.Dim('pictures')}."
        )
    return inputs


def _numbers(picture: Node, name: str) -> torch.dtype:
    """The kind of floating numbers that the picture has. Raises `BadInputError` for others."""
    kind: torch.dtype = picture.meta["val"].dtype
    if not kind.is_floating_point:
        raise BadInputError(
            f"The exported file '{name}' takes its picture as {kind}: export it so that it takes floating "
            "numbers."
        )
    return kind


def _width(node: Node) -> int | None:
    """How many numbers an input takes of each picture; 0 for one without an axis of them."""
    width = (*node.meta["val"].shape, 0)[1]
    return width if isinstance(width, int) else None


def _picture_size(picture: Node, facts: Facts) -> tuple[int, int]:
    height, width = picture.meta["val"].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        return height, width
    return facts.size()


def _logits(program: Any) -> int:
    """How many numbers the answer holds for a picture; 0 where no output is a row."""
    node = _output(program)
    shape = tuple(getattr(None if node is None else node.meta.get("val"), "shape", ()))
    return int(shape[1]) if len(shape) == 2 and isinstance(shape[1], int) else 0


def _output(program: Any) -> Node | None:
    """The answer, as `answer_of` finds it."""
    (given,) = program.graph.find_nodes(op="output")[0].args
    names = set(program.graph_signature.user_outputs)
    nodes = [node for node in given if isinstance(node, Node) and node.name in names]
    rows = (node for node in nodes if len(getattr(node.meta.get("val"), "shape", ())) == 2)
    return next(rows, next(iter(nodes), None))


def _ends_in(program: Any) -> str:
    node = _output(program)
    target = "" if node is None else str(node.target)
    kinds = ("softmax", "sigmoid")
    return next((kind for kind in kinds if target.startswith((f"aten.{kind}.", f"aten._{kind}."))), "")
