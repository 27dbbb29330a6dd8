"""Adapters to target models, and the schemes that name them."""

from csp.world.specs.registry import Scheme

SCHEMES = (
    Scheme(
        "torchvision",
        "csp.world.targets.torchvision:open_target",
        ("torchvision:resnet50", "torchvision:resnet18@/path/weights.safetensors"),
        "a classifier of torchvision, with its published weights or your own",
        path="@",
        published=r"\w+",
    ),
    Scheme(
        "hf",
        "csp.world.targets.transformers:open_target",
        ("hf:/path/or/name",),
        "an image classifier of transformers, in a folder or on the Hugging Face hub",
        path="",
    ),
)
