"""The option that chooses a layer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from csp.errors import BadInputError

if TYPE_CHECKING:  # pandas and Zarr cost half a second, which `csp runs` can do without
    from csp.keeping.run_folder.run import Run
    from csp.work.engines.engine import Engine


def one_layer(run: "Run", layer: str | None) -> str:
    """The layer meant: the one named, or the only one. Raises NotFoundError, BadInputError."""
    if layer is not None:
        return run.layer(layer).layer
    if len(run.layers) > 1:
        raise BadInputError(
            f"the run {run.name} has several layers; choose --layer {' or '.join(run.layers)}"
        )
    return run.layers[0]


def run_names(incomplete: str) -> list[str]:
    """The names of runs that begin so, for the shell to complete."""
    from csp.keeping.library.find import list_runs

    return [run.name for run in list_runs() if run.name.startswith(incomplete)]


RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run's folder, its name, or its address on a server.", autocompletion=run_names
    ),
]


LayerOption = Annotated[str | None, typer.Option(help="Needed when the run has several layers.")]


EngineOption = Annotated[
    str | None, typer.Option(help="local, or ray: on the machines of a Ray cluster (local).")
]


AddressOption = Annotated[
    str | None, typer.Option(help="Of the Ray cluster (auto: the one of this machine).")
]


def chosen_engine(name: str | None, address: str | None) -> "Engine":
    """Where the work is done. Raises BadInputError for an engine that there is not."""
    from csp.work.engines.engine import Engine

    if name not in (None, "local", "ray"):
        raise BadInputError(f"--engine {name!r} can't be used: choose local or ray")
    return Engine(name or "local", address or "auto")  # type: ignore[arg-type]


ExamplesOption = Annotated[
    int | None, typer.Option("--examples", help="How many examples; the run's own if left out.")
]


NoReuseOption = Annotated[bool, typer.Option("--no-reuse", help="Let no contrastive image serve twice.")]


GammaOption = Annotated[float | None, typer.Option(help="0 to 1; the run's own if left out.")]


ContrastOption = Annotated[
    str | None,
    typer.Option(
        help="mean, or parts such as quantile:0.1,neighbours:5,least:0.8; the run's own if left out."
    ),
]


NeuronsOption = Annotated[str, typer.Option(help="all, 17, 0:200 or 3,17.")]


JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


AllLayersOption = Annotated[str | None, typer.Option("--layer", help="All layers if left out.")]


InPlaceOption = Annotated[bool, typer.Option("--in-place", hidden=True)]


OutOption = Annotated[
    str | None,
    typer.Option(help="A folder, a name for a run in the cache, or an address such as s3://bucket/skin."),
]


VocabularyOption = Annotated[
    Path | None, typer.Option(help="Label texts: one a line, or a .csv with text, attributes, broad.")
]
