"""What a labeler is: a rule that scores texts for a neuron, and how people are told of it.

Each labeler declares itself in a module of its own beside this one, as `LABELER`; `registry.py` collects them
and those of plug-ins. Commands, pages, exports and docs read all they say of labelers there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from csp.errors import BadInputError
from csp.method.labelers.evidence import Evidence

Score = Callable[[Evidence, np.ndarray, float], np.ndarray]
Resampled = Callable[[Evidence, np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Labeler:
    """A rule that scores texts: one pure function `(evidence, text embeddings, gamma) -> scores`."""

    name: str
    """As commands and files call it."""
    score: Score
    title: str
    """As people read it."""
    what: str
    """One line: what is it, and from where to where do its scores go?"""
    alone: bool = True
    """Whether it can score one text without others to compare it with."""
    among_neurons: bool = True
    """Whether it may compare the neuron with the others of its layer (`Evidence.layer_prior`)."""
    uses_gamma: bool = False
    """Whether scores change with gamma."""
    resampled: Resampled | None = None
    """Scores over all resamplings at once (`bootstrap.py`); None: scored on one after the other."""
    place: int = 0
    """Its place among those of the program."""

    @property
    def column(self) -> str:
        """The column of an export that holds its first label."""
        return f"{self.name.replace('-', '_')}_label"

    def __call__(
        self, evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
    ) -> Float32[np.ndarray, " t"]:
        """Scores of the texts, higher is better; all 0 for a neuron that never fires.

        Raises BadInputError where the rule does not give one number for each text.
        """
        scores: Float32[np.ndarray, " t"] = np.asarray(
            self.score(evidence, text_embeddings, gamma), dtype=np.float32
        )
        if scores.shape != (len(text_embeddings),) or not np.isfinite(scores).all():
            raise BadInputError(f"The labeler '{self.name}' does not give one number for each text.")
        return scores
