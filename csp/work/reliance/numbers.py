"""What is told of one concept, as it is kept and as `csp reliance --json` prints it."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Side = Literal["with", "without"]
How = Literal["exact", "model"]
HOW: dict[How, str] = {
    "exact": "exactly, from the run alone: these neurons feed the linear layer that makes the answer",
    "model": "by running the model with these neurons held fixed",
}


class _Numbers(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="forbid")


class Change(_Numbers):
    """Mean change of a number over n images, with its 95 % interval; None where n is too small."""

    change: float | None
    low: float | None
    high: float | None
    n: int


class Chance(_Numbers):
    """The same change for random groups of as many neurons of the same layers."""

    mean: float | None
    low: float | None
    high: float | None
    """The middle 95 % of the groups."""
    beaten: float
    """The share of the groups that change less, either way."""
    groups: int


class OfClass(_Numbers):
    """How much the probability of one class changes without the concept's neurons."""

    before: float | None
    """The mean probability with the neurons, on the images that `main` is of."""
    on: Change = Field(alias="with")
    """On images that show the concept."""
    off: Change = Field(alias="without")
    """On images that do not."""
    all: Change
    """On all images."""
    resampled_on: Change = Field(alias="with_resampled")
    """As `with`, the neurons at the values that they have on other images."""
    resampled_off: Change = Field(alias="without_resampled")
    erased: Change | None = Field(default=None, alias="with_erased")
    """As `with`, with everything in the layer that goes with the concept taken away, also from neurons of
    other labels; None where the dataset does not state it, or no linear head follows."""
    random: Chance
    """On images that show the concept, on all where none is known to."""

    @property
    def main(self) -> Change:
        """On images that show the concept, on all where none is known to."""
        return self.on if self.on.n else self.all


class BeforeAfter(_Numbers):
    """A number with the concept's neurons and without them; None where the images can't tell."""

    before: float | None
    after: float | None
    low: float | None
    high: float | None
    """The 95 % interval of `after - before` over images."""
    random_low: float | None = None
    random_high: float | None = None
    """Where `after - before` lies for the middle 95 % of random groups."""


class OfGroup(_Numbers):
    """The same on a part of the images."""

    name: str
    n: int
    small: bool
    """Whether too few of them show the concept to rank it: `csp.work.subgroups.SMALL`."""
    classes: dict[str, dict[Side, Change]]
    accuracy: BeforeAfter


class Difference(_Numbers):
    """How far the subgroups are apart, those that are not small where the concept is shown."""

    of_class: str
    least: str
    most: str
    """The subgroups where the class changes least and most."""
    apart: float
    """By how much, 0 to 2."""
    random_high: float
    """Below this in 95 % of cases where images are parted into groups of these sizes at random."""

    @property
    def more_than_chance(self) -> bool:
        """Whether they are farther apart than groups drawn at random mostly are."""
        return self.apart > self.random_high


class ByColumn(_Numbers):
    """How much the model leans on a concept in each subgroup."""

    column: str
    groups: tuple[OfGroup, ...]
    difference: Difference | None
    """None with fewer than two subgroups that are large enough."""


class Numbers(_Numbers):
    """How much the model leans on one concept."""

    layers: tuple[str, ...]
    """Whose neurons were switched off."""
    neurons: int
    """How many were."""
    how: How
    shown: Literal["attributes", "encoder", "nothing"]
    """Who says which images show the concept."""
    split: str
    images: int
    """Of that split."""
    classes: dict[str, OfClass]
    accuracy: BeforeAfter
    auroc: dict[str, BeforeAfter]
    sensitivity: dict[str, BeforeAfter]
    calibration: BeforeAfter
    pictures: tuple[int, ...]
    """Images that make its neurons fire most together, the strongest first."""

    @property
    def most(self) -> str:
        """The class whose probability changes most where the concept is shown."""
        return max(self.classes, key=lambda name: abs(self.classes[name].main.change or 0.0))

    @property
    def size(self) -> float:
        """How much that is, 0 to 1."""
        return abs(self.classes[self.most].main.change or 0.0)


def number(value: float | np.floating) -> float | None:
    """Rounded for JSON; None for NaN."""
    return round(float(value), 6) if np.isfinite(value) else None
