"""Trains a sparse autoencoder with Overcomplete on positions of a layer; goes on after the epoch it reached.

    plan = SaePlan(kind="topk", latents=4096, active=32)
    content, report = train_sae(positions, plan, folder, spec, told)

`content` is a safetensors file that `overcomplete:FILE` opens. https://github.com/KempnerInstitute/overcomplete
"""

import contextlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float32
from safetensors.torch import save
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.extras import optional
from csp.world.saes.overcomplete import DICTIONARY, FIRES, LEARNT, autoencoder_of
from csp.world.saes.plan import Kind, SaePlan
from csp.world.saes.quality import SaeQuality

Positions = Sequence[Float32[np.ndarray, "n d"]]
"""Parts that together are all positions; each is read when it is needed."""
CHECKPOINT = "training.pt"
_LEAST_PARTS = 2
"""The last one is held out."""


Told = Callable[[int, Mapping[str, float]], None]
"""Called after each epoch: how many are done, and its `loss`, `l0`, `explained` and `dead` as trained on."""


def train_sae(
    positions: Positions, plan: SaePlan, folder: Path, spec: str, told: Told, learnt: Mapping[str, Any]
) -> tuple[bytes, SaeQuality]:
    """Train on all parts but the last, and measure on that.

    `folder` holds what is needed to go on after a kill, to the same bits; `learnt` goes into the file beside
    the plan and the quality. Raises `BadInputError` for positions on which nothing can be learnt.
    """
    if len(positions) < _LEAST_PARTS:
        raise BadInputError("There are too few images to train an SAE on: two parts are the least.")
    training, held_out = positions[:-1], positions[-1]
    scale = _scale(training)
    batch = min(plan.batch, sum(len(part) for part in training))
    torch.manual_seed(plan.seed)
    sae = _sae(plan, held_out.shape[1], batch)
    optimiser = torch.optim.Adam(sae.parameters(), lr=plan.rate)
    done, history = _go_on(folder / CHECKPOINT, plan, sae, optimiser)
    if done:
        told(done, history[-1])
    for epoch in range(done, plan.epochs):
        history.append(
            _epoch(sae, optimiser, plan, batch, _batches(training, batch, scale, (plan.seed, epoch)))
        )
        if not math.isfinite(history[-1]["loss"]):
            raise BadInputError(f"Training ran away in epoch {epoch + 1}: try a smaller --rate.")
        _keep(folder / CHECKPOINT, epoch + 1, plan, sae, optimiser, history)
        told(epoch + 1, history[-1])
    state, fires = _finished(sae, scale)
    quality = _quality(state, fires, spec, held_out)
    learnt = {**learnt, "plan": asdict(plan), "quality": asdict(quality), "epochs": history}
    return save(state, {FIRES: fires, LEARNT: json.dumps(learnt)}), quality


def _sae(plan: SaePlan, width: int, batch: int) -> nn.Module:
    with optional():
        from overcomplete.sae import SAE, BatchTopKSAE, JumpSAE, TopKSAE
    make: dict[Kind, Callable[..., nn.Module]] = {
        "topk": partial(TopKSAE, top_k=plan.active),
        "batchtopk": partial(BatchTopKSAE, top_k=plan.active * batch),
        "relu": SAE,
        "jumprelu": JumpSAE,
    }
    sae = make[plan.kind](width, plan.latents, encoder_module="linear")
    with torch.no_grad():  # each latent first fires for its own direction (Gao et al. 2024, section 3.2)
        cast(Any, sae).encoder.final_block[0].weight.copy_(cast(Any, sae).get_dictionary())
    return sae


def _epoch(
    sae: nn.Module, optimiser: torch.optim.Optimizer, plan: SaePlan, batch: int, batches: Iterator[Tensor]
) -> dict[str, float]:
    from overcomplete.sae import mse_l1, train_sae
    from overcomplete.sae.losses import top_k_auxiliary_loss

    by_count = plan.kind in ("topk", "batchtopk")
    loss = top_k_auxiliary_loss if by_count else partial(mse_l1, penalty=plan.penalty / batch)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints a line an epoch
        logs = train_sae(sae, batches, loss, optimiser, nb_epochs=1)
    found = {"loss": "avg_loss", "explained": "r2", "l0": "z_sparsity", "dead": "dead_features"}
    return {name: float(logs[own][0]) for name, own in found.items()}


def _batches(parts: Positions, batch: int, scale: float, seed: tuple[int, int]) -> Iterator[Tensor]:
    """All positions once, in an order that the seed decides; one part in memory at a time."""
    rng = np.random.default_rng(seed)
    rest = np.empty((0, parts[0].shape[1]), np.float32)
    for index in rng.permutation(len(parts)):
        rows = np.concatenate([rest, rng.permutation(parts[index])])
        whole = len(rows) // batch * batch
        for start in range(0, whole, batch):
            yield torch.from_numpy(rows[start : start + batch] / np.float32(scale))
        rest = rows[whole:]


def _scale(parts: Positions) -> float:
    """The root of the mean square of all numbers."""
    squares = sum(float(np.square(part, dtype=np.float64).sum()) for part in parts)
    scale = math.sqrt(squares / max(1, sum(part.size for part in parts)))
    if not (math.isfinite(scale) and scale > 0):
        raise BadInputError("The layer gives nothing that an SAE can learn: only 0, or no finite numbers.")
    return scale


def _finished(sae: nn.Module, scale: float) -> tuple[dict[str, Tensor], str]:
    """The state for positions as the layer gives them, and how latents fire."""
    state = {name: value.detach().clone().contiguous() for name, value in sae.state_dict().items()}
    state["encoder.final_block.0.weight"] /= scale
    state[DICTIONARY] = cast(Any, sae).get_dictionary().detach().clone().contiguous()
    state["dictionary.multiplier"] = torch.tensor(math.log(scale))
    threshold = getattr(sae, "running_threshold", None)
    fires = {"TopKSAE": f"topk-{getattr(sae, 'top_k', 0)}", "SAE": "relu", "JumpSAE": ""}
    name = type(sae).__name__
    return state, fires[name] if threshold is None else f"batchtopk-{float(threshold):.12f}"


@torch.no_grad()
def _quality(state: Mapping[str, Tensor], fires: str, spec: str, held_out: np.ndarray) -> SaeQuality:
    sae = autoencoder_of(spec, state, fires)
    mean, fired = (
        held_out.mean(0, dtype=np.float64).astype(np.float32),
        torch.zeros(sae.count, dtype=torch.bool),
    )
    left = whole = latents = 0.0
    for start in range(0, len(held_out), 1024):
        rows = torch.from_numpy(np.array(held_out[start : start + 1024]))
        found = sae.encode(rows)
        left += float((rows - sae.decode(found, rows)).double().square().sum())
        whole += float((rows - torch.from_numpy(mean)).double().square().sum())
        latents += float((found > 0).sum())
        fired |= (found > 0).any(0)
    explained = 1 - left / whole if whole else 0.0
    return SaeQuality(explained, latents / len(held_out), 1 - float(fired.float().mean()), len(held_out))


def _keep(
    path: Path, done: int, plan: SaePlan, sae: nn.Module, optimiser: torch.optim.Optimizer, history: list[Any]
) -> None:
    kept = {
        "done": done,
        "plan": asdict(plan),
        "sae": sae.state_dict(),
        "threshold": getattr(sae, "running_threshold", None),
        "optimiser": optimiser.state_dict(),
        "history": history,
    }
    temporary = path.with_name(f".tmp-{path.name}")
    torch.save(kept, temporary)
    temporary.replace(path)


def _go_on(
    path: Path, plan: SaePlan, sae: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[int, list[dict[str, float]]]:
    """How many epochs are done, and what they said; those of another plan count for nothing."""
    if not path.is_file():
        return 0, []
    kept = torch.load(path, weights_only=True)
    if {**kept["plan"], "epochs": 0} != {**asdict(plan), "epochs": 0} or kept["done"] > plan.epochs:
        return 0, []
    sae.load_state_dict(kept["sae"])
    if hasattr(sae, "running_threshold"):
        cast(Any, sae).running_threshold = kept["threshold"]
    optimiser.load_state_dict(kept["optimiser"])
    return kept["done"], kept["history"]
