"""The same architecture with weights drawn anew, as if nothing had been learnt."""

from copy import deepcopy
from itertools import chain

import torch
from torch import Tensor, nn

from csp.world.torch_models.splicing.splice import unspliced

READERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def with_random_weights(module: nn.Module, seed: int) -> nn.Module:
    """A copy of `module`, without SAEs, whose every weight is drawn anew; the same for the same seed.

    Each part starts as its library starts it, and normalisation forgets the statistics that it kept. Linear
    and convolution weights are normal with variance 2 / fan-in and their biases 0, so that deep plain
    networks still tell images apart (He et al. 2015, arXiv 1502.01852). What no part can start, such as the
    position embeddings of a transformer, is dealt out anew among its own entries.
    """
    learnt = unspliced(module)
    home = next(chain(learnt.parameters(), learnt.buffers()), torch.zeros(())).device
    fresh = deepcopy(learnt).cpu()
    with torch.no_grad(), torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        for part in fresh.modules():
            _start(part)
        for old, new in zip(learnt.parameters(), fresh.parameters(), strict=True):
            if torch.equal(old.cpu(), new):
                new.copy_(new.flatten()[torch.randperm(new.numel())].view_as(new))
    return fresh.eval().to(home)


def _start(part: nn.Module) -> None:
    """Draw the weights that a module holds itself, as far as it knows how."""
    if callable(reset := getattr(part, "reset_parameters", None)):
        reset()
    if isinstance(part, READERS):
        nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        if part.bias is not None:
            nn.init.zeros_(part.bias)
    if "running_mean" in dict(part.named_buffers(recurse=False)):  # frozen ones keep all four as buffers
        for name, start in (("running_mean", 0), ("running_var", 1), ("weight", 1), ("bias", 0)):
            if isinstance(kept := getattr(part, name, None), Tensor):
                kept.fill_(start)
