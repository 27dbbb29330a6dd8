"""The fitted model: written by `python -m benchmarks.fit_chance --write`."""

from csp.method.chance.model import Model

LABELER = "consensus"
"""The labeler whose first labels it judges."""
MODEL = Model(
    intercept=-8.4143,
    weights=(
        10.3978,  # lead
        2.3351,  # further lead
        15.3061,  # likeness of the layer
        20.8239,  # short of the layer's best
    ),
)
