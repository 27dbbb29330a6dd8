"""Does the run's encoder know the field? Measured on the run itself.

sight = encoder_sight(explorer)             # kept; None: no vocabulary, so nothing is named
sight.share                                 # 0 (blind) to 1: for `chance` to fall with
sight.near_blind, sight.sentence            # what every page then says
sight.told                                  # AUROC of the texts that name what the dataset states
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.metrics.ground_truth import RARE
from csp.method.metrics.statistics import auroc
from csp.method.sight import BesideChance, auroc_interval, class_share, image_deviation, text_deviation
from csp.work.control.control import CONTROL, label_fits
from csp.work.explorer.explorer import Explorer
from csp.work.labels.stored import LATER
from csp.work.labels.vocabulary import run_vocabulary

HARDLY_KNOWS = "The encoder hardly knows these pictures, so labels are little better than guesses"
NEAR_BLIND = 0.3
"""Below this share the encoder counts as near blind: texts tell what they name at a mean AUROC below 0.65."""
FULL_FIT = 0.5
"""A median correlation of first labels with the firing, beyond noise, from which on nothing is held against
an encoder of which the dataset tells nothing. Chosen, not fitted: the demo's is 0.58."""


@dataclass(frozen=True)
class Told:
    """How well the texts that name one thing tell the images that show it, by what the dataset states."""

    name: str
    texts: int
    cases: int
    """Images that show it, of those for which it is known."""
    auroc: float
    low: float
    high: float


@dataclass(frozen=True)
class Sight:
    """What an encoder sees in the images of a run of what the vocabulary names."""

    told: tuple[Told, ...]
    """One for each attribute or class that the dataset states and a text names; rare ones are left out."""
    between_images: BesideChance
    """How much a text's cosine differs between images, beside texts along other directions."""
    between_texts: float
    """How much an image's cosine differs between texts."""
    by_class: BesideChance | None
    """Share of the cosines' variance over images that lies between classes; None where none are stated."""
    fit: float | None
    """Median correlation of first labels with the firing beyond noise, the best layer's; None: not asked, as
    the dataset tells, or not known."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for commands."""
        share = {"share": self.share, "near_blind": self.near_blind}
        return share | asdict(self)

    @property
    def auroc(self) -> float:
        """The mean AUROC over all that is told; NaN where nothing is."""
        return float(np.mean([one.auroc for one in self.told])) if self.told else float("nan")

    @property
    def share(self) -> float:
        """How much the encoder sees, from 0 (blind) to 1.

        Where the dataset tells: 2 (mean AUROC - 1/2). Else, a weaker sign: how well first labels go with the
        firing beyond noise, as a share of `FULL_FIT`; 0 where a text's cosine differs no more between images
        than chance gives. A `chance` that was fitted with encoders that see should fall with this number.
        """
        if self.told:
            return float(np.clip(2 * (self.auroc - 0.5), 0.0, 1.0))
        if not self.between_images.above:
            return 0.0
        return 1.0 if self.fit is None else float(np.clip(self.fit / FULL_FIT, 0.0, 1.0))

    @property
    def near_blind(self) -> bool:
        """Whether labels can hardly be right, as the encoder tells hardly anything in these images."""
        return self.share < NEAR_BLIND

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        if self.told:
            things = f"{len(self.told)} thing{'' if len(self.told) == 1 else 's'}"
            return (
                f"Texts tell the {things} that the dataset states at AUROC {self.auroc:.2f} on the average "
                "(0.50 is guessing)"
            )
        if not self.between_images.above:
            return "How well a text fits differs between the images no more than by chance"
        if self.fit is None:
            return "Neither the dataset nor the labels tell how much the encoder sees"
        return f"First labels go with the firing at a correlation of {self.fit:.2f} beyond noise"

    @property
    def number(self) -> str:
        """The same for where there is one line."""
        if self.told:
            return f"AUROC of texts {self.auroc:.2f}"
        if not self.between_images.above:
            return "Texts fit by chance"
        return self.sentence if self.fit is None else f"Fit of labels {self.fit:.2f}"


def encoder_sight(explorer: Explorer) -> Sight | None:
    """What the run's encoder sees, kept until labels or control change; None without a vocabulary."""
    if explorer.run.text_embeddings is None or not len(explorer.run.vocabulary):
        return None
    additions = Additions(explorer.run)
    asked = {"control": [*additions.version(CONTROL), *additions.version(LATER)]}

    def compute() -> dict[str, Any]:
        return _measured(explorer).as_json()

    return _sight(explorer.cache.get_or_compute(asked, compute).value)


def _measured(explorer: Explorer) -> Sight:
    run, rng = explorer.run, np.random.default_rng(explorer.run.manifest.parameters.seed)
    images, texts = run.embeddings, run_vocabulary(run).embeddings
    told = tuple(_told(run))
    labels = run.images["label"]
    known = labels.notna().to_numpy() & (labels != "").to_numpy()
    codes, classes = pd.factorize(labels.where(known))
    return Sight(
        told=told,
        between_images=image_deviation(images, texts, rng),
        between_texts=text_deviation(images, texts),
        by_class=class_share(images, texts, codes.astype(np.int64), rng) if len(classes) > 1 else None,
        fit=None if told else _fit(explorer),
    )


def _fit(explorer: Explorer) -> float | None:
    """The best layer's median fit of first labels beyond what noise gives; None where no layer tells."""
    found = [label_fits(explorer, layer) for layer in explorer.run.layers]
    return max((float(one.fits.median()) - one.noise.mean for one in found if one), default=None)


def _told(run: Run) -> Iterator[Told]:
    """Of each attribute, then of each class, that can be judged: not for one with few images or no text."""
    vocabulary, table, said = run_vocabulary(run), run.images, _said(run)
    for name in run.attributes:
        known = table[name].notna().to_numpy()
        yield from _judged(run, name, said, table[name].fillna(False).to_numpy(dtype=bool), known)
    labels = table["label"]
    known = labels.notna().to_numpy() & (labels != "").to_numpy()
    for name in labels[known].unique():
        if vocabulary.row(str(name)) is not None:
            yield from _judged(run, str(name), said, (labels == name).to_numpy(), known)


def _judged(
    run: Run,
    name: str,
    said: Mapping[str, list[int]],
    truth: Bool[np.ndarray, " n"],
    known: Bool[np.ndarray, " n"],
) -> Iterator[Told]:
    texts, shown = said.get(name) or _naming(run, name), truth[known]
    positives, negatives = int(shown.sum()), int((~shown).sum())
    if texts and min(positives, negatives) >= RARE:
        likeness = (run.embeddings @ run_vocabulary(run).embeddings[texts].mean(axis=0))[known]
        value = auroc(likeness, shown)
        yield Told(name, len(texts), positives, value, *auroc_interval(value, positives, negatives))


def _said(run: Run) -> dict[str, list[int]]:
    """By attribute the rows of the texts that name it and nothing else, as far as the vocabulary says."""
    rows: dict[str, list[int]] = {}
    for row, names in enumerate(run.vocabulary["attributes"].tolist()):
        if len(names) == 1:
            rows.setdefault(names[0], []).append(row)
    return rows


def _naming(run: Run, name: str) -> list[int]:
    """The row of the text that is this name, word by word."""
    word = run_vocabulary(run).row(name.replace("_", " "))
    return [] if word is None else [word]


def _sight(found: dict[str, Any]) -> Sight:
    by_class = found["by_class"]
    return Sight(
        told=tuple(Told(**one) for one in found["told"]),
        between_images=BesideChance(**found["between_images"]),
        between_texts=found["between_texts"],
        by_class=None if by_class is None else BesideChance(**by_class),
        fit=found["fit"],
    )
