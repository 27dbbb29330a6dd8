"""A mended model where nothing can be folded into weights: a file that has neurons held as it runs."""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from csp.errors import BadInputError, UnavailableError
from csp.keeping import atomic
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.models.probe_images import ModelInputs
from csp.work.models.reopen import RunTarget, run_target
from csp.work.progress import Report, Stage, silent
from csp.work.reliance.by_model import numbers_by_model
from csp.work.reliance.concepts import Concept
from csp.work.reliance.mending.made import CLOSE, TRIED, Mended, Why, told_of
from csp.work.runs.spec_paths import openable_spec
from csp.world.protocols.target import HoldingTarget, open_target


def write_wrapper(
    explorer: Explorer, chosen: Concept, out: Path, why: Why, report: Report = silent
) -> Mended:
    """Write a `mended:` file with all of the concept's neurons, in every layer, held at their mean.

    Raises BadInputError for latents of an SAE, which are no part of the model, UnavailableError without the
    model or for one that can't hold neurons.
    """
    run = explorer.run
    atomic.expect_delivery(out)
    latents = [one.layer for one in run.manifest.layers if one.sae is not None and one.layer in chosen.layers]
    if latents:
        raise BadInputError(
            f"the latents of {', '.join(latents)} are no part of the model: it can't be written without them"
        )
    target = run_target(run)
    if not isinstance(target.model, HoldingTarget):
        raise UnavailableError(f"the target model {target.model.name} can't hold neurons at a value")
    numbers = numbers_by_model(run, chosen)  # as far as it was asked for: mending changes no report
    stage = Stage("mending", 2, report)
    held = {layer: _held(run, chosen, layer) for layer in chosen.layers}
    record = {
        **told_of(run, chosen, why),
        "reliance": None if numbers is None else numbers.model_dump(mode="json", by_alias=True),
    }
    given = {
        "csp_mended_model": 1,
        "model": openable_spec(run.manifest.target.spec),
        "hash": run.manifest.target.hash,
        "held": held,
        "record": record,
    }
    content = (json.dumps(given, indent=1, ensure_ascii=False) + "\n").encode()
    stage.reached(1)
    furthest = _furthest(run, target, held, content)
    if not furthest <= CLOSE:
        raise BadInputError(
            f"the mended model says something else than was foretold (by {furthest:.2g} of a probability): "
            "it was not written"
        )
    atomic.deliver(out, content)
    stage.reached(2)
    told = {**record, "held": held, "file": out.name, "sha256": hashlib.sha256(content).hexdigest()}
    return Mended(out, out, f"mended:{out}", told, furthest)


def _held(run: Run, chosen: Concept, layer: str) -> dict[str, list[Any]]:
    neurons = list(chosen.of(layer))
    mean = np.nan_to_num(run.columns(layer, neurons)).mean(axis=0, dtype=np.float64)
    return {"neurons": neurons, "values": [float(value) for value in mean.astype(np.float32)]}


def _furthest(run: Run, target: RunTarget, held: dict[str, dict[str, list[Any]]], content: bytes) -> float:
    """How far the file, opened, is from the model with the same neurons held, on some probe images."""
    images = np.unique(np.linspace(0, run.manifest.images - 1, TRIED).astype(np.int64)).tolist()
    inputs = ModelInputs(run, target.model)
    batch, beside = inputs.batch(images), inputs.beside(images)
    asked = {
        layer: (one["neurons"], np.repeat(np.array([one["values"]], np.float32), len(images), axis=0))
        for layer, one in held.items()
    }
    ready = target.on(beside)
    assert isinstance(ready.model, HoldingTarget)
    with target.lock:
        foretold = ready.model.held(batch, asked)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mended.json"
        file.write_bytes(content)
        opened = RunTarget(open_target(f"mended:{file}"), columns=target.columns).on(beside)
        said = opened.model.run(batch, []).probabilities
    return float("inf") if said is None else float(np.nanmax(np.abs(said - foretold)))
