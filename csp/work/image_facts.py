"""What the screen says of a probe image, read once from the run's table of images."""

from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool

from csp.keeping.run import Run
from csp.method.examples import Examples
from csp.work.views import ImageFacts, Pair


class ImageIndex:
    """Facts by image number."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def facts(self, image: int) -> ImageFacts:
        """What is known of one image."""
        path, label, split, prediction = (column[image] for column in self._columns)
        names = tuple(
            name for name, holds in zip(self._run.attributes, self._truth[image], strict=True) if holds
        )
        return ImageFacts(image, _text(path), _text(label), split or "", _text(prediction), names)

    def pairs(self, examples: Examples) -> tuple[Pair, ...]:
        """The pairs of one neuron's examples, in order."""
        contrastive = examples.contrastive.tolist()
        return tuple(
            self._pair(examples, place, contrastive.count(contrastive[place]))
            for place in range(len(contrastive))
        )

    def _pair(self, examples: Examples, place: int, uses: int) -> Pair:
        activating = self.facts(int(examples.activating[place]))
        activation = float(examples.activation[place])
        twin = int(examples.contrastive[place])
        if twin < 0:
            return Pair(activating, activation, None, None, None, None)
        return Pair(
            activating,
            activation,
            self.facts(twin),
            float(examples.contrastive_activation[place]),
            float(examples.similarity[place]),
            uses,
        )

    @cached_property
    def _columns(self) -> list[list[Any]]:
        images = self._run.images
        return [images[name].tolist() for name in ("path", "label", "split", "prediction")]

    @cached_property
    def _truth(self) -> Bool[np.ndarray, "n a"]:
        images = self._run.images
        columns = [images[name].fillna(False).to_numpy(dtype=bool) for name in self._run.attributes]
        return np.stack(columns, axis=1) if columns else np.zeros((len(images), 0), dtype=bool)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
