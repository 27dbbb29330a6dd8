"""Adapters to image generators, and the schemes that name them."""

from csp.world.specs.registry import Scheme

SCHEMES = (
    Scheme(
        "dermoscopy",
        "csp.world.generators.dermoscopy:open_generator",
        ("dermoscopy:drawn",),
        "the drawn dermoscopy world of the demo",
    ),
    Scheme(
        "hf",
        "csp.world.generators.diffusers:open_generator",
        ("hf:/path/to/a/diffusers/pipeline",),
        "a text-to-image pipeline of diffusers, in a folder or on the Hugging Face hub",
        path="",
    ),
)
