"""Readers of sparse autoencoders (SAEs), and the schemes that name them."""

from csp.world.specs.registry import Scheme

SCHEMES = (
    Scheme(
        "overcomplete",
        "csp.world.saes.overcomplete:open_sae",
        ("overcomplete:/path/sae.safetensors", "overcomplete:topk-32@/path/sae.pt"),
        "an SAE of Overcomplete: its state dict; before an @ how it fires, where the file does not say it",
        path="@",
        folders=True,
    ),
    Scheme(
        "saelens",
        "csp.world.saes.saelens:open_sae",
        ("saelens:/path/folder",),
        "an SAE of SAELens: a folder with cfg.json and sae_weights.safetensors",
        path="",
    ),
    Scheme(
        "prisma",
        "csp.world.saes.prisma:open_sae",
        ("prisma:/path/folder",),
        "an SAE of ViT-Prisma: its weights beside config.json",
        path="",
    ),
    Scheme(
        "saev",
        "csp.world.saes.saev:open_sae",
        ("saev:/path/sae.pt",),
        "an SAE of saev: one file",
        path="",
    ),
)
