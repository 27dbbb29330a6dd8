"""One neuron of an opened run: its examples, labels, scores and what people decided."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32
from PIL import Image

from csp.api.checks import at_least_one, words
from csp.api.display import SHOWN, grid_html, side_by_side, stored_image, table_html
from csp.errors import BadInputError
from csp.method.labelers.registry import check_labeler
from csp.work.candidates.read import candidates
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.facets import FacetView, facets
from csp.work.explorer.options import ExampleOptions
from csp.work.explorer.typed_text import score_text
from csp.work.explorer.views import ImageFacts, NeuronView
from csp.work.reviews.desk import ReviewDesk
from csp.work.reviews.label_in_force import LabelInForce, label_in_force
from csp.work.reviews.recalibrated import recalibrated_chances
from csp.world.pictures.grid import picture_grid

PAIRS: dict[Hashable, Any] = {
    "image": "Int64",
    "path": object,
    "activation": "float64",
    "contrastive_image": "Int64",
    "contrastive_path": object,
    "contrastive_activation": "float64",
    "similarity": "float64",
}
"""Columns of `OpenedNeuron.pairs`."""


@dataclass(frozen=True, eq=False)
class OpenedNeuron:
    """A neuron, asked at one choice of examples; `run.neuron(layer, neuron, gamma=0.5)` asks at another.

    Raises what the explorer raises: `CspError`, with a sentence that says what to do.
    """

    explorer: Explorer
    desk: ReviewDesk
    layer: str
    neuron: int
    options: ExampleOptions

    @cached_property
    def view(self) -> NeuronView:
        """All that the neuron page shows."""
        return self.explorer.neuron(self.layer, self.neuron, self.options)

    @property
    def activations(self) -> Float32[np.ndarray, " n"]:
        """The activation on every probe image, in the order of `run.images`."""
        return self.explorer.run.activations(self.layer, self.neuron)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Activating examples, best first, each beside its contrastive example: columns `PAIRS`."""
        rows = [
            (
                pair.activating.image,
                pair.activating.path,
                pair.activation,
                _of(pair.contrastive, "image"),
                _of(pair.contrastive, "path"),
                pair.contrastive_activation,
                pair.similarity,
            )
            for pair in self.view.pairs
        ]
        return pd.DataFrame(rows, columns=list(PAIRS)).astype(PAIRS)

    def labels(self, method: str | None = None, top: int = 5) -> pd.DataFrame:
        """The best texts of the vocabulary by one labeler: columns label and score, best first.

        `method` None is the labeler that the app shows first. Empty for a neuron that never fires and for a
        run without a vocabulary. Raises BadInputError for an unknown labeler.
        """
        name = method or self.explorer.stored_labels.first_labeler(self.layer)
        check_labeler(name)
        top = at_least_one(top, "labels")
        found, _ = self.explorer.labels(self.layer, self.neuron, self.options, top)
        rows = [(row.label, row.score) for row in found.get(name, ())[:top]]
        return pd.DataFrame(rows, columns=["label", "score"]).astype({"label": object, "score": "float64"})

    @cached_property
    def facets(self) -> tuple[FacetView, ...]:
        """The several things that the neuron looks for, each with `.label`, `.labels`, `.share` (of the
        firing on held-out images), `.clear` and `.pairs`; most neurons have one.

        Empty without a vocabulary, and for a neuron that never fires or does not vary.
        """
        return facets(self.explorer, self.layer, self.neuron, self.options)

    @property
    def scores(self) -> pd.DataFrame:
        """Every text among some labeler's best, with the score and rank that each labeler gives it."""
        return pd.DataFrame(
            {
                column: [getattr(one.by.get(name), fact, np.nan) for one in self.view.scores]
                for name in self.view.labels
                for column, fact in ((name, "score"), (f"{name} rank", "rank"))
            },
            index=pd.Index([one.text for one in self.view.scores], name="text"),
        )

    def score(self, text: str, method: str = "csp") -> float:
        """The score of any text by one labeler; csp's, a cosine, needs no other texts to compare with.

        A text that the vocabulary lacks needs the run's encoder: UnavailableError where it can't be loaded.
        """
        check_labeler(method)
        text = words(text, "the label")
        found = score_text(self.explorer, self.layer, self.neuron, text, self.options)
        if method not in found.scores:
            raise BadInputError(
                f"{method} gives no score here: the neuron never fires, or the run has no vocabulary to "
                "compare the text with"
            )
        return found.scores[method].score

    @property
    def candidates(self) -> pd.DataFrame:
        """Texts that a vision-language model or a person proposed: text, source, by and the csp score."""
        found = candidates(self.explorer, self.layer, self.neuron, self.options)
        rows = [
            (one.text, one.source, one.by, one.scores["csp"].score if "csp" in one.scores else np.nan)
            for one in found
        ]
        return pd.DataFrame(rows, columns=["text", "source", "by", "score"])

    @property
    def chance(self) -> float:
        """How likely the machine's first label is to be true, 0 to 1; NaN where that is not known.

        It is of the label that the run suggests at its own examples and gamma, whatever this was asked at.
        """
        return float(recalibrated_chances(self.explorer.run, self.layer, self.desk).chances[self.neuron])

    @property
    def label(self) -> str | None:
        """The label in force: people's newest decision, else the machine's; None where there is none."""
        return self._in_force.text

    @property
    def reviews(self) -> pd.DataFrame:
        """The history of people's decisions, oldest first."""
        events = self.desk.neuron(self.layer, self.neuron).events
        columns = ("at", "reviewer", "verdict", "label", "reason")
        return pd.DataFrame(
            [[getattr(event, name) for name in columns] for event in events], columns=list(columns)
        ).astype({"verdict": str})

    def images(self, kind: str = "activating") -> list[Image.Image]:
        """The pictures of the activating or of the contrastive examples, in the order of `pairs`.

        Raises BadInputError for another kind, NotFoundError where the run holds no pictures.
        """
        return [stored_image(self.explorer.run, image) for image in self._images(kind)]

    def grid(self, kind: str = "activating", rows: int = 3, pixels: int = 384) -> Image.Image:
        """The first `rows` x `rows` of these pictures in one, as a vision-language model is shown them."""
        return picture_grid(self.images(kind)[: rows * rows], rows, pixels, columns=rows)

    def __repr__(self) -> str:
        return f"<neuron {self.neuron} of {self.layer} in {self.explorer.run.name}: {self.label!r}>"

    def _repr_html_(self) -> str:
        run = self.explorer.run
        pairs = self.pairs.head(SHOWN)
        title = f"Neuron {self.neuron} of {self.layer}: {self.label or 'no label'} ({self._in_force.words})"
        alike = pairs.dropna(subset="contrastive_image")
        return side_by_side(
            title,
            grid_html(
                run,
                "Activating examples",
                pairs["image"].tolist(),
                (f"{value:.3g}" for value in pairs["activation"]),
            ),
            grid_html(
                run,
                "Contrastive examples",
                alike["contrastive_image"].tolist(),
                (f"{value:.3g}" for value in alike["contrastive_activation"]),
            ),
            table_html(self.labels()),
            *(f"<p>{escape(sentence)}</p>" for sentence in self.view.sentences),
        )

    @property
    def _in_force(self) -> LabelInForce:
        machine = self.explorer.stored_facets.machine_labels(self.layer).get(self.neuron)
        return label_in_force(machine, self.desk.neuron(self.layer, self.neuron))

    def _images(self, kind: str) -> list[int]:
        columns = {"activating": "image", "contrastive": "contrastive_image"}
        if kind not in columns:
            raise BadInputError(f"there are no {kind!r} examples; there are activating and contrastive ones")
        return [int(image) for image in self.pairs[columns[kind]].dropna()]


def _of(image: ImageFacts | None, name: str) -> Any:
    return None if image is None else getattr(image, name)
