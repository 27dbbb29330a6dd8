"""What attention heads give, as layers of any torch model: `NAME.heads` and `NAME.head_norms`.

`heads` has a neuron for each dimension of each head (head h, dimension d: neuron h * width + d), as they
reach the output projection; `head_norms` one for each head, the length of what it gives. Both are of shape
`[b, tokens, c]` and take part in the pass: holding one, or following it by gradient, moves the model.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

OUT = ("o_proj", "out_proj", "proj", "to_out")
"""How libraries call the projection that reads the heads side by side."""
COUNTS = ("num_heads", "num_attention_heads")


class Heads(nn.Identity):
    """The dimensions of all heads, side by side."""


class HeadNorms(nn.Identity):
    """A number for each head."""


def name_heads(module: nn.Module) -> None:
    """Give every attention of a model its two layers; those that have them keep them."""
    for part, count, out in list(_attentions(module)):
        part.add_module("heads", Heads())
        part.add_module("head_norms", HeadNorms())
        if isinstance(part, nn.MultiheadAttention):
            part.forward = _in_the_open(part)  # type: ignore[method-assign]
        else:
            out.register_forward_pre_hook(_through(part, count))


def _attentions(module: nn.Module) -> Iterator[tuple[nn.Module, int, nn.Linear]]:
    for part in module.modules():
        count = next((getattr(part, name) for name in COUNTS if hasattr(part, name)), None)
        out = next((getattr(part, name) for name in OUT if hasattr(part, name)), None)
        if not isinstance(count, int) or not isinstance(out, nn.Linear) or out.in_features % max(count, 1):
            continue
        if not hasattr(part, "heads") and not hasattr(part, "head_norms"):
            yield part, count, out


def _through(part: Any, count: int) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...]]:
    def pass_on(_out: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return _passed(part, count, given[0]), *given[1:]

    return pass_on


def _passed(part: Any, count: int, values: Tensor) -> Tensor:
    """The heads side by side, `[..., c]`, through both layers."""
    found: Tensor = part.heads(values)
    if not _looked_at(part.head_norms):
        return found
    heads = found.reshape(*found.shape[:-1], count, -1)
    norms = heads.norm(dim=-1)
    scale = part.head_norms(norms) / norms.clamp_min(1e-12)
    scaled: Tensor = heads * scale[..., None]
    return scaled.flatten(-2)


def _looked_at(part: nn.Module) -> bool:
    return bool(part._forward_hooks)


def _in_the_open(part: nn.MultiheadAttention) -> Callable[..., Any]:
    """torch's own attention computes all in one; while a layer is looked at, the same in steps."""
    at_once = part.forward

    def forward(query: Tensor, key: Tensor, value: Tensor, *rest: Any, **named: Any) -> Any:
        looked_at = _looked_at(part.heads) or _looked_at(part.head_norms)  # type: ignore[arg-type]
        plain = part._qkv_same_embed_dim and part.bias_k is None and not part.add_zero_attn
        masked = named.get("key_padding_mask") is not None or bool(rest)
        if not looked_at or not plain or masked or query.ndim != 3:
            return at_once(query, key, value, *rest, **named)
        given = [one if part.batch_first else one.transpose(0, 1) for one in (query, key, value)]
        found, weights = _attended(part, given, named.get("attn_mask"))
        if not named.get("need_weights", True):
            return _ordered(part, found), None
        return _ordered(part, found), weights.mean(1) if named.get("average_attn_weights", True) else weights

    return forward


def _ordered(part: nn.MultiheadAttention, tensor: Tensor) -> Tensor:
    return tensor if part.batch_first else tensor.transpose(0, 1)


def _attended(part: nn.MultiheadAttention, given: list[Tensor], mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """What attention gives, `[b, tokens, c]`, and its weights, `[b, heads, tokens, tokens]`.

    Vaswani et al. 2017, arXiv 1706.03762, section 3.2.
    """
    weights = part.in_proj_weight.chunk(3)
    biases = (None,) * 3 if part.in_proj_bias is None else part.in_proj_bias.chunk(3)
    query, key, value = (
        functional.linear(one, weight, bias)
        .reshape(*one.shape[:-1], part.num_heads, part.head_dim)
        .transpose(1, 2)
        for one, weight, bias in zip(given, weights, biases, strict=True)
    )
    likeness = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if mask is not None:
        likeness = likeness.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else likeness + mask
    shares = likeness.softmax(-1)
    heads = (shares @ value).transpose(1, 2).flatten(-2)
    return part.out_proj(_passed(part, part.num_heads, heads)), shares
