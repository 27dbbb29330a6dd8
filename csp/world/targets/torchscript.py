"""Target models in TorchScript: `torchscript:FILE`, as `torch.jit.script` or `trace` gave them to `save`.

No hook reaches into a scripted model. So what its modules give becomes an output of a copy of its graph: the
last tensor that comes out of a module carries the module's name, an operation outside of all modules (as in a
frozen model) the name of its kind. What stands within a branch or a loop has no name.
"""

import hashlib
import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.world.protocols.pooling import Pooling
from csp.world.specs.registry import reason
from csp.world.targets.entries import Entry, columns_of, is_joined, read_entries
from csp.world.targets.facts import facts_in_zip, model_file
from csp.world.targets.tensors import OUTPUT, NamedTensors, with_classes
from csp.world.torch_models.layers import answer_of, device, first_tensor
from csp.world.torch_models.model_names import file_name

MOST_CODE = 1 << 26
"""Bytes of one file of code in the archive."""
_FILES = re.compile(rb"\b(save|from_file|load|read_file|write_file|rpc_\w+|__setstate__|_print)\b")
"""Words of TorchScript that reach beyond the model, or run while it is opened."""
_PART = re.compile(r"(\w+)\(([^()]*)\)")
_UNNAMED = ("SELF", "UNKNOWN_INSTANCE")
_ENDS = {"aten::softmax": "softmax", "aten::sigmoid": "sigmoid"}


@dataclass(frozen=True)
class ScriptTarget(NamedTensors):
    """A scripted model in evaluation mode."""

    module: Any = None
    entries: tuple[Entry, ...] = ()
    functions: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)

    def known(self) -> dict[str, str]:
        """The modules and operations that give a tensor."""
        return {name: kind for name, (_, kind) in self._tensors.items()}

    def parameters(self, name: str) -> int:
        """How many numbers were learnt in a module."""
        part = dict(self.module.named_modules()).get(name)
        return 0 if part is None else sum(one.numel() for one in part.parameters())

    def compute(self, batch: Float32[np.ndarray, "b 3 h w"], names: Sequence[str]) -> dict[str, np.ndarray]:
        """The named tensors, float32, by one pass."""
        names = list(dict.fromkeys(names))
        where = next(self.module.parameters(), torch.zeros(0, device=device())).device
        kinds = {one.name: torch.int64 if one.choices else torch.float32 for one in self.columns}
        values = {
            name: torch.tensor(numbers, dtype=kinds[name]).to(where)
            for name, numbers in self.beside(len(batch)).items()
        }
        given = [torch.tensor(batch).to(where), *(entry.tensor(values) for entry in self.entries)]
        given = [one.to(self._numbers) if one.is_floating_point() else one for one in given]
        try:
            with torch.inference_mode():
                found = self._function(tuple(names))(self.module, *given)
        except RuntimeError as error:
            raise BadInputError(f"{self.name} can't be run on pictures ({_cause(error)}).") from error
        tensors = {
            name: answer_of(one) if name == OUTPUT else first_tensor(one)
            for name, one in zip(names, found, strict=True)
        }
        return {
            name: one.float().cpu().numpy()
            for name, one in tensors.items()
            if one is not None and len(one) == len(batch)
        }

    def _function(self, names: tuple[str, ...]) -> Any:
        """The graph with these as its outputs, each copied where it stands: later steps may change it."""
        if names in self.functions:
            return self.functions[names]
        graph, places = _inlined(self.module), {name: place for name, (place, _) in self._tensors.items()}
        nodes, output = list(graph.nodes()), next(graph.outputs())
        values = [output if name == OUTPUT else _copied(graph, nodes[places[name]]) for name in names]
        together = graph.appendNode(graph.create("prim::TupleConstruct", values, 1)).output()
        together.setType(torch._C.TupleType([value.type() for value in values]))
        graph.eraseOutput(0)
        graph.registerOutput(together)
        self.functions[names] = torch._C._create_function_from_graph("forward", graph)
        return self.functions[names]

    @cached_property
    def _numbers(self) -> torch.dtype:
        """Single precision, in which weights are read; a frozen model's are part of its graph and stay."""
        if any(True for _ in self.module.parameters()):
            return torch.float32
        graph = _inlined(self.module)  # its nodes live as long as it
        stored = (one.t("value").dtype for one in graph.findAllNodes("prim::Constant") if _holds_tensor(one))
        return next((kind for kind in stored if kind.is_floating_point), torch.float32)

    @cached_property
    def _tensors(self) -> dict[str, tuple[int, str]]:
        """By name the place of its node in the graph, and what it is."""
        found: dict[str, tuple[int, str]] = {}
        for place, node in enumerate(_inlined(self.module).nodes()):
            if (
                not node.kind().startswith(("aten::", "torchvision::", "quantized::"))
                or node.outputsSize() != 1
            ):
                continue
            if not isinstance(node.output().type(), torch._C.TensorType):
                continue
            parts = [pair for pair in _PART.findall(node.getModuleHierarchy()) if pair[0] not in _UNNAMED]
            for depth in range(1, len(parts) + 1):
                found[".".join(name for name, _ in parts[:depth])] = place, parts[depth - 1][1]
            if not parts:
                kind = node.kind().partition("::")[2]
                found[_free(kind, found)] = place, kind
        return dict(sorted(found.items(), key=lambda one: one[1][0]))


def open_target(name: str, pooling: Pooling) -> ScriptTarget:
    """Open a file of `torch.jit.save`.

    Raises `NotFoundError`, `BadInputError` for one that takes no picture, or whose code reaches for files.
    """
    path = model_file(name, "TorchScript")
    whose = f"The TorchScript file '{name}'"
    _check_code(path, name)
    facts = facts_in_zip(path, whose)
    module = _read(path, name)
    arguments = module.forward.schema.arguments[1:]
    if not arguments or not all(isinstance(one.type, torch._C.TensorType) for one in arguments):
        takes = ", ".join(f"{one.name} ({one.type})" for one in arguments) or "nothing"
        raise BadInputError(
            f"{whose} takes {takes}: it must take a picture first, and beside it numbers of each picture, "
            "as tensors."
        )
    graph = _inlined(module)
    more = [re.sub(r"\.\d+$", "", one.name) for one in arguments[1:]]
    stated = facts.said.get("columns")
    joined = [name for name, each in stated.items() if is_joined(each)] if isinstance(stated, dict) else []
    entries = read_entries(stated, {name: None if name in joined else 0 for name in more}, facts.whose)
    size, (mean, std) = facts.size(), facts.normalisation()
    target = ScriptTarget(
        spec=f"torchscript:{name}",
        name=Path(file_name(name)).stem,
        classes=(),
        weights_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        input_size=size,
        mean=mean,
        std=std,
        pooling=pooling,
        ends_in=_ENDS.get(next(graph.outputs()).node().kind(), ""),
        columns=columns_of(entries),
        module=module,
        entries=entries,
    )
    return with_classes(target, facts)


def _check_code(path: Path, name: str) -> None:
    """Raise `BadInputError` for an archive whose code could do more than compute."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                place = entry.filename.lower()  # torch finds entries in any case
                if "code" not in place and not place.endswith(".py"):
                    continue
                if entry.file_size > MOST_CODE:
                    raise BadInputError(
                        f"'{name}' holds code of {entry.file_size:,} bytes, which is too much."
                    )
                found = _FILES.search(archive.read(entry))
                if found:
                    raise BadInputError(
                        f"'{name}' uses the word {found[0].decode()!r} in its code, which could reach for "
                        "files or run while it is opened: only models that do nothing but compute are opened."
                    )
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise BadInputError(f"'{name}' is no TorchScript file that can be read ({reason(error)}).") from error


def _read(path: Path, name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch.jit is deprecated; its files are not gone
            return torch.jit.load(path, map_location=device()).eval().float()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise BadInputError(f"'{name}' is no TorchScript file that can be read ({reason(error)}).") from error


def _inlined(module: Any) -> Any:
    """A copy of the graph in which calls of modules are replaced by what they do."""
    graph = module.graph.copy()
    torch._C._jit_pass_inline(graph)
    return graph


def _copied(graph: Any, node: Any) -> Any:
    """A copy of what a node gives, made right after it."""
    value = node.output()
    none = graph.create("prim::Constant", 1)
    none.output().setType(torch._C.NoneType.get())
    none.insertAfter(node)
    copy = graph.create("aten::clone", [value, none.output()], 1)
    copy.insertAfter(none)
    copy.output().setType(value.type())
    return copy.output()


def _holds_tensor(constant: Any) -> bool:
    return bool(constant.hasAttribute("value") and constant.kindOf("value") == "t")


def _free(kind: str, taken: dict[str, Any]) -> str:
    """A name for one more operation of a kind."""
    names = (kind if number == 1 else f"{kind}_{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _cause(error: RuntimeError) -> str:
    """The last line of what TorchScript says, which is the cause."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "no reason given"
