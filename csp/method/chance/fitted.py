"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-10.3183,
    weights=(
        7.3819,  # lead
        3.1667,  # further lead
        4.0811,  # likeness
        0.5457,  # likeness over all images
        11.3415,  # likeness of the layer
    ),
)
