"""The best labels of many neurons under one labeler, as commands print them."""

from collections.abc import Mapping, Sequence
from typing import Any

from csp.errors import BadInputError
from csp.method.labelers import check_labeler
from csp.work.choice import Choice
from csp.work.explorer import Explorer


def label_lists(
    explorer: Explorer, neurons: Mapping[str, Sequence[int]], method: str, choice: Choice, top: int
) -> list[dict[str, Any]]:
    """`[{layer, neuron, labels: [{label, score}]}]`; no labels for a neuron that never fires.

    Raises BadInputError for an unknown method and for a run without a vocabulary.
    """
    check_labeler(method)
    if explorer.run.text_embeddings is None:
        raise BadInputError(
            f"the run {explorer.run.name} has no vocabulary, so there is nothing to label with; "
            "index or import it with --vocabulary"
        )
    return [
        {"layer": layer, "neuron": neuron, "labels": _labels(explorer, layer, neuron, method, choice, top)}
        for layer, numbers in neurons.items()
        for neuron in numbers
    ]


def _labels(
    explorer: Explorer, layer: str, neuron: int, method: str, choice: Choice, top: int
) -> list[dict[str, Any]]:
    labels, _ = explorer.labels(layer, neuron, choice, top)
    rows = [row for row in labels.get(method, ()) if row.rank <= top]
    return [{"label": row.label, "score": row.score} for row in rows]
