"""The two models that made a run, opened again: only when a question can't be answered without them.

    target = run_target(run)                   # UnavailableError: which weights are missing, or are others
    with target.lock: target.model.run(...)    # one at a time
    target.on([one.beside for one in pictures])   # the same, with what these pictures have beside them
    explainable(target), differentiable(target), ablatable(target)   # the same, if it can do what is needed
    encoder = run_encoder(run)

Opened models are kept, the last two of each kind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from threading import Lock, RLock
from typing import TypeVar

from csp.errors import CspError, UnavailableError
from csp.keeping.run_folder.manifest import LayerRecord, SaeSource, Source
from csp.keeping.run_folder.run import Run
from csp.work.models.saes import splice
from csp.work.runs.strangers import source_spec
from csp.world.protocols.columns import Beside, BesideTarget, Column, entered, target_columns
from csp.world.protocols.encoder import Encoder, open_encoder
from csp.world.protocols.pooling import Pooling, as_text
from csp.world.protocols.sae import Sae, SaeOn, open_sae
from csp.world.protocols.target import (
    AblatableTarget,
    DifferentiableTarget,
    ExplainableTarget,
    MendableTarget,
    TargetModel,
    UntrainableTarget,
    open_target,
)
from csp.world.specs.registry import ENCODERS, SAES, TARGETS

Model = TypeVar("Model", TargetModel, Encoder, Sae)

_OPENING = Lock()


@dataclass(frozen=True)
class RunTarget:
    """A run's target model; hold `lock` while it runs."""

    model: TargetModel
    lock: RLock = field(default_factory=RLock, compare=False)
    columns: tuple[Column, ...] = ()
    """What it takes beside the picture, with what the run enters where that is missing."""

    def on(self, pictures: Sequence[Beside]) -> "RunTarget":
        """The same model for one batch: of pictures with this beside each, or of any that all have `[this]`.

        Raises `BadInputError` for a value that can't enter.
        """
        if not self.columns:
            return self
        assert isinstance(self.model, BesideTarget)  # checked when it was opened
        return replace(self, model=self.model.given(entered(self.columns, pictures)))


@dataclass(frozen=True)
class RunEncoder:
    """A run's encoder; hold `lock` while it runs."""

    model: Encoder
    lock: RLock = field(default_factory=RLock, compare=False)


def run_target(run: Run, layers: Sequence[LayerRecord] = ()) -> RunTarget:
    """The target model of a run, with the weights that made it; UnavailableError says what is missing.

    `layers` in place of the run's own: how they are pooled, and the SAEs that they are latents of.
    """
    layers = layers or run.manifest.layers
    pooling = as_text({one.layer: one.pooling for one in layers if one.pooling})
    spec = source_spec(run, TARGETS, run.manifest.target)
    saes = tuple((one.sae, source_spec(run, SAES, one.sae)) for one in layers if one.sae)
    columns = run_columns(run)
    with _OPENING:
        return _target(run.manifest.target, spec, pooling, saes, columns)


def expect_model(run: Run) -> None:
    """Raise UnavailableError for a run that names no target model; opens none."""
    _expect_named("target model", run.manifest.target)


def run_columns(run: Run) -> tuple[Column, ...]:
    """What the target model of a run takes beside the picture."""
    return tuple(Column(one.name, one.choices, one.default) for one in run.manifest.columns)


def run_encoder(run: Run) -> RunEncoder:
    """The encoder of a run, with the weights that made it; UnavailableError says what is missing."""
    spec = source_spec(run, ENCODERS, run.manifest.encoder)
    with _OPENING:
        return _encoder(run.manifest.encoder, spec)


def explainable(target: RunTarget) -> ExplainableTarget:
    """The same model as one that says where neurons fire; UnavailableError for one that can't."""
    if isinstance(target.model, ExplainableTarget):
        return target.model
    raise _unable(
        target,
        "does not say where neurons fire and what they add to a class",
        "maps, contributions or head",
    )


def differentiable(target: RunTarget) -> DifferentiableTarget:
    """The same model as one that says how classes move with neurons; UnavailableError for one that can't."""
    if isinstance(target.model, DifferentiableTarget):
        return target.model
    raise _unable(target, "does not say how its classes move with its neurons", "slopes")


def ablatable(target: RunTarget) -> AblatableTarget:
    """The same model as one that can hold neurons at a value; UnavailableError for one that can't."""
    if isinstance(target.model, AblatableTarget):
        return target.model
    raise _unable(target, "can't hold a neuron at a value", "ablated")


def mendable(target: RunTarget) -> MendableTarget:
    """The same model as one whose weights can be written anew; UnavailableError for one that can't."""
    if isinstance(target.model, MendableTarget):
        return target.model
    raise _unable(target, "can't be written with neurons switched off", "mended")


def untrainable(target: RunTarget) -> UntrainableTarget:
    """The same model as one whose weights can be drawn anew; UnavailableError for one whose can't."""
    if isinstance(target.model, UntrainableTarget):
        return target.model
    raise _unable(target, "can't be had with random weights", "untrained")


def _unable(target: RunTarget, what: str, lacks: str) -> UnavailableError:
    return UnavailableError(
        f"the target model {target.model.name} ({target.model.spec}) {what}: its adapter lacks {lacks} "
        "(docs/how-to/own-adapters.md)"
    )


@lru_cache(maxsize=2)
def _target(
    source: Source,
    spec: str,
    pooling: Pooling,
    saes: tuple[tuple[SaeSource, str], ...],
    columns: tuple[Column, ...],
) -> RunTarget:
    model = _opened("target model", source, lambda: open_target(spec, pooling=pooling))
    opened = [
        SaeOn(sae.layer, _same_weights(_opened("SAE", sae, partial(open_sae, path)), sae))
        for sae, path in saes
    ]
    spliced = splice(_same_weights(model, source), opened)
    if [one.name for one in columns] != [one.name for one in target_columns(spliced)]:
        raise UnavailableError(f"{source.spec} takes other columns beside the picture now than in this run")
    return RunTarget(spliced, columns=columns).on([{}])


@lru_cache(maxsize=2)
def _encoder(source: Source, spec: str) -> RunEncoder:
    return RunEncoder(_same_weights(_opened("encoder", source, lambda: open_encoder(spec)), source))


def _opened(what: str, source: Source, open_model: Callable[[], Model]) -> Model:
    _expect_named(what, source)
    try:
        return open_model()
    except CspError as error:
        raise UnavailableError(
            f"the run's {what} {source.name} ({source.spec}) can't be opened here ({error})"
        ) from error
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"the run's {what} {source.name} ({source.spec}) needs the Python module {error.name}, which is "
            "not installed here"
        ) from error


def _expect_named(what: str, source: Source) -> None:
    if not source.spec:
        raise UnavailableError(
            f"this needs the run's {what}, and the run ({source.name or 'imported'}) does not name one: "
            "make the run with `csp index`"
        )


def _same_weights(model: Model, source: Source) -> Model:
    if model.weights_hash != source.hash:
        raise UnavailableError(f"{source.spec} holds other weights now than those that made this run")
    return model
