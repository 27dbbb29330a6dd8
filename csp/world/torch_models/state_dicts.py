"""Which of a checkpoint's tensors are the weights of an architecture: by name, whatever is around them.

Training programs put the state dict into mappings (`state_dict`, `model`), a prefix before every name
(`module.`, `net.backbone.`), other tensors beside it (class weights of the loss), and a second set with the
averaged weights. The set taken is the one whose names cover most of the architecture's; what was left out is
said in notes.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from csp.errors import BadInputError
from csp.world.torch_models.checkpoints import Checkpoint, Place

Shapes = Mapping[str, tuple[int, ...]]
"""Of an architecture's tensors, by name, in its order."""
_AVERAGED = re.compile(
    r"(^|[_.])(ema|emas|averaged?|avg|swa|shadow|polyak|teacher|momentum|target|k)([_.]|$)", re.I
)
_PLAIN_WRAPPERS = ("module", "_orig_mod")
IN_ORDER = "in-order"
"""The part that says: the tensors are those of the architecture, in its order, under other names."""
OTHER_SET = 0.5
"""The share of an architecture's names from which on tensors are another set of its weights."""
SHOWN = 6
"""How many names a sentence lists."""


@dataclass(frozen=True, eq=False)
class StateDict:
    """One set of weights in a file: the tensors of the mapping at `place` whose names start with `prefix`."""

    place: Place
    prefix: str
    around: dict[str, Tensor]
    """All tensors of that mapping, by their full names."""
    covered: int
    """How many of the architecture's names it has."""

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """By their names in the architecture."""
        length = len(self.prefix)
        return {key[length:]: value for key, value in self.around.items() if key.startswith(self.prefix)}

    @property
    def components(self) -> tuple[str, ...]:
        """Its address in the file: `("state_dict", "model")`."""
        return (*self.place, *self.prefix.split(".")[:-1])

    @property
    def address(self) -> str:
        """Its address in one word; "" where nothing is around the weights."""
        return ".".join(self.components)

    @property
    def averaged(self) -> bool:
        """Whether its address says that the weights are a moving average."""
        return bool(_AVERAGED.search(self.address))


def find_state_dicts(checkpoint: Checkpoint, names: Collection[str]) -> list[StateDict]:
    """The sets of weights that may be those of an architecture with these names, the best first.

    Empty when no tensor has such a name. Raw weights come before averaged ones that fit as well.
    """
    found = [state for place, around in checkpoint.states.items() for state in _sets(place, around, names)]
    if not found:
        return []
    best = max(state.covered for state in found)
    able = [state for state in found if state.covered >= OTHER_SET * best]
    return sorted(able, key=lambda state: (-state.covered, state.averaged, len(state.components)))


def choose_state_dict(found: list[StateDict], part: str, path: str) -> StateDict:
    """The set that `part` names, a word of its address; the first one without it. Raises `BadInputError`."""
    if not part:
        return found[0]
    named = [state for state in found if part == state.address or part in state.components]
    if not named:
        there = ", ".join(f"'{_word(state, found)}'" for state in found if state.address)
        raise BadInputError(
            f"The checkpoint '{path}' has no weights under '{part}' that fit; "
            f"it has {there or 'one set only'}."
        )
    return named[0]


def in_order(checkpoint: Checkpoint, own: Shapes, head: Collection[str]) -> StateDict | None:
    """The first set of as many tensors as the architecture has, each of its shape (the head's for any number
    of classes) and its last word (`weight`, `running_mean`), in its order; under the architecture's names.

    It is for people to say that it is the same model: tensors that look alike may have changed places.
    """
    for place, state in checkpoint.states.items():
        pairs = list(zip(own, state.items(), strict=False))
        if len(state) == len(own) and all(
            name.rpartition(".")[2] == key.rpartition(".")[2]
            and tuple(value.shape[name in head :]) == own[name][name in head :]
            for name, (key, value) in pairs
        ):
            return StateDict(place, "", {name: value for name, (_, value) in pairs}, len(own))
    return None


def notes_on_sets(
    found: list[StateDict],
    taken: StateDict,
    path: str,
    choice: str = "write #{} before the @ of the model's spec to take those",
) -> Iterator[str]:
    """Say which of several different sets was taken, and how to take another (`choice`, of its word)."""
    others = [state for state in found if state is not taken and not _same(state, taken)]
    if not others:
        return
    kind = "averaged weights" if taken.averaged else "weights"
    there = " and ".join(
        f"'{_word(state, found)}'" + (" (averaged)" if state.averaged else "") for state in others[:SHOWN]
    )
    where = f"under '{_word(taken, found)}'" if taken.address else "outside of all"
    word = next((_word(state, found) for state in others if state.address), "")
    yield (
        f"The checkpoint '{path}' holds several sets of weights: the {kind} {where} were taken, "
        f"not those under {there}" + (f"; {choice.format(word)}." if word else ".")
    )


def notes_on_strays(
    checkpoint: Checkpoint, found: list[StateDict], taken: StateDict, used: Collection[str], architecture: str
) -> Iterator[str]:
    """Name the tensors beside the weights that the architecture has no place for."""
    others = tuple(state.prefix for state in found if state.place == taken.place and state.prefix)
    prefixes = tuple(prefix for prefix in others if prefix != taken.prefix)
    stray = [
        key
        for key in taken.around
        if key not in used
        and not (key.startswith(taken.prefix) and key[len(taken.prefix) :] in used)
        and not key.startswith(prefixes)
    ]
    if stray:
        yield (
            f"The checkpoint '{checkpoint.path}' holds {listed(stray)} besides, for which {architecture} "
            "has no place: left out."
        )


def listed(names: Collection[str]) -> str:
    """Some names in quotes, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in list(names)[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _sets(place: Place, around: dict[str, Tensor], names: Collection[str]) -> Iterator[StateDict]:
    """Every prefix under which the mapping has some of the names."""
    prefixes: Counter[str] = Counter()
    for key in around:
        cuts = [0, *(match.end() for match in re.finditer(r"\.", key))]
        prefixes.update(key[:cut] for cut in cuts if key[cut:] in names)
    for prefix, covered in prefixes.items():
        yield StateDict(place, prefix, around, covered)


def _word(state: StateDict, found: list[StateDict]) -> str:
    """A word of a set's address that no other set has, best one that says that it is averaged."""
    others = {word for other in found if other is not state for word in other.components}
    own = [word for word in state.components if word not in others and word not in _PLAIN_WRAPPERS]
    return min(own, key=lambda word: not _AVERAGED.search(word)) if own else state.address


def _same(one: StateDict, other: StateDict) -> bool:
    a, b = one.tensors, other.tensors
    shared = a.keys() & b.keys()
    return bool(shared) and all(
        a[key].shape == b[key].shape and torch.equal(a[key], b[key]) for key in shared
    )
