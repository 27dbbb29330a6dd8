"""A torch model with sparse autoencoders on some of its layers: their latents are layers like any other.

    spliced = Spliced(model, {"layer4.topk": ("layer4", sae)})
    read_layers(spliced, batch, ["layer4", "layer4.topk"], "mean")

The model gives what it gives without them, and latents can be read, held and followed by gradients.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from csp.errors import BadInputError
from csp.world.torch_models.layers import find_module, first_tensor, with_first_tensor
from csp.world.torch_models.splicing.autoencoder import Autoencoder
from csp.world.torch_models.splicing.beside import Beside


class Latents(nn.Identity):
    """The latents of an SAE: what reads or holds them hooks on here."""


class Spliced(nn.Module):
    """`model`, whose layers keep their names, and beside them the latents of `saes` by their own."""

    def __init__(self, model: nn.Module, saes: Mapping[str, tuple[str, Autoencoder]]) -> None:
        """Raises `NotFoundError` for a layer that the model lacks, `BadInputError` for a name in use."""
        super().__init__()
        self.model = model
        self.saes = nn.ModuleList(sae for _, sae in saes.values())
        self.read = {name: layer for name, (layer, _) in saes.items()}
        self._named = {name: Latents() for name in saes}
        taken = dict(model.named_modules()).keys() & saes.keys()
        if taken:
            raise BadInputError(f"The model has a layer '{min(taken)}' already: the SAE can't be called so.")
        for name, (layer, sae) in saes.items():
            find_module(model, layer).register_forward_hook(_through(sae, self._named[name]))

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """What the model gives."""
        return self.model(*inputs, **named)

    def named_modules(
        self, memo: set[nn.Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Module]]:
        """Those of the model under their own names, then the latents."""
        yield from self.model.named_modules(memo, prefix, remove_duplicate)
        yield from self._named.items()


def unspliced(module: nn.Module) -> nn.Module:
    """The model without the SAEs, and without what stands beside its pictures."""
    while isinstance(module, Spliced | Beside):
        module = module.model
    return module


def _through(sae: Autoencoder, latents: Latents) -> Any:
    def pass_on(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        return output if tensor is None else with_first_tensor(output, sae.passed(tensor, latents))

    return pass_on
