"""The facets of a neuron: what the machine says of each, with pictures of its own.

facets(explorer, "layer4", 17)                  # a tuple of FacetView; most neurons have one
facets_in_words(found)                          # "dark corners, also blue-white veil"
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from csp.method.examples.select import contrasted, select_examples, top_images
from csp.method.facets import Facet, split_facets
from csp.method.labelers.registry import FIRST, LABELERS, best_labels
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.explorer.serialise import examples_from_json, examples_to_json
from csp.work.explorer.views import Pair
from csp.work.labels.rows import LabelRow
from csp.work.labels.scorer import TOP, labelers_code
from csp.work.labels.synonyms import SAME
from csp.work.labels.vocabulary import run_vocabulary


@dataclass(frozen=True)
class FacetView:
    """One of the things that a neuron looks for."""

    labels: tuple[LabelRow, ...]
    """The text that names it, then the labeler's best for it; of a lacking thing they begin with "no "."""
    absent: bool
    """Whether the neuron fires where the thing is lacking."""
    share: float
    """How much of the firing on held-out images it explains beyond the facets before it, in [0, 1]."""
    clear: float
    """AUROC on held-out images that show no other facet; 0.5 is chance."""
    pairs: tuple[Pair, ...]
    """Its own activating examples, each beside its contrastive one."""

    @property
    def label(self) -> str:
        """The text that names it."""
        return self.labels[0].label


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
    asked = options or explorer.options()
    kept_labels = max(top, TOP)
    activations, scorer = explorer.run.activations(layer, neuron), explorer.scorer
    if scorer is None:
        return ()

    def compute() -> list[dict[str, Any]]:
        def scores(values: np.ndarray) -> np.ndarray:
            values = values.astype(np.float32)
            examples = select_examples(
                values,
                explorer.run.embeddings,
                asked.k,
                reuse=asked.reuse,
                neighbours=explorer.run.neighbours,
                rule=asked.contrast,
            )
            evidence = scorer.evidence(layer, values, examples)
            return LABELERS[method](evidence, scorer.text_embeddings, asked.gamma)

        found = split_facets(
            activations, explorer.run.embeddings, scorer.text_embeddings, scores, scorer.selection, SAME
        )
        return [_to_json(explorer, activations, facet, asked, kept_labels) for facet in found]

    question = {"layer": layer, "neuron": neuron, "options": asked.as_json(), "method": method}
    question["top"] = kept_labels
    kept = explorer.cache.get_or_compute(
        question | {"labelers": labelers_code()}, compute, model=explorer.run.manifest.encoder
    )
    return tuple(_view(explorer, one, top) for one in kept.value)


def facets_in_words(found: Sequence[FacetView]) -> str:
    """All of a neuron's things in one line: "dark corners, also blue-white veil"."""
    return ", also ".join(one.label for one in found)


def _to_json(
    explorer: Explorer, activations: np.ndarray, facet: Facet, options: ExampleOptions, top: int
) -> dict[str, Any]:
    texts = run_vocabulary(explorer.run).texts
    best, _ = best_labels(facet.scores, top)
    order = [facet.text, *(text for text in best.tolist() if text != facet.text)][:top]
    no = "no " if facet.absent else ""
    own = top_images(np.where(facet.images, activations, np.nan).astype(np.float32), options.k)
    examples = contrasted(
        activations,
        explorer.run.embeddings,
        own,
        reuse=options.reuse,
        neighbours=explorer.run.neighbours,
        rule=options.contrast,
    )
    return {
        "labels": [
            asdict(LabelRow(f"{no}{texts[text]}", float(facet.scores[text]), rank))
            for rank, text in enumerate(order, 1)
        ],
        "absent": facet.absent,
        "share": facet.share,
        "clear": facet.clear,
        "examples": examples_to_json(examples),
    }


def _view(explorer: Explorer, kept: dict[str, Any], top: int) -> FacetView:
    return FacetView(
        tuple(LabelRow(**row) for row in kept["labels"][:top]),
        kept["absent"],
        kept["share"],
        kept["clear"],
        explorer.images.pairs(examples_from_json(kept["examples"])),
    )
