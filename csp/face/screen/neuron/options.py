"""Number of examples, gamma and contrast rule of the neuron page: in the address, and as controls."""

import streamlit as st

from csp.errors import BadInputError
from csp.face.screen.neuron.contrast_control import contrast_control
from csp.face.screen.url.params import Params, Way, WrongAddressError, fraction, text, whole_number
from csp.face.screen.url.state import follow, write
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions

MOST_EXAMPLES = 200
GAMMA_HELP = (
    "How much of each look-alike is taken away from its picture before labels are compared (gamma). "
    "0 ignores the look-alikes, 1 takes away all that the two share."
)
EXAMPLES_HELP = "How many of the strongest images, each with its look-alike, decide the scores."


def chosen_options(params: Params, explorer: Explorer) -> ExampleOptions:
    """The options in the address; without them, those of the run. WrongAddressError leads back to these."""
    own, most = explorer.options(), _most_examples(explorer)
    k = whole_number(params, "examples", 1, most, own.k)
    gamma = fraction(params, "gamma", own.gamma)
    try:
        return explorer.options(k, gamma, contrast=text(params, "contrast") or None)
    except BadInputError as error:
        kept = {name: value for name, value in params.items() if name != "contrast"}
        raise WrongAddressError(str(error), [Way("The run's own contrast", kept)]) from error


def options_controls(explorer: Explorer, options: ExampleOptions) -> None:
    """Gamma, the number of examples and the contrast rule in one row; each change rewrites the address."""
    left, middle, right = st.columns([4, 2.4, 2.6], vertical_alignment="bottom")
    follow("gamma", options.gamma)
    left.slider(
        "Contrast (gamma)",
        0.0,
        1.0,
        options.gamma,
        step=0.05,
        key="gamma",
        help=GAMMA_HELP,
        on_change=write,
        args=("gamma",),
    )
    follow("examples", options.k)
    middle.number_input(
        "Examples",
        1,
        _most_examples(explorer),
        options.k,
        step=1,
        key="examples",
        help=EXAMPLES_HELP,
        on_change=write,
        args=("examples",),
    )
    with right:
        contrast_control(options.contrast)


def _most_examples(explorer: Explorer) -> int:
    """As many as the run's own, also of fewer images: a page opens at the settings that its labels are of."""
    return max(explorer.options().k, min(MOST_EXAMPLES, explorer.run.manifest.images))
