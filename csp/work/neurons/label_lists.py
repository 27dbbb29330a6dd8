"""The best labels of many neurons under one labeler, as commands print them."""

from collections.abc import Mapping, Sequence
from typing import Any

from csp.errors import BadInputError
from csp.method.labelers.registry import check_labeler
from csp.work.candidates.scores import joined_labels
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.labels.rows import LabelRow, Labels


def label_lists(
    explorer: Explorer,
    neurons: Mapping[str, Sequence[int]],
    method: str,
    options: ExampleOptions,
    top: int,
    *,
    candidates: bool = False,
) -> list[dict[str, Any]]:
    """`[{layer, neuron, labels: [{label, score}]}]`; no labels for a neuron that never fires.

    Labels are texts of the vocabulary, with `candidates` also the candidates of all neurons.

    Raises BadInputError for an unknown method and for a run without a vocabulary.
    """
    check_labeler(method)
    if explorer.run.text_embeddings is None:
        raise BadInputError(
            f"the run {explorer.run.name} has no vocabulary, so there is nothing to label with; "
            "index or import it with --vocabulary"
        )

    def labels(layer: str, neuron: int) -> Labels:
        if candidates:
            return joined_labels(explorer, layer, neuron, options, top)
        return explorer.labels(layer, neuron, options, top)[0]

    return [
        {"layer": layer, "neuron": neuron, "labels": _best(labels(layer, neuron).get(method, ()), top)}
        for layer, numbers in neurons.items()
        for neuron in numbers
    ]


def _best(rows: Sequence[LabelRow], top: int) -> list[dict[str, Any]]:
    return [{"label": row.label, "score": row.score} for row in rows if row.rank <= top]
