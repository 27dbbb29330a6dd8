"""Adapters to vision-language models, and the schemes that name them."""

from csp.world.specs.registry import Scheme

SCHEMES = (
    Scheme(
        "hf",
        "csp.world.vlms.transformers:open_vlm",
        ("hf:/path/or/name",),
        "a vision-language model of transformers, such as hf:HuggingFaceTB/SmolVLM-Instruct",
        path="",
    ),
    Scheme(
        "openai",
        "csp.world.vlms.openai_server:open_vlm",
        ("openai:http://HOST:PORT/v1#MODEL",),
        "a model behind an OpenAI-compatible server",
    ),
)
