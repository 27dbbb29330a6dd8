"""The best labels of many neurons under one labeler, as commands print them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from csp.errors import BadInputError
from csp.method.labelers.registry import all_scores, check_labeler
from csp.work.candidates.scores import joined_labels
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.facets import facets
from csp.work.explorer.options import ExampleOptions
from csp.work.labels.chance import label_chances
from csp.work.labels.rows import LabelRow, Labels
from csp.work.labels.scorer import Scorer, best_texts
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.models.embedding import text_embedding


def label_lists(
    explorer: Explorer,
    neurons: Mapping[str, Sequence[int]],
    method: str,
    options: ExampleOptions,
    top: int,
    *,
    candidates: bool = False,
    subtract_template: bool = False,
    with_facets: bool = False,
) -> list[dict[str, Any]]:
    """`[{layer, neuron, chance, labels: [{label, score}]}]`; no labels for a neuron that never fires.

    `chance` is how likely the first label is to be true; None where that is not known, and for labels of
    another method, other options or with candidates than what it was worked out for. A neuron that fires
    where a thing is lacking ("no hairs") has that first, where the chance would belong. `with_facets`
    adds `facets: [{share, labels: [{label, score}]}]`, one a thing that the neuron looks for.

    Labels are texts of the vocabulary, with `candidates` also the candidates of all neurons. With
    `subtract_template` texts are what they have beyond the empty prompt template, as in SemanticLens' paper.

    Raises BadInputError for an unknown method, for a run without a vocabulary, and for a template that is to
    be subtracted by another labeler than semanticlens; UnavailableError when the encoder has to embed it and
    can't be opened here.
    """
    check_labeler(method)
    if explorer.run.text_embeddings is None:
        raise BadInputError(
            f"the run {explorer.run.name} has no vocabulary, so there is nothing to label with; "
            "index or import it with --vocabulary"
        )

    if subtract_template and (method != "semanticlens" or candidates):
        raise BadInputError(
            "The empty template is subtracted for semanticlens and texts of the vocabulary alone; add "
            "--method semanticlens and leave out --candidates."
        )
    subtracting = _subtracting(explorer) if subtract_template else None

    def labels(layer: str, neuron: int) -> Labels:
        if subtracting is not None:
            examples, _ = explorer.examples(layer, neuron, options)
            evidence = subtracting.evidence(
                layer, explorer.run.activations(layer, neuron), examples, (method,)
            )
            scores = all_scores((method,), evidence, subtracting.text_embeddings, options.gamma)
            fires = examples.activating.size > 0
            return best_texts(scores, run_vocabulary(explorer.run).texts, top) if fires else {}
        if candidates:
            return joined_labels(explorer, layer, neuron, options, top)
        return explorer.labels(layer, neuron, options, top)[0]

    def several(layer: str, neuron: int) -> dict[str, Any]:
        if not with_facets:
            return {}
        found = facets(explorer, layer, neuron, options, method, top)
        return {"facets": [{"share": one.share, "labels": _best(one.labels, top)} for one in found]}

    own, first = options == explorer.options() and not candidates, explorer.stored_labels.first_labeler
    return [
        {
            "layer": layer,
            "neuron": neuron,
            "chance": chances[neuron] if chances else None,
            "labels": _best((*lacking.get(neuron, ()), *labels(layer, neuron).get(method, ())), top)[:top],
            **several(layer, neuron),
        }
        for layer, numbers in neurons.items()
        for chances in [_chances(explorer, layer) if own and method == first(layer) else None]
        for lacking in [_lacking(explorer, layer) if chances else {}]
        for neuron in numbers
    ]


def _chances(explorer: Explorer, layer: str) -> list[float | None]:
    found = label_chances(explorer.run, layer).tolist()
    return [None if math.isnan(chance) else chance for chance in found]


def _lacking(explorer: Explorer, layer: str) -> dict[int, tuple[LabelRow, ...]]:
    """Of the neurons whose label in force says what is lacking, that label."""
    return {neuron: one.labels[:1] for neuron, one in explorer.stored_facets.absences(layer).items()}


def _subtracting(explorer: Explorer) -> Scorer:
    assert explorer.scorer is not None, "a run with a vocabulary"
    return replace(explorer.scorer, empty_text=text_embedding(explorer.cache, ""))


def _best(rows: Sequence[LabelRow], top: int) -> list[dict[str, Any]]:
    return [{"label": row.label, "score": row.score} for row in rows if row.rank <= top]
