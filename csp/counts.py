"""How a number stands before what it counts, on screens, in commands and in files."""


def counted(count: int, noun: str, nouns: str = "") -> str:
    """The number, then its noun: `0 images`, `1 image`, `1,600 images`; `nouns` where an s is not enough.

    With a verb as well as without: `counted(2, "never fires", "never fire")`.
    """
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"
