"""The sentences that a text is put into before it is embedded."""

# Neutral on purpose: a template that names a finding or a disease would pull every text towards it.
TEMPLATES: tuple[str, ...] = (
    "{}",
    "a photo of {}",
    "an image of {}",
    "a close-up photo of {}",
    "an image showing {}",
)
