"""An opened run: its layers, neurons, images, measures and reviews, as pandas frames."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from csp.api.checks import at_least_one, place, whole_number
from csp.api.checks import words as a_text
from csp.api.display import facts_html, stored_image
from csp.api.neuron import OpenedNeuron
from csp.errors import BadInputError
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.normalise import together
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import VERDICTS, Action
from csp.method.labelers.registry import FIRST
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.metrics.evaluate import evaluate
from csp.work.metrics.protocol import MetricRequest
from csp.work.metrics.results import FAITHFULNESS, faithfulness
from csp.work.neurons.concepts_across import concepts_across
from csp.work.neurons.search import Match, parse_query, search_like, search_picture
from csp.work.neurons.search_reviewed import search_reviewed
from csp.work.neurons.selection import choose_neurons
from csp.work.progress import Report, silent
from csp.work.reliance.reliance import reliance
from csp.work.reliance.rows import COLUMNS, rows_of
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.reviews.recalibrated import recalibrated_chances
from csp.work.runs.listing import describe_runs, looked_at

TOP = 10


def open_run(run: str | Path) -> "OpenedRun":
    """Open a run: the name of one in `cache/runs/` or shipped (`demo`), or a folder.

    Raises NotFoundError, which says what runs there are, or BadRunError for a folder that is no sound run.
    """
    return OpenedRun(open_explorer(place(run, "the run")))


def runs() -> pd.DataFrame:
    """The runs that have a name, one row each; `problem` says why a damaged one can't be opened."""
    return pd.DataFrame(describe_runs())


class OpenedRun:
    """One run. What is asked is read or worked out then; no model is loaded unless a question needs it."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self._desk = ReviewDesk(explorer.run, open_reviews())

    @property
    def name(self) -> str:
        """The name by which commands and links find the run."""
        return self.explorer.run.name

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.explorer.run.path

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers."""
        return self.explorer.run.layers

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the target model; empty where it has none."""
        return tuple(self.explorer.run.manifest.classes)

    @property
    def images(self) -> pd.DataFrame:
        """One row a probe image, in the order of all arrays."""
        return self.explorer.run.images

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The label texts; empty without a vocabulary."""
        return tuple(self.explorer.run.vocabulary["text"])

    def image(self, image: int) -> Image.Image:
        """The picture of one probe image, as large as the run holds it (longest side 448 pixels).

        Raises NotFoundError for an image that does not exist or a run made without pictures.
        """
        return stored_image(self.explorer.run, whole_number(image, "the image"))

    def neurons(self, layer: str) -> pd.DataFrame:
        """One row a neuron, with its state, statistics and the first label that the machine suggests.

        The column chance is how likely that label is to be true; NaN where that is not known.
        """
        frame = self.explorer.neurons(layer).frame
        found = recalibrated_chances(self.explorer.run, layer, self._desk)
        return frame.assign(chance=found.chances[frame["neuron"]])

    def neuron(
        self,
        layer: str,
        neuron: int,
        *,
        examples: int | None = None,
        gamma: float | None = None,
        reuse: bool | None = None,
        contrast: str | None = None,
    ) -> OpenedNeuron:
        """One neuron; what is left None is the run's own.

        `contrast` says which images may be contrastive examples: `mean`, `quantile:0.1`, `neighbours:5`, ...
        Raises NotFoundError for a layer or neuron that the run lacks, BadInputError for options out of range.
        """
        neuron = whole_number(neuron, "the neuron")
        examples = None if examples is None else whole_number(examples, "the number of examples")
        self._desk.check(layer, neuron)
        options = self.explorer.options(examples, gamma, reuse, contrast)
        return OpenedNeuron(self.explorer, self._desk, layer, neuron, options)

    def search(
        self,
        words: str | None = None,
        *,
        image: Image.Image | None = None,
        like: OpenedNeuron | None = None,
        layer: str | None = None,
        top: int = TOP,
    ) -> pd.DataFrame:
        """The neurons that fit words ("blue-white veil, -ruler"), an image, or another neuron, best first.

        Columns layer, neuron, label (the machine's), score and reason; no row where nothing fits the words.
        Words of the vocabulary need no model; UnavailableError where one is needed that can't be loaded here.
        """
        if sum(asked is not None for asked in (words, image, like)) != 1:
            raise BadInputError("give one thing to search by: words, image= or like=")
        layers = self.layers if layer is None else (self.explorer.run.layer(layer).layer,)
        top = at_least_one(top, "neurons")
        if words is not None:
            query = parse_query(a_text(words, "the search"))
            found = search_reviewed(self.explorer, layers, query, {}, top).matches
        elif image is not None:
            found = search_picture(self.explorer, layers, image.convert("RGB"), top)
        else:
            assert like is not None
            found = search_like(self.explorer, layers, like.layer, like.neuron, top)
        labels = {name: self.explorer.stored_facets.machine_labels(name) for name in layers}
        return pd.DataFrame(
            [_row(match, labels) for match in found], columns=["layer", "neuron", "label", "score", "reason"]
        )

    def metrics(self, layer: str) -> pd.DataFrame:
        """What was measured of each neuron and of its first label; NaN where nothing was."""
        return faithfulness(self.explorer, layer)

    def evaluate(
        self,
        metric: str,
        *,
        methods: tuple[str, ...] = (FIRST,),
        layer: str | None = None,
        neurons: str = "all",
        report: Report = silent,
    ) -> pd.DataFrame:
        """Measure labels or neurons as `csp evaluate` does, and keep the results; one row a number.

        `neurons` as the commands take them: `all`, `17`, `0:200` or `3,17`. What was measured already is not
        measured again. Raises BadInputError for an unknown metric or labeler and what the run lacks.
        """
        layers = self.layers if layer is None else (self.explorer.run.layer(layer).layer,)
        chosen = {
            name: choose_neurons(neurons, name, self.explorer.run.layer(name).neurons) for name in layers
        }
        request = MetricRequest(metric, methods, self.explorer.options(), chosen)
        return evaluate(self.explorer, request, report).rows[list(FAITHFULNESS.columns)]

    def reliance(self, *concepts: str, by: str | None = None, report: Report = silent) -> pd.DataFrame:
        """What the model leans on: one row a concept and class, the concept that changes most first.

        `with` and `without`: mean change of the class's probability with the concept's neurons switched off,
        on held-out images that show it and on those that do not, each with its interval and number of images;
        `random_low` to `random_high`: what random groups of as many neurons give; `leans`: whether it is more
        than that, and enough to matter. `by` adds a row for each part of a column of the dataset. Raises
        BadInputError for a run without class probabilities, NotFoundError for a concept or column that it
        lacks.
        """
        names = [a_text(name, "the concept") for name in concepts] or None
        column = None if by is None else a_text(by, "the column")
        found = reliance(self.explorer, self._desk.states(), names, by=column, report=report)
        return pd.DataFrame(list(rows_of(found)), columns=list(COLUMNS))

    def concepts_against(self, other: "OpenedRun") -> pd.DataFrame:
        """Which neurons of each concept another run still has: one row a concept.

        Columns concept, in_a, in_b, kept, other_label, gone, new (numbers of neurons), change_a and change_b
        (of the class that moves most with them off; NaN where that is not known). Neurons are matched by how
        they fire on shared images. Raises BadInputError where that is not possible.
        """
        found = concepts_across(self.explorer, self._desk.states(), other.explorer, other._desk.states())
        rows = [
            (
                *(one.name, one.in_a, one.in_b, one.kept, one.other_label, len(one.gone), len(one.new)),
                *(np.nan if effect is None else effect.change for effect in (one.effect_a, one.effect_b)),
            )
            for one in found.concepts
        ]
        names = ("concept", "in_a", "in_b", "kept", "other_label", "gone", "new", "change_a", "change_b")
        return pd.DataFrame(rows, columns=list(names))

    def reviews(self) -> pd.DataFrame:
        """One row a neuron that people judged: verdict, label in force, who, whether it is disputed."""
        return self._desk.overview()

    def review(
        self,
        neuron: OpenedNeuron,
        verdict: str,
        *,
        reviewer: str,
        label: str | None = None,
        reason: str = "",
    ) -> None:
        """Record a decision on a neuron: `confirm`, `override` (with `label`), `reject` or `unsure`.

        It joins the append-only record under a name that nobody checked. Raises BadInputError.
        """
        said = Entry(
            layer=neuron.layer,
            neuron=neuron.neuron,
            verdict=_verdict(verdict),
            label=label,
            reason=reason,
            gamma=neuron.options.gamma,
            examples=neuron.options.k,
        )
        self._desk.record(Person(name=reviewer), said)

    def __repr__(self) -> str:
        return f"<run {self.name}: {len(self.images):,} images, layers {', '.join(self.layers)}>"

    def _repr_html_(self) -> str:
        manifest = self.explorer.run.manifest
        facts = {
            "Target model": manifest.target.name,
            "Encoder": manifest.encoder.name,
            "Images": looked_at(manifest),
            "Layers": ", ".join(f"{one.layer} ({one.neurons:,} neurons)" for one in manifest.layers),
            "Labels": f"{len(self.vocabulary):,} texts" if self.vocabulary else "no vocabulary",
            "Made": f"{manifest.created:%Y-%m-%d %H:%M} UTC by CSP Explorer {manifest.csp_version}",
        }
        return facts_html(f"Run {self.name}", facts)


def _verdict(verdict: str) -> Action:
    if verdict not in VERDICTS:
        raise BadInputError(f"there is no verdict {verdict!r}; there are {', '.join(VERDICTS)}")
    return Action(verdict)


def _row(match: Match, labels: Mapping[str, Mapping[int, tuple[str, ...]]]) -> tuple[Any, ...]:
    said = labels[match.layer].get(match.neuron)
    return match.layer, match.neuron, together(said) if said else None, match.score, match.reason
