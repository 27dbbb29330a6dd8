"""Refuses weights that are no numbers: a model that has any answers nothing, and does not say so."""

from torch import Tensor, nn

from csp.errors import BadInputError


def refuse_not_finite(module: nn.Module, what: str) -> None:
    """Raise `BadInputError` for NaN or infinite values in parameters or running statistics.

    `what` begins the sentence. Other buffers may be infinite, as masks of attention are.
    """
    tensors: dict[str, Tensor] = dict(module.named_parameters())
    tensors |= {name: tensor for name, tensor in module.named_buffers() if ".running_" in f".{name}"}
    bad = [
        name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()
    ]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise BadInputError(
            f"{what} holds weights that are not numbers (NaN or infinite, in '{bad[0]}'{more}): its training "
            "failed, or half precision overflowed; take an earlier checkpoint or save it as float32."
        )
