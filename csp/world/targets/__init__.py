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
        "timm",
        "csp.world.targets.timm:open_target",
        ("timm:resnet50.a1_in1k", "timm:resnet50@/path/weights.safetensors", "timm:/path/folder"),
        "a model of timm, with or without a head: published weights, your own, or a folder",
        path="@",
        folders=True,
        published=r"\w[\w.]*",
    ),
    Scheme(
        "hf",
        "csp.world.targets.transformers:open_target",
        ("hf:/path/or/name",),
        "a model of transformers for pictures, with or without classes, in a folder or on the hub",
        path="",
    ),
    Scheme(
        "openclip",
        "csp.world.targets.openclip:open_target",
        ("openclip:ViT-B-32/laion2b_s34b_b79k", "openclip:local-dir:/path/folder"),
        "the image tower of a model of OpenCLIP, which has no classes",
        path="local-dir:",
        published=r"[\w-]+/[\w-]+",
    ),
    Scheme(
        "onnx",
        "csp.world.targets.onnx:open_target",
        ("onnx:/path/model.onnx",),
        "a model in ONNX: every tensor between its nodes can be a layer",
        path="",
    ),
    Scheme(
        "export",
        "csp.world.targets.exported:open_target",
        ("export:/path/model.pt2",),
        "a program of torch.export, with its modules by name",
        path="",
    ),
    Scheme(
        "torchscript",
        "csp.world.targets.torchscript:open_target",
        ("torchscript:/path/model.pt",),
        "a model in TorchScript, with its modules by name",
        path="",
    ),
    Scheme(
        "mended",
        "csp.world.targets.mended:open_target",
        ("mended:/path/mended.json",),
        "a model with some neurons held at their mean, as `csp mend` writes it",
        path="",
    ),
    Scheme(
        "keras",
        "csp.world.targets.keras:open_target",
        ("keras:/path/model.keras",),
        "a model of Keras 3, run by torch, with its layers by name",
        path="",
    ),
)
