"""The option that chooses a layer."""

from typing import TYPE_CHECKING

from csp.errors import BadInputError

if TYPE_CHECKING:  # pandas and Zarr cost half a second, which `csp runs` can do without
    from csp.keeping.run import Run


def one_layer(run: "Run", layer: str | None) -> str:
    """The layer meant: the one named, or the only one. Raises NotFoundError, BadInputError."""
    if layer is not None:
        return run.layer(layer).layer
    if len(run.layers) > 1:
        raise BadInputError(
            f"the run {run.name} has several layers; choose --layer {' or '.join(run.layers)}"
        )
    return run.layers[0]
