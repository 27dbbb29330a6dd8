"""What the screen says of a probe image, read once from the run's table of images."""

from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

from csp.keeping.run_folder.run import Run
from csp.method.examples.select import Examples
from csp.work.explorer.views import ImageFacts, Pair
from csp.work.labels.vocabulary import shown_name

CLASSES = 6
"""More classes than this can't be told apart by colour."""


class ImageIndex:
    """Facts by image number."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def facts(self, image: int) -> ImageFacts:
        """What is known of one image."""
        path, label, split, prediction = (column[image] for column in self._columns)
        names = tuple(name for name, holds in zip(self._attributes, self._truth[image], strict=True) if holds)
        return ImageFacts(
            image,
            _text(path),
            _text(label),
            split or "",
            _text(prediction),
            names,
            self._probability(image, prediction),
        )

    @cached_property
    def classes(self) -> tuple[tuple[str, ...], Int64[np.ndarray, " n"]]:
        """The most frequent true classes, at most `CLASSES`, and by image the place of its class among them;
        their number stands for any other class, one more for an image without a class.
        """
        labels = self._run.images["label"]
        names = tuple(map(str, labels.value_counts().index[:CLASSES]))
        by_name = {name: code for code, name in enumerate(names)}
        known = labels.notna().to_numpy(dtype=bool)
        codes = labels.map(by_name).fillna(len(names)).to_numpy(dtype=np.int64)
        return names, np.where(known, codes, len(names) + 1)

    def pairs(self, examples: Examples) -> tuple[Pair, ...]:
        """The pairs of one neuron's examples, in order."""
        contrastive = examples.contrastive.tolist()
        return tuple(
            self._pair(examples, rank, contrastive.count(contrastive[rank]))
            for rank in range(len(contrastive))
        )

    def _pair(self, examples: Examples, rank: int, uses: int) -> Pair:
        activating = self.facts(int(examples.activating[rank]))
        activation = float(examples.activation[rank])
        contrastive = int(examples.contrastive[rank])
        if contrastive < 0:
            return Pair(activating, activation, None, None, None, None)
        return Pair(
            activating,
            activation,
            self.facts(contrastive),
            float(examples.contrastive_activation[rank]),
            float(examples.similarity[rank]),
            uses,
        )

    def _probability(self, image: int, prediction: Any) -> float | None:
        """What the target model gave to the class that it predicted, where the run says so."""
        probabilities, classes = self._run.probabilities, self._run.manifest.classes
        if probabilities is None or prediction not in classes:
            return None
        return float(probabilities[image, classes.index(prediction)])

    @cached_property
    def _columns(self) -> list[list[Any]]:
        images = self._run.images
        return [images[name].tolist() for name in ("path", "label", "split", "prediction")]

    @cached_property
    def _attributes(self) -> tuple[str, ...]:
        return tuple(shown_name(self._run, name) for name in self._run.attributes)

    @cached_property
    def _truth(self) -> Bool[np.ndarray, "n a"]:
        images = self._run.images
        columns = [images[name].fillna(False).to_numpy(dtype=bool) for name in self._run.attributes]
        return np.stack(columns, axis=1) if columns else np.zeros((len(images), 0), dtype=bool)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
