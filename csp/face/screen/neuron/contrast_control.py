"""The contrast rule on the neuron page: which images may be look-alikes. Address parameter: `contrast`."""

import streamlit as st

from csp.face.screen.url.state import follow
from csp.face.screen.wording import percent
from csp.method.examples.contrast_rule import ContrastRule

MOST_SHOWN = 10
SHARES = {0.1: "the lowest tenth", 0.25: "the lowest quarter", 0.5: "the lower half"}
COLD_HELP = (
    "An image may be a look-alike only if it leaves the neuron cold. Below the mean is the paper's rule; a "
    "smaller share takes only images to which the neuron hardly responds."
)
NEIGHBOURS_HELP = (
    "How many of the nearest cold images are averaged into one look-alike. The nearest is shown."
)
LEAST_HELP = (
    "Pairs whose look-alike is less alike than this are left out. 0: none; 1: identical to the encoder."
)


def contrast_control(rule: ContrastRule) -> None:
    """A popover with the parts of the rule; each change rewrites the address."""
    with st.popover("Look-alikes", help="Which images are compared with the strongest ones", key="contrast"):
        shares: list[float | None] = [None, *SHARES]
        if rule.quantile not in shares:
            shares.append(rule.quantile)
        _follow_optional("contrast-cold", rule.quantile)
        st.selectbox(
            "Cold images are",
            shares,
            format_func=_cold,
            key="contrast-cold",
            help=COLD_HELP,
            on_change=_write,
        )
        follow("contrast-neighbours", rule.neighbours)
        st.number_input(
            "Averaged for each picture",
            1,
            max(MOST_SHOWN, rule.neighbours),
            step=1,
            key="contrast-neighbours",
            help=NEIGHBOURS_HELP,
            on_change=_write,
        )
        follow("contrast-least", max(0.0, rule.least or 0.0))
        st.number_input(
            "At least this alike",
            0.0,
            1.0,
            step=0.05,
            key="contrast-least",
            help=LEAST_HELP,
            on_change=_write,
        )


def _follow_optional(name: str, value: float | None) -> None:
    """As `state.follow`, for a widget whose value may be None."""
    st.session_state[name] = value


def _cold(share: float | None) -> str:
    if share is None:
        return "those below the mean"
    return SHARES.get(share, f"the lowest {percent(share)}")


def _write() -> None:
    """Callback: the address takes the rule that the popover shows."""
    state = st.session_state
    least = float(state["contrast-least"]) or None
    rule = ContrastRule(state["contrast-cold"], int(state["contrast-neighbours"]), least)
    st.query_params["contrast"] = str(rule)
