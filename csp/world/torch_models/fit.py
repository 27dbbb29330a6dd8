"""Makes an architecture with the weights of a checkpoint, whatever training programs did to both.

    fitted = fit(read_checkpoint("best.ckpt"), build, "torchvision's resnet18")
    fitted.module, fitted.classes, fitted.notes

`build(classes)` makes the architecture for so many classes; which of its parts are the head shows in the
shapes that change with that number.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.torch_models.checkpoints import Checkpoint
from csp.world.torch_models.finite import refuse_not_finite
from csp.world.torch_models.heads import Head, rebuild_head
from csp.world.torch_models.state_dicts import (
    IN_ORDER,
    Shapes,
    StateDict,
    choose_state_dict,
    find_state_dicts,
    in_order,
    listed,
    notes_on_sets,
    notes_on_strays,
)

Build = Callable[[int], nn.Module]

_OWN_CLASS = "open it with your own class as python:MODULE:NAME (docs/how-to/own-adapters.md)"
_ORDER_NOTE = (
    "The tensors of checkpoint '{}' were taken for those of {} in their order, as asked: they have "
    "other names."
)


@dataclass(frozen=True)
class Fitted:
    """A module with its weights as float32, in evaluation mode, its number of logits, and notes on them."""

    module: nn.Module
    logits: int
    notes: tuple[str, ...]


def fit(checkpoint: Checkpoint, build: Build, architecture: str, part: str = "") -> Fitted:
    """Find the weights in the checkpoint and make the module of them; `part` chooses among several sets.

    Raises `BadInputError` that lists what does not fit and says how to go on, or for weights that are no
    numbers.
    """
    own, head = _shapes(build)
    root = next(iter(head)).split(".")[0]
    body = {key for key in own if key.split(".")[0] != root and not _counter(key)}
    ordered = in_order(checkpoint, own, head)
    found = find_state_dicts(checkpoint, body)
    if part == IN_ORDER and ordered:
        found, part = [ordered], ""
    if not found:
        raise _misfit(checkpoint, architecture, own, {}, in_its_order=bool(ordered))
    taken = choose_state_dict(found, part, checkpoint.path)
    state = taken.tensors
    if faults := [key for key in body if key not in state or tuple(state[key].shape) != own[key]]:
        raise _misfit(checkpoint, architecture, own, state, faults)
    plain = {key: value for key, value in state.items() if key in own}
    logits = _logits(plain, own, head)
    notes = [_ORDER_NOTE.format(checkpoint.path, architecture)] if taken is ordered else []
    used: Collection[str] = plain.keys()
    if logits:
        module = build(logits)
    else:
        rebuilt, used = _replaced(checkpoint, taken, build, own, root, architecture)
        module, logits = build(2), rebuilt.classes
        _put(module, rebuilt.place, rebuilt.module)
        plain = {key: value for key, value in plain.items() if key in module.state_dict()}
        plain = {key: value for key, value in plain.items() if not f"{key}.".startswith(f"{rebuilt.place}.")}
        notes.append(_head_note(checkpoint, rebuilt))
    _fill(module, plain)
    refuse_not_finite(module, f"The checkpoint '{checkpoint.path}'")
    notes += notes_on_sets(found, taken, checkpoint.path)
    notes += notes_on_strays(checkpoint, found, taken, used, architecture)
    return Fitted(module.eval(), logits, tuple(notes))


def fit_backbone(checkpoint: Checkpoint, build: Build, architecture: str, part: str = "") -> Fitted:
    """Make the module without a head, `build(0)`, of the weights in the checkpoint: it has no logits.

    Raises `BadInputError` as `fit` does.
    """
    own = _backbone_shapes(build)
    found = find_state_dicts(checkpoint, [key for key in own if not _counter(key)])
    if not found:
        raise _misfit(checkpoint, architecture, own, {})
    taken = choose_state_dict(found, part, checkpoint.path)
    if faults := [key for key, shape in own.items() if not _fits(taken.tensors, key, shape)]:
        raise _misfit(checkpoint, architecture, own, taken.tensors, faults)
    module = build(0)
    used = {key: value for key, value in taken.tensors.items() if key in own}
    _fill(module, used)
    refuse_not_finite(module, f"The checkpoint '{checkpoint.path}'")
    notes = (
        *notes_on_sets(found, taken, checkpoint.path),
        *notes_on_strays(checkpoint, found, taken, used, architecture),
    )
    return Fitted(module.eval(), 0, notes)


def is_backbone(checkpoint: Checkpoint, build: Build, part: str = "") -> bool:
    """Whether the weights are those of `build(0)` and nothing of a head: a model saved without one."""
    own = _backbone_shapes(build)
    found = find_state_dicts(checkpoint, [key for key in own if not _counter(key)])
    if not found or part == IN_ORDER:
        return False
    state = choose_state_dict(found, part, checkpoint.path).tensors
    head = {key.split(".")[0] for key in _shapes(build)[0].keys() - own.keys()}
    strays = {key.split(".")[0] for key in state.keys() - own.keys()}
    return not strays & head and all(_fits(state, key, shape) for key, shape in own.items())


def _backbone_shapes(build: Build) -> Shapes:
    return {key: tuple(value.shape) for key, value in _outline(build, 0).state_dict().items()}


def _fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put tensors of these names and shapes into a module, as a state of its own version: MNASNets refuse one
    that states none, as all do that were read as tensors only."""
    state = module.state_dict()
    state.update(tensors)
    module.load_state_dict(state)


def _outline(build: Build, classes: int) -> nn.Module:
    """An architecture for its names and shapes: without numbers, where it can be built so."""
    try:
        with torch.device("meta"):
            return build(classes)
    except NotImplementedError:  # RegNets work out their widths with tensors
        return build(classes)


def _fits(state: Mapping[str, Tensor], key: str, shape: tuple[int, ...]) -> bool:
    return _counter(key) or (key in state and tuple(state[key].shape) == shape)


def _shapes(build: Build) -> tuple[Shapes, Shapes]:
    """The names and shapes of an architecture's tensors, and of those that change with the classes."""
    outlines = (_outline(build, count).state_dict() for count in (2, 3))
    two, three = ({key: tuple(value.shape) for key, value in state.items()} for state in outlines)
    return two, {key: shape for key, shape in two.items() if three[key] != shape}


def _logits(state: Mapping[str, Tensor], own: Shapes, head: Shapes) -> int:
    """How many logits the architecture's own head has in this state; 0 where it is not the own one."""
    counts = {len(state[key]) if key in state and state[key].ndim else 0 for key in head}
    count = counts.pop()
    if counts or not count:
        return 0
    expected = {key: (count, *shape[1:]) if key in head else shape for key, shape in own.items()}
    fits = all(
        key in state and tuple(state[key].shape) == shape
        for key, shape in expected.items()
        if not _counter(key)
    )
    return count if fits else 0


def _replaced(
    checkpoint: Checkpoint, taken: StateDict, build: Build, own: Shapes, root: str, architecture: str
) -> tuple[Head, Collection[str]]:
    """The head that stands in the place of the own one, and the names that went into the model."""
    state = taken.tensors
    body = {key for key in own if key.split(".")[0] != root}
    inside = {key: value for key, value in state.items() if key.split(".")[0] == root}
    module = _outline(build, 2)
    for place in _places(own, inside, root):
        width = _width(own, place)
        below = {key[len(place) + 1 :]: value for key, value in inside.items() if key.startswith(f"{place}.")}
        head = rebuild_head(module.get_submodule(place), place, width, below) if below else None
        if head is not None:
            return head, body | set(own) & set(state) | set(inside)
    if all(tuple(value.shape) == own.get(key) for key, value in inside.items()):
        place = _places(own, inside, root)[0] if inside else root
        beside = _beside(taken, module, own, place)
        if beside is not None:
            return beside[0], body | set(inside) | beside[1]
    if not inside:
        raise BadInputError(
            f"The checkpoint '{checkpoint.path}' holds the weights of {architecture} without a classifying "
            f"head (it lacks {listed([key for key in own if key.split('.')[0] == root])}): name a checkpoint "
            f"of the whole classifier, or {_OWN_CLASS}."
        )
    odd = [key for key in inside if key not in own or tuple(inside[key].shape) != own[key]]
    raise BadInputError(
        f"The checkpoint '{checkpoint.path}' is one of {architecture} with another head, which can't be "
        f"rebuilt from {listed(odd or list(inside))}: {_OWN_CLASS}."
    )


def _places(own: Shapes, inside: Mapping[str, Tensor], root: str) -> list[str]:
    """Where a replaced head may go: the innermost module around all differences, then those around it."""
    mine = {key: shape for key, shape in own.items() if key.split(".")[0] == root}
    differing = [
        key
        for key in mine.keys() | inside.keys()
        if key not in mine or key not in inside or tuple(inside[key].shape) != mine[key]
    ]
    modules = [key.split(".")[:-1] for key in differing if not _counter(key)]
    shared: list[str] = []
    for parts in zip(*modules, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    paths = [".".join(shared[:count]) for count in range(len(shared), 0, -1)]
    known = {".".join(key.split(".")[:count]) for key in own for count in range(1, key.count(".") + 1)}
    return [path for path in paths if path in known]


def _width(own: Shapes, place: str) -> int:
    """How many features go into that part of an architecture."""
    weight = next(
        shape for key, shape in own.items() if key.startswith(f"{place}.") and key.endswith("weight")
    )
    return weight[1] if len(weight) > 1 else weight[0]


def _beside(taken: StateDict, module: nn.Module, own: Shapes, place: str) -> tuple[Head, set[str]] | None:
    """The only head among the tensors beside the body, as in `backbone.*` and `head.weight`, for a place."""
    outer = ".".join(taken.prefix.split(".")[:-2])
    around = f"{outer}." if outer else ""
    groups: dict[str, dict[str, Tensor]] = {}
    for key, tensor in taken.around.items():
        inside = key.startswith(taken.prefix)
        start = taken.prefix if inside else around
        if key.startswith(start) and not (inside and key[len(start) :] in own) and "." in key[len(start) :]:
            group = start + key[len(start) :].split(".")[0] + "."
            groups.setdefault(group, {})[key] = tensor
    found = []
    for group, tensors in groups.items():
        below = {key[len(group) :]: tensor for key, tensor in tensors.items()}
        head = rebuild_head(module.get_submodule(place), place, _width(own, place), below)
        if head is not None:
            found.append((head, set(tensors)))
    return found[0] if len(found) == 1 else None


def _put(module: nn.Module, place: str, part: nn.Module) -> None:
    parent, _, name = place.rpartition(".")
    setattr(module.get_submodule(parent), name, part)


def _head_note(checkpoint: Checkpoint, head: Head) -> str:
    said = f"The head '{head.place}' of checkpoint '{checkpoint.path}' was rebuilt as {head.describe()}"
    if not head.assumed:
        return f"{said}."
    return (
        f"{said}: the file does not say which function stands between, so ReLU is assumed; else {_OWN_CLASS}."
    )


def _counter(key: str) -> bool:
    return key.endswith("num_batches_tracked")


def _misfit(
    checkpoint: Checkpoint,
    architecture: str,
    own: Shapes,
    state: Mapping[str, Tensor],
    faults: Collection[str] = (),
    *,
    in_its_order: bool = False,
) -> BadInputError:
    """Say what lacks, what is there instead, and how to go on."""
    there = state or max(checkpoint.states.values(), key=len)
    lacking = [key for key in own if key not in there and not _counter(key)]
    besides = [key for key in there if key not in own]
    shapes = [key for key in own if key in faults and key in there]
    words = [
        f"it lacks {listed(lacking)}" if lacking else "",
        f"it has {listed(besides)} besides" if besides else "",
        "; ".join(f"it has '{key}' as {tuple(there[key].shape)} instead of {own[key]}" for key in shapes[:3]),
    ]
    if in_its_order:
        onward = (
            "its tensors have the same shapes in the same order: if it is that model under other names, "
            f"write #{IN_ORDER} before the @ of the model's spec"
        )
    else:
        onward = f"name the architecture it was trained as, or {_OWN_CLASS}"
    return BadInputError(
        f"The checkpoint '{checkpoint.path}' is not one of {architecture}: "
        f"{'; '.join(word for word in words if word)}; {onward}."
    )
