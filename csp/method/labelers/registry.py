"""Labelers: rules that score texts for a neuron. `LABELERS` is the list that commands, pages and docs read.

A labeler is a small plug-in: one pure function `(evidence, text embeddings, gamma) -> scores`, and an entry
in `LABELERS` with the name that people see and one line that says what it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from csp.errors import BadInputError
from csp.method.labelers.clip_dissect import clip_dissect
from csp.method.labelers.correlation import correlation
from csp.method.labelers.csp import csp
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.falcon import falcon
from csp.method.labelers.semanticlens import semanticlens

FIRST = "csp"
"""The labeler whose first label the app suggests; docs/results.md says why."""

Score = Callable[[Evidence, np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class Labeler:
    """A rule that scores texts, and how people are told of it."""

    score: Score
    title: str
    what: str
    """One line: what is it?"""
    alone: bool = True
    """Whether it can score one text without others to compare it with."""
    uses_gamma: bool = False
    """Whether scores change with gamma."""

    def __call__(
        self, evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
    ) -> Float32[np.ndarray, " t"]:
        """Scores of the texts, higher is better; all 0 for a neuron that never fires."""
        scores: Float32[np.ndarray, " t"] = self.score(evidence, text_embeddings, gamma)
        return scores


LABELERS: dict[str, Labeler] = {
    "csp": Labeler(
        csp,
        "CSP",
        "Contrastive: what the activating images show and their look-alikes do not. Cosine, -1 to 1.",
        uses_gamma=True,
    ),
    "semanticlens": Labeler(
        semanticlens,
        "SemanticLens",
        "Plain mean of the activating images, look-alikes ignored. Cosine, -1 to 1.",
    ),
    "clip-dissect": Labeler(
        clip_dissect,
        "CLIP-Dissect",
        "Which text goes with the activating images more than with all images. "
        "Comparable in this column only.",
        alone=False,
    ),
    "falcon": Labeler(
        falcon,
        "FALCON",
        "How much more the activating images are captioned with a text than their look-alikes are. "
        "Share, -1 to 1.",
        alone=False,
    ),
    "correlation": Labeler(
        correlation,
        "Correlation",
        "Over all images: whose likeness to the text rises and falls with the firing. Correlation, -1 to 1.",
    ),
}


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
