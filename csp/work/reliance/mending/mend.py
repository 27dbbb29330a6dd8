"""A model without some concepts: what it would be worth, and its checkpoint.

chosen = together(find_concept(found, name) for name in names)
preview = mend_preview(explorer, chosen, "skin_tone")        # .before .after: model cards by that column
made = write_mended(explorer, chosen, Path("mended.safetensors"), who)    # BadInputError: not exact
made.spec                                                    # torchvision:resnet18@mended.safetensors
write_mended(explorer, chosen, Path("mended.json"), who)     # any layer: a file for mended:FILE

The neurons of the concepts in the layer that the last linear layer reads are held at their mean: their
weights become 0, and what they add on average goes into the bias. Neurons in earlier layers stay as they are.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from csp.errors import BadInputError
from csp.keeping import atomic
from csp.keeping.run_folder.run import Run
from csp.method.reliance import link_of, logits_of, mean_ablated
from csp.work.attribution.model_card import (
    ModelCard,
    card_as_json,
    card_from_json,
    card_of,
    check_column,
    model_card,
)
from csp.work.explorer.explorer import Explorer
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import RunTarget, explainable, mendable, run_target
from csp.work.progress import Report, Stage, silent
from csp.work.reliance.concepts import Concept, shown
from csp.work.reliance.exact import exact_numbers
from csp.work.reliance.heads import BehindHead, behind_head, check_answers
from csp.work.reliance.mending.made import CLOSE, TRIED, Mended, Why, told_of
from csp.work.reliance.mending.wrapper import write_wrapper
from csp.world.protocols.target import open_target

SCHEMES = ("torchvision", "timm")
"""Those whose models are opened as `SCHEME:NAME@FILE`."""
INSTEAD = "write a .json, which holds them as the model runs"
RECORD = "csp_mended"
"""The metadata field of the checkpoint that holds the record."""


@dataclass(frozen=True)
class MendPreview:
    """How good the model is with all its neurons, and with these at their mean."""

    before: ModelCard
    after: ModelCard


def together(chosen: Iterable[Concept]) -> Concept:
    """Several concepts as one: all their neurons; an image shows it that shows any of them."""
    found = tuple(chosen)
    if len(found) == 1:
        return found[0]
    stated = all(one.attributes for one in found)
    return Concept(
        name=", ".join(one.name for one in found),
        labels=tuple(dict.fromkeys(label for one in found for label in one.labels)),
        neurons=tuple(dict.fromkeys(spot for one in found for spot in one.neurons)),
        checked=sum(one.checked for one in found),
        reviewers=tuple(sorted({name for one in found for name in one.reviewers})),
        beside=all(one.beside for one in found),
        attributes=tuple(name for one in found for name in one.attributes) if stated else (),
    )


def foldable(run: Run, chosen: Concept) -> tuple[BehindHead, tuple[int, ...]]:
    """The layer that the last linear layer reads, and the concept's neurons in it.

    Raises BadInputError where there is no such layer, or it holds none of them.
    """
    check_answers(run)
    seen = behind_head(run)
    if seen is None:
        raise BadInputError(
            f"no linear layer follows the layers of the run {run.name}, so no neuron can be switched off in "
            f"the weights without changing more: {INSTEAD}, or index the layer before the last linear one"
        )
    neurons = chosen.of(seen.layer)
    if not neurons:
        raise BadInputError(
            f"the neurons of {chosen.name!r} are in {', '.join(chosen.layers)}; only those of {seen.layer} "
            f"can be switched off in the weights without changing more: {INSTEAD}"
        )
    return seen, neurons


def mend_preview(explorer: Explorer, chosen: Concept, column: str | None = None) -> MendPreview:
    """On the held-out images with a label, by a column of the dataset; kept for the next time.

    Raises BadInputError as `foldable` and `model_card`, NotFoundError for an unknown column.
    """
    run = explorer.run
    seen, neurons = foldable(run, chosen)
    check_column(run, column)

    def compute() -> dict[str, Any]:
        return card_as_json(card_of(run, seen.without(neurons), column))

    asked = {"layer": seen.layer, "neurons": neurons, "column": column}
    after = card_from_json(explorer.cache.get_or_compute(asked, compute).value)
    return MendPreview(model_card(explorer, column), after)


def write_mended(
    explorer: Explorer, chosen: Concept, out: Path, why: Why | None = None, report: Report = silent
) -> Mended:
    """Write the checkpoint, with its record inside and beside it, and check that it says what was foretold.

    A name that ends in .json asks for a file that has the neurons held as the model runs (`wrapper.py`).
    Raises BadInputError where folding would not be exact or another file is in the way, UnavailableError
    without the model.
    """
    if out.suffix == ".json":
        return write_wrapper(explorer, chosen, out, why or Why(), report)
    run, stage = explorer.run, Stage("mending", 4, report)
    seen, neurons = foldable(run, chosen)
    if out.suffix != ".safetensors":
        raise BadInputError(f"the mended model {out} must end in .safetensors, or in .json")
    atomic.expect_delivery(out)
    target = run_target(run)
    scheme, _, name = target.model.spec.partition(":")
    architecture = name.partition("@")[0].partition("#")[0]
    if scheme not in SCHEMES or "/" in architecture or not architecture:
        raise BadInputError(
            f"a model of {scheme}: is not written anew, only those of {' and '.join(SCHEMES)} that are "
            f"opened by name: this one is {target.model.spec}"
        )
    stage.reached(1)
    record = _record(explorer, chosen, seen, neurons, why or Why())
    stage.reached(2)
    with target.lock:
        content = mendable(target).mended(
            seen.layer, neurons, seen.usual[list(neurons)], {RECORD: json.dumps(record)}
        )
    stage.reached(3)
    furthest = _furthest(run, target, seen, neurons, (f"{scheme}:{architecture}", content))
    if not furthest <= CLOSE:
        raise BadInputError(
            f"the mended model says something else than was foretold (by {furthest:.2g} of a probability): "
            "it was not written, as its last layer does more than weigh neurons"
        )
    spec, beside = f"{scheme}:{architecture}@{out}", out.with_name(f"{out.name}.json")
    atomic.deliver(out, content)
    told = {**record, "file": out.name, "sha256": hashlib.sha256(content).hexdigest(), "spec": spec}
    atomic.deliver(beside, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())
    stage.reached(4)
    return Mended(out, beside, spec, told, furthest)


def _record(
    explorer: Explorer, chosen: Concept, seen: BehindHead, neurons: tuple[int, ...], why: Why
) -> dict[str, Any]:
    """What was switched off, by whom, why, on what evidence."""
    run = explorer.run
    try:
        preview = mend_preview(explorer, chosen)
        worth: dict[str, Any] = {side: _short(getattr(preview, side)) for side in ("before", "after")}
    except BadInputError as error:
        worth = {"not_known": str(error)}
    numbers = exact_numbers(run, seen, chosen, shown(run, chosen))
    return {
        **told_of(run, chosen, why),
        "layer": seen.layer,
        "neurons": list(neurons),
        "held_at": [round(float(value), 6) for value in seen.usual[list(neurons)]],
        "left_in_other_layers": len(chosen.neurons) - len(neurons),
        "quality": worth,
        "reliance": numbers.model_dump(mode="json", by_alias=True),
    }


def _short(card: ModelCard) -> dict[str, Any]:
    own = card_as_json(card)["all"]
    found: dict[str, Any] = {"part": card.part, **own}
    return found


def _furthest(
    run: Run, target: RunTarget, seen: BehindHead, neurons: tuple[int, ...], written: tuple[str, bytes]
) -> float:
    """How far the model as it is written is from the old one with its neurons held, on some probe images."""
    images = np.unique(np.linspace(0, run.manifest.images - 1, TRIED).astype(np.int64)).tolist()
    inputs = ModelInputs(run, target.model)
    batch, target = inputs.batch(images), target.on(inputs.beside(images))
    with target.lock:
        head, output = explainable(target).head(seen.layer), target.model.run(batch, [seen.layer])
    if head is None or output.probabilities is None:
        return float("inf")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mended.safetensors"
        file.write_bytes(written[1])
        new = open_target(f"{written[0]}@{file}").run(batch, []).probabilities
        assert new is not None  # it has the classes of the old one
    chosen = list(neurons)
    weights, link = head.T.astype(np.float64)[chosen], link_of(output.probabilities)
    added = output.activations[seen.layer][:, chosen].astype(np.float64) @ weights
    logits = logits_of(output.probabilities, link)
    foretold = mean_ablated(logits, added, seen.usual[chosen] @ weights, link)
    return float(np.nanmax(np.abs(new - foretold)))
