"""Reliance behind a linear head: from what the run holds, without the model, to the last digit."""

import numpy as np
from jaxtyping import Float32, Float64, Int64

from csp.keeping.run_folder.run import Run
from csp.method.reliance import outputs_of, own_effects, random_groups, resample_ablated
from csp.work.reliance.concepts import Concept, Shown
from csp.work.reliance.heads import BehindHead
from csp.work.reliance.measure import SEED, Answers, Asked, numbers
from csp.work.reliance.numbers import Numbers
from csp.work.splits import held_out

GROUPS_AT_ONCE = 50
PICTURES = 12


def exact_numbers(run: Run, seen: BehindHead, concept: Concept, shown: Shown) -> Numbers:
    """How much the model leans on a concept's neurons in the layer that its head reads."""
    neurons = concept.of(seen.layer)
    pictures = strongest(run.columns(seen.layer, neurons))
    asked = Asked((seen.layer,), len(neurons), "exact", held_out(run)[1], pictures)
    return numbers(run, exact_answers(run, seen, concept), shown, asked)


def strongest(activations: Float32[np.ndarray, "n m"]) -> tuple[int, ...]:
    """The images on which some neurons fire most together, each neuron counted in its own spread."""
    values = np.nan_to_num(activations.astype(np.float64), posinf=0, neginf=0)
    spread = values.std(axis=0)
    together = ((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)).mean(axis=1)
    return tuple(np.argsort(-together, kind="stable")[:PICTURES].tolist())


def exact_answers(run: Run, seen: BehindHead, concept: Concept) -> Answers:
    """What the model says of the held-out images with those neurons and without."""
    rows, _ = held_out(run)
    neurons, images = concept.of(seen.layer), np.flatnonzero(rows & seen.usable)
    rng = np.random.default_rng(SEED)
    head, logits = seen.head, seen.logits[images]
    added = seen.added(neurons)
    own = added[images]
    groups = random_groups(len(seen.usual), len(neurons), neurons, rng)
    return Answers(
        images=images,
        before=outputs_of(logits, head.link),
        mean=outputs_of(logits - own + seen.usual_added(neurons), head.link),
        resampled=resample_ablated(logits, own, added[seen.usable], head.link, rng),
        random=_random(seen, groups, images),
        link=head.link,
        erased=_erased(run, seen, concept, images),
    )


def _erased(
    run: Run, seen: BehindHead, concept: Concept, images: Int64[np.ndarray, " n"]
) -> Float64[np.ndarray, "n classes"] | None:
    """The answers without all that the concept's attributes add to the layer, the dataset's others equal."""
    if not concept.attributes:
        return None
    table = run.images[list(run.attributes)]
    known = table.notna().all(axis=1).to_numpy(dtype=bool) & seen.usable
    shows = table.fillna(False).to_numpy(dtype=bool)
    parts = [own_effects(block[known], shows[known]) for block in run.activation_blocks(seen.layer)]
    told = [one for one in parts if one is not None]
    if not told:
        return None
    effects = np.concatenate(told, axis=1)
    own = [run.attributes.index(name) for name in concept.attributes]
    away = shows[images][:, own].astype(np.float64) @ effects[own]
    return outputs_of(seen.logits[images] - away @ seen.head.weights, seen.head.link)


def _random(
    seen: BehindHead, groups: Int64[np.ndarray, "g m"], images: Int64[np.ndarray, " n"]
) -> Float64[np.ndarray, "g n classes"]:
    """The answers without each of many groups: what a group adds is one column of a product of matrices."""
    member = np.zeros((len(seen.usual), len(groups)))
    np.put_along_axis(member, groups.T, 1.0, axis=0)
    lost = np.zeros((len(groups), len(images), seen.logits.shape[1]))
    for neurons, block in seen.run.neuron_blocks(seen.layer):
        away = block[images].astype(np.float64) - seen.usual[neurons]
        for start in range(0, len(groups), GROUPS_AT_ONCE):
            some = slice(start, start + GROUPS_AT_ONCE)
            for place, weight in enumerate(seen.head.weights[neurons].T):
                lost[some, :, place] += (away @ (member[neurons, some] * weight[:, None])).T
    for one in lost:
        one[:] = outputs_of(seen.logits[images] - one, seen.head.link)
    return lost
