"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-10.1972,
    weights=(
        5.6647,  # lead
        10.9108,  # further lead
        20.9271,  # likeness of the layer
        32.5445,  # short of the layer's best
    ),
)
