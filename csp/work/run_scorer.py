"""The scorer of a run's own vocabulary; what it knows of the texts is kept on disk for the next start."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from csp.keeping.answers import Answers
from csp.keeping.manifest import code_hash
from csp.keeping.run import Run
from csp.work.labelling import Scorer
from csp.work.provenance import computed_by, csp_version
from csp.work.splits import selection


def run_scorer(run: Run, answers: Answers) -> Scorer | None:
    """The scorer; None for a run without a vocabulary."""
    if run.text_embeddings is None:
        return None

    def kept(what: str, compute: Callable[[], Float64[np.ndarray, " t"]]) -> Float64[np.ndarray, " t"]:
        key = {"question": f"vocabulary {what}", "code": code_hash(), "run": run.fingerprint}
        answer = answers.get_or_compute(key, lambda: compute().tolist(), by=computed_by(csp_version()))
        return np.array(answer.value, dtype=np.float64)

    return Scorer(run.embeddings, run.text_embeddings, selection(run), kept)
