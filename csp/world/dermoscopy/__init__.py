"""Drawn dermoscopy: synthetic skin lesions whose every attribute is known.

`sample_case` draws what a case shows, `render` paints it. Nothing here comes from a photograph.
"""

from csp.world.dermoscopy.attributes import (
    ARTEFACTS,
    ATTRIBUTES,
    COLOUR_FLAGS,
    COLOURS,
    DIAGNOSES,
    PLANTED,
    SHAPE,
    SKIN,
    STRUCTURES,
    Case,
    sample_case,
    with_attribute,
)
from csp.world.dermoscopy.render import render

__all__ = [
    "ARTEFACTS",
    "ATTRIBUTES",
    "COLOURS",
    "COLOUR_FLAGS",
    "DIAGNOSES",
    "PLANTED",
    "SHAPE",
    "SKIN",
    "STRUCTURES",
    "Case",
    "render",
    "sample_case",
    "with_attribute",
]
