"""A sparse autoencoder (SAE) on the positions of a layer, whatever library trained it.

    z = fires(n(x) W_enc + b_enc)        the latents, `[..., l]`
    x ~ n'(z W_dec + b_dec)              n, n': how the input is scaled, and back

Sources: Bricken et al. 2023, "Towards Monosemanticity" (ReLU); Gao et al. 2024, arXiv 2406.04093 (TopK);
Bussmann et al. 2024, arXiv 2412.06410 (BatchTopK); Rajamanoharan et al. 2024, arXiv 2404.16014 (gated) and
2407.14435 (JumpReLU). A Matryoshka SAE (Bussmann et al. 2025, arXiv 2503.17547) differs in its training only.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.torch_models.layers import weights_hash

Scaling = Literal["none", "constant_norm_rescale", "layer_norm"]
SCALINGS: tuple[Scaling, ...] = ("none", "constant_norm_rescale", "layer_norm")
_LITTLE = 1e-5


class Relu(nn.Module):
    """A latent is as much as it is above 0."""

    name = "relu"

    def forward(self, before: Float[Tensor, "*b l"]) -> Float[Tensor, "*b l"]:
        """From what the encoder gives to the latents."""
        return before.relu()


class TopK(nn.Module):
    """The k largest latents of a position stay, the rest are 0; `positive`: those below 0 are 0 as well."""

    name = "topk"

    def __init__(self, k: int, positive: bool = True) -> None:
        super().__init__()
        self.k, self.positive = k, positive

    def forward(self, before: Float[Tensor, "*b l"]) -> Float[Tensor, "*b l"]:
        """From what the encoder gives to the latents."""
        best = before.topk(self.k, dim=-1)
        values = best.values.relu() if self.positive else best.values
        return torch.zeros_like(before).scatter(-1, best.indices, values)


class Threshold(nn.Module):
    """A latent stays where it is above its threshold (`inclusive`: or at it), and above 0."""

    threshold: Tensor

    def __init__(self, threshold: Tensor, name: str = "jumprelu", inclusive: bool = False) -> None:
        super().__init__()
        self.name, self.inclusive = name, inclusive
        self.register_buffer("threshold", threshold.float())

    def forward(self, before: Float[Tensor, "*b l"]) -> Float[Tensor, "*b l"]:
        """From what the encoder gives to the latents."""
        fires = before >= self.threshold if self.inclusive else before > self.threshold
        return before.relu() * fires


class Gate(nn.Module):
    """Whether a latent fires is one question, how much another, over shared weights."""

    name = "gated"
    gate: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, gate: Tensor, log_scale: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("gate", gate.float())
        self.register_buffer("scale", log_scale.float().exp())
        self.register_buffer("bias", bias.float())

    def forward(self, before: Float[Tensor, "*b l"]) -> Float[Tensor, "*b l"]:
        """From what the encoder gives (without a bias) to the latents."""
        return (before * self.scale + self.bias).relu() * (before + self.gate > 0)


Rule = Relu | TopK | Threshold | Gate


@dataclass(frozen=True)
class Weights:
    """What an SAE has learnt, for d numbers a position and l latents."""

    encoder: Float[Tensor, "d l"]
    encoder_bias: Float[Tensor, " l"]
    decoder: Float[Tensor, "l d"]
    decoder_bias: Float[Tensor, " d"]


class Autoencoder(nn.Module):
    """An SAE: `encode`, `decode`, and `passed` for a layer's whole output."""

    encoder: Tensor
    encoder_bias: Tensor
    decoder: Tensor
    decoder_bias: Tensor

    def __init__(
        self,
        spec: str,
        weights: Weights,
        rule: Rule,
        *,
        centred: bool = False,
        scaling: Scaling = "none",
        notes: Sequence[str] = (),
    ) -> None:
        """`centred`: the decoder's bias is taken off the input; `notes`: what to know of it, in sentences.

        Raises `BadInputError` for weights of shapes that don't belong together, that are not finite, or a
        rule that does not fit them.
        """
        super().__init__()
        _check(spec, weights, rule)
        self.spec, self.centred, self.scaling, self.notes = spec, centred, scaling, tuple(notes)
        self.register_buffer("encoder", weights.encoder.float())
        self.register_buffer("encoder_bias", weights.encoder_bias.float())
        self.register_buffer("decoder", weights.decoder.float())
        self.register_buffer("decoder_bias", weights.decoder_bias.float())
        self.rule = rule

    @property
    def kind(self) -> str:
        """`relu`, `topk`, `batchtopk`, `jumprelu` or `gated`."""
        return self.rule.name

    @property
    def width(self) -> int:
        """How many numbers a position it reads."""
        return self.decoder.shape[1]

    @property
    def count(self) -> int:
        """How many latents it has."""
        return self.decoder.shape[0]

    @property
    def weights_hash(self) -> str:
        """SHA-256 over its weights and what decides how they are used."""
        used = f"{self.kind} {getattr(self.rule, 'k', 0)} {self.centred} {self.scaling}"
        return hashlib.sha256(f"{weights_hash(self)} {used}".encode()).hexdigest()

    def directions(self) -> Float32[np.ndarray, "l d"]:
        """What each latent adds to the layer for 1 of it, before any scaling back: the decoder's rows."""
        return self.decoder.detach().cpu().numpy()

    def encode(self, inputs: Float[Tensor, "*b d"]) -> Float[Tensor, "*b l"]:
        """The latents of each position."""
        scaled, _, _ = self._scaled(inputs)
        if self.centred:
            scaled = scaled - self.decoder_bias
        latents: Tensor = self.rule(scaled @ self.encoder + self.encoder_bias)
        return latents

    def decode(self, latents: Float[Tensor, "*b l"], inputs: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """What latents say that each position was; `inputs` decide the scale where each has its own."""
        _, factor, shift = self._scaled(inputs)
        return (latents @ self.decoder + self.decoder_bias) * factor + shift

    @torch.no_grad()
    def fit(self, output: Float[Tensor, "b *space"]) -> tuple[float, float, int]:
        """Of a layer's output: the share explained of what positions differ by from their mean, latents above
        0 at a position, and how many positions those are."""
        rows = output.movedim(self._axis(output), -1).reshape(-1, self.width).float()
        latents = self.encode(rows)
        left = (rows - self.decode(latents, rows)).double().square().sum()
        whole = (rows - rows.mean(0)).double().square().sum()
        explained = float(1 - left / whole) if whole else 0.0
        return explained, float((latents > 0).sum()) / max(1, len(rows)), len(rows)

    def passed(
        self, output: Float[Tensor, "b *space"], seen: Callable[[Tensor], Tensor]
    ) -> Float[Tensor, "b *space"]:
        """A layer's output, changed by as much as `seen` changes its latents.

        What the latents don't explain of the output is passed on as it is, so that holding one of them
        changes nothing but what it adds (Marks et al. 2024, arXiv 2403.19647, section 2).
        """
        axis = self._axis(output)
        inputs = output.movedim(axis, -1).float()
        latents = self.encode(inputs)
        first = output.ndim == 4  # maps show neurons first, tokens last, as `layers.pool` reads them
        shown = latents.movedim(-1, 1) if first else latents
        kept = seen(shown)
        if kept is shown:
            return output
        change = self.decode(kept.movedim(1, -1) if first else kept, inputs)
        changed = inputs + (change - self.decode(latents, inputs))
        return changed.movedim(-1, axis).to(output.dtype)

    def _axis(self, output: Tensor) -> int:
        """Where a layer's numbers of one position lie. Raises `BadInputError` where there are others."""
        places = {2: (1,), 3: (2,), 4: (1, 3)}.get(output.ndim, ())
        for axis in places:
            if output.shape[axis] == self.width:
                return axis
        shape = " x ".join(str(length) for length in output.shape[1:])
        raise BadInputError(
            f"The SAE '{self.spec}' reads {self.width} numbers a position, and the layer gives {shape} an "
            "image: name the layer that it was trained on."
        )

    def _scaled(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The input as the encoder wants it, and the factor and shift that lead back."""
        if self.scaling == "constant_norm_rescale":
            norm = inputs.norm(dim=-1, keepdim=True).clamp_min(1e-12)
            factor = norm / self.width**0.5
            return inputs / factor, factor, torch.zeros_like(factor)
        if self.scaling == "layer_norm":
            mean = inputs.mean(-1, keepdim=True)
            spread = (inputs - mean).std(-1, keepdim=True)
            return (inputs - mean) / (spread + _LITTLE), spread, mean
        one = torch.ones((), device=inputs.device)
        return inputs, one, torch.zeros_like(one)


def _check(spec: str, weights: Weights, rule: Rule) -> None:
    named = {
        "the decoder": weights.decoder,
        "the encoder": weights.encoder,
        "the encoder's bias": weights.encoder_bias,
        "the decoder's bias": weights.decoder_bias,
    }
    if weights.decoder.ndim != 2 or not weights.decoder.numel():
        raise BadInputError(f"The SAE '{spec}' has a decoder of shape {list(weights.decoder.shape)}: no SAE.")
    count, width = weights.decoder.shape
    wanted = ((count, width), (width, count), (count,), (width,))
    for (name, tensor), shape in zip(named.items(), wanted, strict=True):
        if tuple(tensor.shape) != shape:
            raise BadInputError(
                f"In the SAE '{spec}' {name} has the shape {list(tensor.shape)} instead of {list(shape)}: "
                "its weights don't belong together."
            )
    parts = {**named, **dict(rule.named_buffers())}
    for name, tensor in parts.items():
        if not torch.isfinite(tensor.float()).all():
            raise BadInputError(f"In the SAE '{spec}' {name} holds numbers that are not finite.")
    if isinstance(rule, TopK) and not 1 <= rule.k <= count:
        raise BadInputError(f"The SAE '{spec}' keeps {rule.k} of {count} latents: k is from 1 to {count}.")
    for name, tensor in rule.named_buffers():
        if tuple(tensor.shape) not in ((), (1,), (count,)):
            raise BadInputError(
                f"In the SAE '{spec}' the {name} has the shape {list(tensor.shape)} instead of [{count}]."
            )
