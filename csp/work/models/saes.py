"""Sparse autoencoders on a target model: their latents become layers of it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from csp.counts import counted
from csp.errors import UnavailableError
from csp.keeping.run_folder.manifest import SaeSource
from csp.work.runs.spec_paths import openable_spec, portable_spec
from csp.world.protocols.sae import SaeOn, latent_layers, open_sae
from csp.world.protocols.target import FittedTarget, SpliceableTarget, TargetModel

UNFIT = (
    "it does not fit what it reads here, so its latents mean little: name the model and layer that it was "
    "trained on"
)


def with_saes(target: TargetModel, specs: Sequence[tuple[str, str]]) -> tuple[TargetModel, dict[str, SaeOn]]:
    """The target with the SAEs of these (layer, spec), and each by the name of the layer of its latents.

    Raises `BadInputError`, `NotFoundError` for an SAE or a layer, `UnavailableError` as `splice`.
    """
    saes = [SaeOn(layer, open_sae(openable_spec(spec))) for layer, spec in specs]
    return splice(target, saes), latent_layers(saes)


def splice(target: TargetModel, saes: Sequence[SaeOn]) -> TargetModel:
    """The target with SAEs on its layers; UnavailableError for one whose layers they can't read."""
    if not saes:
        return target
    if not isinstance(target, SpliceableTarget):
        raise UnavailableError(
            f"the layers of {target.name} ({target.spec}) can't be read by a sparse autoencoder: only those "
            "of models that torch runs can"
        )
    return target.with_saes(saes)


def sae_source(one: SaeOn) -> SaeSource:
    """What a manifest keeps of an SAE."""
    spec = portable_spec(one.sae.spec)
    return SaeSource(spec=spec, name=f"{one.sae.kind} SAE", hash=one.sae.weights_hash, layer=one.layer)


def fit_notes(target: TargetModel, batch: Float32[np.ndarray, "b 3 h w"]) -> tuple[str, ...]:
    """How well each SAE of the target fits some pictures, in a sentence; what to do for one that doesn't."""
    if not isinstance(target, FittedTarget):
        return ()
    return tuple(
        f"{name}: on {counted(len(batch), 'image')} of this run the SAE explains {100 * explained:.1f} % of "
        f"what its layer varies by at a position, with {l0:.1f} latents above 0"
        + ("" if explained > 0 else f"; {UNFIT}")
        for name, (explained, l0, positions) in target.sae_fits(batch).items()
        if positions > 1
    )
