"""Adapters to CLIP-like encoders, and the schemes that name them."""

from csp.world.specs.registry import Scheme

SCHEMES = (
    Scheme(
        "openclip",
        "csp.world.encoders.openclip:open_encoder",
        ("openclip:ViT-B-32/openai", "openclip:hf-hub:OWNER/NAME", "openclip:local-dir:/path"),
        "an encoder of OpenCLIP: architecture and weights, a model of the hub, or a folder",
        path="local-dir:",
        published=r"[\w-]+/[\w-]+",
    ),
    Scheme(
        "hf",
        "csp.world.encoders.transformers:open_encoder",
        ("hf:/path/or/name",),
        "a CLIP or SigLIP of transformers, in a folder or on the Hugging Face hub",
        path="",
    ),
)
