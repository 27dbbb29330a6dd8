"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-11.3002,
    weights=(
        4.9693,  # lead
        8.7898,  # further lead
        26.4751,  # likeness of the layer
        14.8945,  # short of the layer's best
    ),
)
