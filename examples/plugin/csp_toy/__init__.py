"""Adds a target model, a labeler and a metric to CSP Explorer."""

from csp.world.specs.registry import Scheme

SCHEME = Scheme(
    "toy",
    "csp_toy.colours:open_target",  # imported only when a model is opened
    ("toy:colours",),
    "a model whose three neurons are the mean red, green and blue of an image",
)
