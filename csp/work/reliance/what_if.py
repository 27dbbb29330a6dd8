"""What the model would say with some neurons off, of one picture and of all: exact behind a linear head.

seen = behind_head(run)                                # csp.work.reliance.heads
what_if(seen, activations, neurons)                    # Without: .before .after, for one picture
flips(run, seen, neurons)                              # the probe images whose decision changes
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from csp.keeping.run_folder.run import Run
from csp.keeping.spreadsheet import guarded
from csp.method.reliance import Link, outputs_of, random_groups
from csp.work.models.probe_images import ProbeImage
from csp.work.models.reopen import run_target
from csp.work.reliance.concepts import Concept, Shown
from csp.work.reliance.heads import BehindHead

SURE = 0.5
"""From here on an independent label is said to hold."""
GROUPS, SEED = 50, 0
COLUMNS = ("image", "path", "label", "shows_it", "before", "before_value", "after", "after_value")


@dataclass(frozen=True, eq=False)
class Without:
    """What the model says of one picture, and what it would say."""

    before: Float64[np.ndarray, " classes"]
    after: Float64[np.ndarray, " classes"]


@dataclass(frozen=True)
class Flip:
    """A probe image of which the model would say something else."""

    image: int
    before: str
    before_value: float
    """What the model gives this class now."""
    after: str
    after_value: float
    """What it would give the class that it would say then."""
    shows: bool | None
    """Whether the image shows the concept; None where nobody says."""


@dataclass(frozen=True)
class Flips:
    """All of them: first those of the images looked at, then the others; those that change most first."""

    images: tuple[Flip, ...]
    of_those_that_show: bool
    """Whether only images that show the concept were looked at; else all, as none is known to."""
    looked_at: int
    called: Counter[str]
    """Of the images looked at, how many are called each class now and would not be."""
    by_chance: float
    """So many of them flip on average with as many other neurons off, drawn by chance."""
    others: int
    """Images that flip among those which do not show it, or of which nobody says."""
    others_by_chance: float
    """So many of those flip on average with as many other neurons off."""


def what_if(seen: BehindHead, activations: Float[np.ndarray, " c"], neurons: Sequence[int]) -> Without:
    """For a picture with these pooled activations of the layer that the head reads."""
    logits = seen.head.logits(activations[None])
    held = logits - seen.head.added(activations[None], neurons) + seen.usual_added(neurons)
    return Without(outputs_of(logits, seen.head.link)[0], outputs_of(held, seen.head.link)[0])


def movers(
    seen: BehindHead, found: Sequence[Concept], activations: Float[np.ndarray, " c"]
) -> tuple[tuple[Concept, Without], ...]:
    """The concepts with neurons in that layer, each with what switching it off does, the strongest first."""
    moved = [(one, what_if(seen, activations, one.of(seen.layer))) for one in found if one.of(seen.layer)]
    return tuple(sorted(moved, key=lambda pair: -float(np.abs(pair[1].after - pair[1].before).max())))


def flips(run: Run, seen: BehindHead, neurons: Sequence[int], shown: Shown) -> Flips:
    """The probe images of which the model would say something else with these neurons at their mean."""
    before, after, link = seen.outputs, seen.without(neurons), seen.head.link
    turned = _turned(before, after, link) & seen.usable[:, None]
    looked_at = np.asarray((shown.on if shown.on.any() else np.ones_like(shown.on)) & seen.usable)
    order = np.lexsort((-np.abs(after - before).max(axis=1), ~looked_at))
    found = [
        _flip(run, image, place, (before[image], after[image]), shown, link)
        for image in order[turned[order].any(axis=1)].tolist()
        for place in np.flatnonzero(turned[image]).tolist()
        if link != "softmax" or place == before[image].argmax()
    ]
    groups = random_groups(len(seen.usual), len(neurons), neurons, np.random.default_rng(SEED), GROUPS)
    random = [
        _turned(before, one, link).any(axis=1) & seen.usable for one in seen.without_each(groups.tolist())
    ]
    by_chance, others_by_chance = (
        float(np.mean([one[rows].sum() for one in random])) for rows in (looked_at, ~looked_at)
    )
    called = Counter(one.before for one in found if looked_at[one.image])
    others = len({one.image for one in found if not looked_at[one.image]})
    return Flips(
        tuple(found),
        bool(shown.on.any()),
        int(looked_at.sum()),
        called,
        by_chance,
        others,
        others_by_chance,
    )


def _turned(
    before: Float[np.ndarray, "n classes"], after: Float[np.ndarray, "n classes"], link: Link
) -> Bool[np.ndarray, "n classes"]:
    """The classes that are said in one of the two only; a model that gives plain numbers says none."""
    if link == "none":
        return np.zeros(before.shape, dtype=bool)
    turned: Bool[np.ndarray, "n classes"] = _says(before, link) != _says(after, link)
    return turned


def _says(outputs: Float[np.ndarray, "n classes"], link: Link) -> Bool[np.ndarray, "n classes"]:
    if link == "softmax":
        return np.asarray(outputs.argmax(axis=1)[:, None] == np.arange(outputs.shape[1]))
    return np.asarray(outputs >= SURE)


def _flip(
    run: Run, image: int, place: int, values: tuple[np.ndarray, np.ndarray], shown: Shown, link: Link
) -> Flip:
    before, after = values
    names, then = run.manifest.classes, int(after.argmax()) if link == "softmax" else place
    shows = True if shown.on[image] else False if shown.off[image] else None

    def said(which: int, value: float) -> str:
        return names[which] if link == "softmax" or value >= SURE else f"not {names[which]}"

    own, other = float(before[place]), float(after[then])
    return Flip(image, said(place, own), own, said(then, other), other, shows)


def as_csv(run: Run, found: Flips) -> str:
    """One row a flip, as text that spreadsheets open safely."""
    images, out = run.images, io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in found.images:
        row = images.iloc[one.image]
        shows = "" if one.shows is None else str(one.shows).lower()
        own = [row[name] if isinstance(row[name], str) else "" for name in ("path", "label")]
        cells = [
            one.image,
            *own,
            shows,
            one.before,
            f"{one.before_value:.6f}",
            one.after,
            f"{one.after_value:.6f}",
        ]
        writer.writerow([guarded(cell) for cell in cells])
    return out.getvalue()


def picture_activations(run: Run, layer: str, picture: ProbeImage) -> Float32[np.ndarray, " c"]:
    """What a picture of one's own makes the neurons of a layer do; UnavailableError without the model."""
    target = run_target(run).on([picture.beside])
    batch = target.model.preprocess(picture.image)[None]
    with target.lock:
        found: Float32[np.ndarray, " c"] = target.model.run(batch, [layer]).activations[layer][0]
    return found
