"""Target models with some neurons held at their mean: `mended:FILE.json`, which `csp mend` writes.

The file names a model, with the hash of its weights, and the neurons of its layers with the value that each
is held at; the model itself stays as it is. It opens wherever the model that it names does.
"""

import hashlib
import json
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from csp.errors import BadInputError, UnavailableError
from csp.files import expanded
from csp.world.documents import read_settings
from csp.world.protocols.pooling import Pooling
from csp.world.protocols.target import open_target as open_any
from csp.world.specs.paths import anchored_spec
from csp.world.torch_models.rewriting.holding import hold
from csp.world.torch_models.target import TorchTarget

REFUSED = ("python", "mended")
"""A file that is sent around names no code, and no further file like it."""


class HeldNeurons(BaseModel):
    """Neurons of one layer, and the value that each is held at."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    neurons: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    values: tuple[FiniteFloat, ...]

    @model_validator(mode="after")
    def _one_each(self) -> "HeldNeurons":
        if len(self.neurons) != len(self.values):
            raise ValueError("give as many values as neurons")
        return self


class MendedModel(BaseModel):
    """What the file says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    csp_mended_model: Literal[1] = 1
    model: str
    """The spec of the model."""
    hash: str
    """Of its weights."""
    held: Annotated[dict[str, HeldNeurons], Field(min_length=1)]
    record: dict[str, Any] = Field(default_factory=dict)
    """What was switched off, by whom, why, on what evidence."""


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Raises `NotFoundError`, `BadInputError`, `UnavailableError` for other weights than it was made for."""
    path = expanded(name)
    given = _read(name)
    if given.model.partition(":")[0] in REFUSED:
        raise BadInputError(f"The mended model '{name}' names {given.model}, which no file may name.")
    target = open_any(anchored_spec(given.model, path.absolute().parent), pooling=pooling)
    if not isinstance(target, TorchTarget):
        raise BadInputError(f"The mended model '{name}' names {given.model}, whose neurons can't be held.")
    if target.weights_hash != given.hash:
        raise UnavailableError(f"{given.model} holds other weights now than those that '{name}' mends")
    held = {layer: (one.neurons, one.values) for layer, one in given.held.items()}
    height, width = target.input_size
    hold(target.module, held, height / width)
    said = json.dumps([target.weights_hash, held], sort_keys=True)
    count = sum(len(neurons) for neurons, _ in held.values())
    return replace(
        target,
        spec=f"mended:{name}",
        name=f"{target.name}, mended",
        weights_hash=hashlib.sha256(said.encode()).hexdigest(),
        notes=(*target.notes, f"Mended: {count} neurons of {', '.join(held)} are held at their mean."),
    )


def _read(name: str) -> MendedModel:
    try:
        return MendedModel.model_validate(read_settings(expanded(name), "mended model"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInputError(f"The mended model '{name}' can't be used: {where}: {first['msg']}.") from None
