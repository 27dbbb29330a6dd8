"""Truth by intervention: how a neuron changes when one attribute of a picture changes and nothing else does.

An image generator that can switch attributes draws cases; of each, the case as it is and with one attribute
switched go through the target model. A neuron's AUROC for the attribute is the chance that it fires more on a
case with it than on a case without. Unlike the AUROC over probe images it can't be earned by what comes along
with the attribute (the diagnosis, other attributes), so it is the truth where the two disagree.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool, Float, Float32

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.metrics.ground_truth import intervention
from csp.work.models.reopen import RunTarget, run_target
from csp.work.progress import Report, Stage, silent
from csp.work.provenance import computed_by
from csp.world.protocols.generator import SwitchingGenerator, open_generator

CASES = 100
INTERVENTIONS = AddedTable(
    "interventions",
    {
        "layer": pa.string(),
        "neuron": pa.int64(),
        "attribute": pa.string(),
        "auroc": pa.float32(),
        "change": pa.float32(),
        "by": pa.string(),
        "when": pa.timestamp("s", tz="UTC"),
    },
    ("layer", "neuron", "attribute"),
)
"""`change` is the mean difference in standard deviations of the neuron over the probe images."""


def intervene(
    run: Run, generator: str, cases: int = CASES, report: Report = silent, *, in_place: bool = False
) -> None:
    """Measure all neurons for every attribute that the run states and the generator can switch.

    The table joins the run. Nothing happens where the same is measured already. Raises BadInputError for a
    generator that can't switch attributes, or none of the run's; UnavailableError where the target model
    can't be opened.
    """
    world = open_generator(generator)
    if not isinstance(world, SwitchingGenerator):
        raise BadInputError(f"{generator} can't draw the same picture with and without an attribute")
    names = [name for name in run.attributes if name in world.attributes]
    if not names:
        raise BadInputError(f"{generator} knows none of the attributes of the run {run.name}")
    additions, by = (
        Additions(run, in_place=in_place),
        computed_by(csp_version(), world.name, f"{cases} cases"),
    )
    done = additions.read(INTERVENTIONS)
    if set(done["by"]) == {by} and set(done["attribute"]) == set(names):
        return
    found = _measured(run, world, names, cases, report)
    now = datetime.now(UTC).replace(microsecond=0)
    additions.append(INTERVENTIONS, found.assign(by=by, when=now))
    additions.compact(INTERVENTIONS)


def intervention_table(run: Run, layer: str) -> Float[np.ndarray, "c a"] | None:
    """AUROC of every neuron for every attribute of the run by intervention; NaN where not measured.

    None where nothing was.
    """
    rows = Additions(run).read(INTERVENTIONS)
    rows = rows[rows["layer"] == layer]
    if rows.empty:
        return None
    wide = rows.pivot(index="neuron", columns="attribute", values="auroc")
    neurons = range(run.layer(layer).neurons)
    table: Float[np.ndarray, "c a"] = wide.reindex(index=neurons, columns=list(run.attributes)).to_numpy(
        np.float64
    )
    return table


def _measured(
    run: Run, world: SwitchingGenerator, names: Sequence[str], cases: int, report: Report
) -> pd.DataFrame:
    target, stage = run_target(run), Stage("interventions", cases, report)
    shows: list[list[bool]] = []
    own: dict[str, list[Float32[np.ndarray, " c"]]] = {layer: [] for layer in run.layers}
    switched: dict[str, list[Float32[np.ndarray, "a c"]]] = {layer: [] for layer in run.layers}
    for place in range(cases):
        case = world.switched(place, names)
        pictures = [case.picture, *(case.other[name] for name in names)]
        shows.append([case.shows[name] for name in names])
        for layer, values in _activations(target, pictures, run.layers).items():
            own[layer].append(values[0])
            switched[layer].append(values[1:])
        stage.reached(place + 1)
    has = np.array(shows)
    parts = [
        _of_layer(run, layer, names, has, np.stack(own[layer]), np.stack(switched[layer]))
        for layer in run.layers
    ]
    return pd.concat(parts, ignore_index=True)


def _activations(
    target: RunTarget, pictures: Sequence[object], layers: Sequence[str]
) -> Mapping[str, Float32[np.ndarray, "b c"]]:
    batch = np.stack([target.model.preprocess(picture) for picture in pictures])  # type: ignore[arg-type]
    with target.lock:
        return target.model.run(batch, layers).activations


def _of_layer(
    run: Run,
    layer: str,
    names: Sequence[str],
    has: Bool[np.ndarray, "p a"],
    own: Float32[np.ndarray, "p c"],
    switched: Float32[np.ndarray, "p a c"],
) -> pd.DataFrame:
    deviation = run.each_neuron(layer, lambda block: np.nanstd(block, axis=0, dtype=np.float64))
    parts = []
    for place, name in enumerate(names):
        here = has[:, place, None]
        found = intervention(
            np.where(here, own, switched[:, place]), np.where(here, switched[:, place], own), deviation
        )
        parts.append(
            pd.DataFrame(
                {
                    "layer": layer,
                    "neuron": np.arange(own.shape[1]),
                    "attribute": name,
                    "auroc": found.auroc,
                    "change": found.change,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
