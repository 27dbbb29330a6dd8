"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-10.2804,
    weights=(
        7.4188,  # lead
        3.1269,  # further lead
        4.0693,  # likeness
        0.5403,  # likeness over all images
        11.2978,  # likeness of the layer
    ),
)
