"""How a count and a share are written, on screens, in commands and in files."""


def counted(count: int, noun: str, nouns: str = "") -> str:
    """The number, then its noun: `0 images`, `1 image`, `1,600 images`; `nouns` where an s is not enough.

    With a verb as well as without: `counted(2, "never fires", "never fire")`.
    """
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def percent(share: float) -> str:
    """A share; one close to 0 or 1 keeps two places, so that hardly ever is not never."""
    return f"{100 * share:.0f} %" if 0.005 <= share < 0.995 or share in (0, 1) else f"{100 * share:.2f} %"
