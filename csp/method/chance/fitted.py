"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-9.8477,
    weights=(
        8.6661,  # lead
        3.6405,  # further lead
        2.5974,  # likeness
        1.1281,  # likeness over all images
        12.2799,  # likeness of the layer
    ),
)
