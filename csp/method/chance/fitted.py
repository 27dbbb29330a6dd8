"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-11.3506,
    weights=(
        11.7442,  # lead
        2.2105,  # further lead
        2.1022,  # likeness
        0.0,  # likeness over all images
        19.0528,  # likeness of the layer
        3.4777,  # short of the layer's best
    ),
)
