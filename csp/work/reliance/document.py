"""What the model leans on as one JSON document: what `csp reliance --json` prints, and the report holds."""

from typing import Any

from csp.keeping.run_folder.run import Run
from csp.method.metrics.classification import SPECIFICITY
from csp.work.reliance.concepts import Concept
from csp.work.reliance.numbers import HOW
from csp.work.reliance.reliance import MATTERS, ConceptReliance, Reliance


def document(run: Run, found: Reliance) -> dict[str, Any]:
    """The concept that changes the answers most comes first.

    Changes are of the answers with its neurons off: `with` on images that show it, `without` on images
    that do not.
    """
    return {
        "run": run.name,
        "fingerprint": run.fingerprint,
        "matters": MATTERS,
        "sensitivity_at_specificity": SPECIFICITY,
        "concepts": [_row(one) for one in found.concepts],
        "untested": [{**_concept(one.concept), "why": one.why} for one in found.untested],
    }


def _row(one: ConceptReliance) -> dict[str, Any]:
    numbers = one.numbers.model_dump(mode="json", by_alias=True)
    parted = None if one.subgroups is None else one.subgroups.model_dump(mode="json", by_alias=True)
    return {
        **_concept(one.concept),
        **numbers,
        "how": HOW[one.numbers.how],
        "left_on": one.left_on,
        "source": one.provenance.source,
        "change": one.numbers.classes[one.numbers.most].main.change,
        "of_class": one.numbers.most,
        "more_than_chance": one.more_than_chance,
        "leans": one.leans,
        "elsewhere": one.elsewhere,
        "subgroups": parted,
    }


def _concept(concept: Concept) -> dict[str, Any]:
    return {
        "concept": concept.name,
        "labels": concept.labels,
        "checked": concept.checked,
        "of_neurons": len(concept.neurons),
        "reviewers": concept.reviewers,
        "beside_the_lesion": concept.beside,
        "members": {layer: concept.of(layer) for layer in concept.layers},
    }
