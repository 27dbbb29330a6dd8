"""The facets of a neuron: what the machine says of each, with pictures of its own.

facets(explorer, "layer4", 17)                  # a tuple of FacetView; most neurons have one
stored_facets(explorer, "layer4", 17)           # what came with the run, without working anything out
measure_facets(explorer)                        # works out what the run lacks, and keeps it with the run
facets_in_words(found)                          # "dark corners, also blue-white veil"
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from csp.keeping.run_folder.added_tables import Additions
from csp.method.examples.outlying import steady
from csp.method.examples.select import contrasted, select_examples, top_images
from csp.method.facets import Facet, split_facets
from csp.method.labelers.registry import FIRST, LABELERS, best_labels
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.explorer.views import Pair
from csp.work.labels.absence import absence
from csp.work.labels.rows import LabelRow
from csp.work.labels.scorer import TOP, Scorer, labelers_code
from csp.work.labels.stored_facets import FACETS, StoredFacet, facet_rows
from csp.work.labels.synonyms import SAME
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.progress import Report, Stage, silent

BATCH = 64
"""Neurons whose facets are kept together; a stopped job loses no more."""


@dataclass(frozen=True)
class FacetView:
    """One of the things that a neuron looks for."""

    labels: tuple[LabelRow, ...]
    """The text that names it, then the labeler's best for it; of a lacking thing they begin with "no "."""
    absent: bool
    """Whether the neuron fires where the thing is lacking."""
    share: float
    """How much of the firing on held-out images it explains beyond the facets before it, in [0, 1]."""
    by_chance: float
    """The same where the activations are shuffled."""
    clear: float
    """AUROC on held-out images that show no other facet; 0.5 is chance."""
    pairs: tuple[Pair, ...]
    """Its own activating examples, each beside its contrastive one."""

    @property
    def label(self) -> str:
        """The text that names it."""
        return self.labels[0].label


class Named(Protocol):
    """A facet."""

    @property
    def label(self) -> str:
        """The text that names it."""


def facets(
    explorer: Explorer,
    layer: str,
    neuron: int,
    options: ExampleOptions | None = None,
    method: str = FIRST,
    top: int = TOP,
) -> tuple[FacetView, ...]:
    """The facets of a neuron by one labeler, that of its first label first; kept once they are known.

    None for a neuron that never fires or does not vary, and without a vocabulary. Raises NotFoundError for a
    neuron that does not exist.
    """
    own, kept_labels = explorer.options(), max(top, TOP)
    asked = options or own
    explorer.run.activations(layer, neuron)  # NotFoundError
    scorer = explorer.scorer
    if scorer is None:
        return ()
    if asked == own and method == FIRST and kept_labels == TOP:
        stored = explorer.stored_facets.of(layer).get(neuron)
        if stored is not None:
            return _views(explorer, layer, neuron, stored, asked, top)

    def compute() -> list[dict[str, Any]]:
        found = _split(explorer, scorer, layer, neuron, asked, method, kept_labels)
        rows = facet_rows(layer, neuron, found).to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in rows]

    question = {"layer": layer, "neuron": neuron, "options": asked.as_json(), "method": method}
    question["top"] = kept_labels
    kept = explorer.cache.get_or_compute(
        question | {"labelers": labelers_code()}, compute, model=explorer.run.manifest.encoder
    )
    return _views(explorer, layer, neuron, map(StoredFacet.of_row, kept.value), asked, top)


def stored_facets(explorer: Explorer, layer: str, neuron: int) -> tuple[FacetView, ...]:
    """The facets that are kept with the run; none where they were not worked out."""
    stored = explorer.stored_facets.of(layer).get(neuron, ())
    return _views(explorer, layer, neuron, stored, explorer.options(), TOP)


def measure_facets(
    explorer: Explorer,
    report: Report = silent,
    *,
    layers: Sequence[str] | None = None,
    in_place: bool = False,
) -> None:
    """Keep the facets of the layers (None: all) with the run, where they are missing; a stopped job goes on.

    Nothing happens to a run whose first labels are not those of `FIRST`.
    """
    scorer, additions = explorer.scorer, Additions(explorer.run, in_place=in_place)
    for layer in explorer.run.layers if layers is None else layers:
        if scorer is None or explorer.stored_labels.first_labeler(layer) != FIRST:
            continue
        known = explorer.stored_facets.of(layer)
        missing = [one for one in explorer.stored_labels.first_labels(layer) if one not in known]
        stage = Stage(f"facets of {layer}", len(missing), report)
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            rows = [
                facet_rows(
                    layer, neuron, _split(explorer, scorer, layer, neuron, explorer.options(), FIRST, TOP)
                )
                for neuron in part
            ]
            additions.append(FACETS, pd.concat(rows, ignore_index=True))
            stage.reached(start + len(part))
    additions.compact(FACETS)


def facets_in_words(found: Sequence[Named]) -> str:
    """All of a neuron's things in one line: "dark corners, also blue-white veil"."""
    return ", also ".join(one.label for one in found)


def _split(
    explorer: Explorer,
    scorer: Scorer,
    layer: str,
    neuron: int,
    options: ExampleOptions,
    method: str,
    top: int,
) -> tuple[StoredFacet, ...]:
    activations = steady(explorer.run.activations(layer, neuron), explorer.run.outlying(layer))

    def scores(values: np.ndarray) -> np.ndarray:
        values = values.astype(np.float32)
        examples = select_examples(
            values,
            explorer.run.embeddings,
            options.k,
            reuse=options.reuse,
            neighbours=explorer.run.neighbours,
            rule=options.contrast,
        )
        evidence = scorer.evidence(layer, values, examples, (method,))
        return LABELERS[method](evidence, scorer.text_embeddings, options.gamma)

    found = split_facets(activations, scorer.modes, scores, scorer.selection, SAME)
    return tuple(_stored(explorer, activations, facet, options.k, top) for facet in found)


def _stored(explorer: Explorer, activations: np.ndarray, facet: Facet, k: int, top: int) -> StoredFacet:
    texts = run_vocabulary(explorer.run).texts
    best, _ = best_labels(facet.scores, top)
    order = [facet.text, *(text for text in best.tolist() if text != facet.text)][:top]
    return StoredFacet(
        tuple(
            LabelRow(absence(texts[text]) if facet.absent else texts[text], float(facet.scores[text]), rank)
            for rank, text in enumerate(order, 1)
        ),
        facet.absent,
        facet.share,
        facet.by_chance,
        facet.clear,
        top_images(np.where(facet.images, activations, np.nan).astype(np.float32), k),
    )


def _views(
    explorer: Explorer,
    layer: str,
    neuron: int,
    found: Iterable[StoredFacet],
    options: ExampleOptions,
    top: int,
) -> tuple[FacetView, ...]:
    activations = steady(explorer.run.activations(layer, neuron), explorer.run.outlying(layer))

    def pairs(one: StoredFacet) -> tuple[Pair, ...]:
        examples = contrasted(
            activations,
            explorer.run.embeddings,
            one.activating,
            reuse=options.reuse,
            neighbours=explorer.run.neighbours,
            rule=options.contrast,
        )
        return explorer.images.pairs(examples)

    return tuple(
        FacetView(one.labels[:top], one.absent, one.share, one.by_chance, one.clear, pairs(one))
        for one in found
    )
