"""The examples of many neurons of a run, by its parameters, and those that its first labeler looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from csp.keeping.run_folder.run import Run
from csp.method.examples.contrast_rule import PAPER_RULE, parse_rule
from csp.method.examples.select import Examples, narrowed
from csp.method.examples.select_layer import select_all
from csp.method.labelers.consensus import RULE as WIDE


@dataclass(frozen=True, eq=False)
class LayerExamples:
    """The examples of some neurons, in order."""

    chosen: Sequence[Examples]
    wide: Sequence[Examples] | None
    """The same as the first labeler contrasts them, where one search finds both; see `Evidence.wide`."""


def layer_examples(run: Run, activations: Float32[np.ndarray, "n c"]) -> LayerExamples:
    """Of some neurons. The paper's rule takes the nearest of the first labeler's: one search finds both."""
    parameters = run.manifest.parameters
    rule = parse_rule(parameters.contrast)
    together = parameters.reuse and rule == PAPER_RULE
    found = select_all(
        activations,
        run.embeddings,
        parameters.k,
        reuse=parameters.reuse,
        neighbours=run.neighbours,
        rule=WIDE if together else rule,
    )
    return LayerExamples([narrowed(one) for one in found], found) if together else LayerExamples(found, None)
