"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-12.888,
    weights=(
        13.6229,  # lead
        2.705,  # further lead
        23.0067,  # likeness of the layer
        23.7623,  # short of the layer's best
    ),
)
