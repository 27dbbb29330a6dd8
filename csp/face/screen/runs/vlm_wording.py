"""What the forms say about asking a vision-language model."""

from csp.world.specs.registry import VLMS

MODES = {"contrastive": "Both grids", "activating-only": "Only what fires"}


MODES_HELP = (
    "Both grids: nine pictures that fire beside nine that look alike but do not; the model names what only "
    "the first have. Only what fires: what the nine share."
)


SPEC_HELP = "\n".join(f"- `{scheme.examples[0]}`: {scheme.what}" for scheme in VLMS.values())
