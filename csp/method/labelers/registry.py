"""The labelers, in the order of commands, pages and exports: those declared here, then those of plug-ins."""

import logging
from collections.abc import Iterable
from functools import partial

import numpy as np
from jaxtyping import Float, Float32, Int64

from csp.errors import BadInputError, CspError
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.plugins import Registry, declared

FIRST = "consensus"
"""The labeler whose first label the app suggests; docs/results.md says why."""

LABELERS = Registry("labeler", "csp.labelers", Labeler, partial(declared, "csp.method.labelers", "LABELER"))


def check_labeler(name: str) -> None:
    """Refuse a name that is no labeler's. Raises BadInputError that lists those there are."""
    if name not in LABELERS:
        raise BadInputError(f"there is no labeler {name!r}; there are {', '.join(LABELERS)}")


def best_labels(
    scores: Float[np.ndarray, " t"], top: int
) -> tuple[Int64[np.ndarray, " top"], Float[np.ndarray, " top"]]:
    """The `top` best texts (all, if there are fewer) and their scores, best first, ties to the lower index.

    Raises BadInputError for top < 1.
    """
    if top < 1:
        raise BadInputError(f"The best {top} labels were asked for; ask for at least 1.")
    index = np.argsort(-scores, kind="stable")[:top]
    return index, scores[index]


def all_scores(
    names: Iterable[str], evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> dict[str, Float32[np.ndarray, " t"]]:
    """The scores of the texts by each labeler; a plug-in's that fails is told of and left out."""
    found = {}
    for name in names:
        try:
            found[name] = LABELERS[name](evidence, text_embeddings, gamma)
        except Exception as error:
            package = LABELERS.packages.get(name)
            if package is None:
                raise
            why = str(error) if isinstance(error, CspError) else f"{type(error).__name__}: {error}"
            logging.getLogger("csp").warning(
                f"The labeler '{name}' of the package {package} fails, so it gives no labels here ({why})."
            )
    return found
