"""What mending makes worse, on the held-out images: all of them, and each subgroup.

told_cost(explorer, chosen, "sex").words     # one sentence with the numbers, also where nothing falls
cost(preview)                                # (Loss("", "called rightly", 0.8, 0.776, ...), ...)
"""

from collections.abc import Iterator
from dataclasses import dataclass

from csp.counts import counted
from csp.method.metrics.statistics import Interval
from csp.work.attribution.model_card import AS_DECIDED, GroupNumbers
from csp.work.explorer.explorer import Explorer
from csp.work.reliance.concepts import Concept
from csp.work.reliance.mending.mend import MendPreview, mend_preview
from csp.work.subgroups import in_words, people_columns

TELLS = 0.005
"""A number falls where it is lower by so much or more: five images in a thousand."""
RIGHT = "called rightly"
NAMED = 3
"""So many of all images are named, and as many of subgroups, those that fall most."""


@dataclass(frozen=True)
class Loss:
    """One number that falls."""

    group: str
    """The subgroup, as `skin tone 6`; empty for all images."""
    what: str
    before: float
    after: float
    low: float
    """Of the 95 % interval of the number after, over the images; NaN where that can't be told."""
    high: float

    @property
    def words(self) -> str:
        """Such as `AUROC of nevus 0.912 (0.89 to 0.93) instead of 0.935`."""
        where = f"{self.group}: " if self.group else ""
        between = "" if self.low != self.low else f" ({self.low:.2f} to {self.high:.2f})"
        return f"{where}{self.what} {self.after:.3f}{between} instead of {self.before:.3f}"


def cost(preview: MendPreview) -> tuple[Loss, ...]:
    """All that falls by `TELLS`: of all images first, then of subgroups that are not small; most first."""
    before, after = preview.before, preview.after
    column = in_words(before.column or "")
    own = _losses("", before.all, after.all)
    parts = zip(before.groups, after.groups, strict=True)
    groups = [
        loss
        for one, other in parts
        if not one.small
        for loss in _losses(f"{column} {one.name}", one, other)
        if not loss.what.startswith(AS_DECIDED.lower())
    ]
    return (*sorted(own, key=_by), *sorted(groups, key=_by))


@dataclass(frozen=True)
class Cost:
    """What to know before a mended model is written."""

    losses: tuple[Loss, ...]
    words: str
    """One sentence."""

    @property
    def worse(self) -> bool:
        """Whether anything falls."""
        return bool(self.losses)


def told_cost(explorer: Explorer, chosen: Concept, column: str | None = None) -> Cost:
    """Of all held-out images and by a column; without one by the first that tells people apart, if any.

    Raises as `mend_preview`.
    """
    column = column or next(iter(people_columns(explorer.run)), None)
    preview = mend_preview(explorer, chosen, column)
    return Cost(cost(preview), cost_in_words(preview, chosen.name))


def cost_in_words(preview: MendPreview, concept: str) -> str:
    """One sentence with the numbers that fall most, or that none does."""
    found = cost(preview)
    where = "on held-out images" if preview.before.part != "all" else "on the probe images"
    if not found:
        by = f", also by {in_words(preview.before.column)}" if preview.before.column else ""
        return (
            f"With {concept} switched off nothing gets worse {where} by {TELLS:g} or more: neither the share "
            f"that the model calls rightly nor any AUROC{by}."
        )
    own, groups = [one for one in found if not one.group], [one for one in found if one.group]
    named = [*own[:NAMED], *groups[:NAMED]]
    more = len(found) - len(named)
    told = "; ".join(one.words for one in named)
    rest = f"; {counted(more, 'more number falls', 'more numbers fall')}" if more else ""
    return (
        f"With {concept} switched off the model gets worse {where}: {told}{rest}. In brackets stand 95 % "
        "intervals over the images."
    )


def _losses(group: str, before: GroupNumbers, after: GroupNumbers) -> list[Loss]:
    pairs = [(RIGHT, before.accuracy, after.accuracy), *_of_classes(before, after)]
    return [
        Loss(group, what, one.value, other.value, other.low, other.high)
        for what, one, other in pairs
        if one.value - other.value >= TELLS
    ]


def _of_classes(before: GroupNumbers, after: GroupNumbers) -> Iterator[tuple[str, Interval, Interval]]:
    for one, other in zip(before.classes, after.classes, strict=True):
        yield f"AUROC of {one.name}", one.auroc, other.auroc
        yield f"{AS_DECIDED.lower()} of {one.name}", one.sensitivity, other.sensitivity


def _by(loss: Loss) -> tuple[bool, float]:
    """Of all images the share that is called rightly stands first, whatever else falls more."""
    return bool(loss.group) or loss.what != RIGHT, loss.after - loss.before
