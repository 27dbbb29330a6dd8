"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MEMBERS = ("csp", "clip-dissect-mean", "correlation", "semanticlens")
"""The labelers that may agree with it."""
MODEL = Model(
    intercept=-1.8614,
    weights=(
        0.3124,  # lead
        0.8936,  # further lead
        1.0467,  # likeness
        -0.0695,  # agreement
        0.1736,  # steadiness
        0.1026,  # held-out lead
        1.6663,  # separation
        1.1251,  # signal
        1.0153,  # lead of the layer
    ),
)
