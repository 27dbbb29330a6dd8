"""The pooling: how what a neuron gives over an image becomes one number.

As text (in commands, configs and what adapters are opened with) `mean`, `max`, `patch`, `quantile:0.95` or
`cls`; for some layers otherwise, `mean,layer3=max,layer2=quantile:0.9`.
"""

from collections.abc import Mapping

from csp.errors import BadInputError

Pooling = str
"""A text that `read_pooling` can read."""
PATCH = "patch"
"""The maximum over the patches of the image alone, of which the place is kept."""
FORM = "mean, max, patch, cls or such as quantile:0.95; for one layer otherwise, such as mean,layer3=max"


def read_pooling(text: str) -> tuple[str, Mapping[str, str]]:
    """The pooling of most layers, and that of the layers named; raises BadInputError for another form."""
    usual, named = "mean", {}
    for place, part in enumerate(text.replace(" ", "").split(",")):
        layer, equals, pooling = part.rpartition("=")
        if (equals and not layer) or (not equals and place) or layer in named or not _known(pooling):
            raise BadInputError(f"The pooling '{text}' can't be read: write {FORM}.")
        if equals:
            named[layer] = pooling
        else:
            usual = pooling
    return usual, named


def pooling_of(text: str, layer: str) -> str:
    """How one layer is pooled, such as `mean` or `quantile:0.95`; raises BadInputError for another form."""
    usual, named = read_pooling(text)
    return named.get(layer, usual)


def share_of(pooling: str) -> float | None:
    """The Q of `quantile:Q`, between 0 and 1; None for another pooling."""
    name, _, value = pooling.partition(":")
    return float(value) if name == "quantile" else None


def as_text(poolings: Mapping[str, str]) -> Pooling:
    """The text that gives each layer its pooling."""
    usual = max(poolings.values(), key=list(poolings.values()).count, default="mean")
    others = (f"{layer}={pooling}" for layer, pooling in poolings.items() if pooling != usual)
    return ",".join([usual, *others])


def _known(pooling: str) -> bool:
    if pooling in ("mean", "max", PATCH, "cls"):
        return True
    try:
        share = share_of(pooling)
    except ValueError:
        return False
    return share is not None and 0.0 < share < 1.0
