"""The errors a person may see. Each message is one sentence: what was wrong, where, what to do.

The command line turns a `CspError` into one line on stderr and exit code 2, a page into a notice.
Any other exception is a bug and must crash.
"""

MOST_CHARACTERS = 1_500
"""Of a sentence."""


def shortened(text: str, most: int) -> str:
    """A text that is quoted: the middle of a long one left out."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"


class CspError(Exception):
    """Base of every error meant for a person. What a file holds may be quoted: the middle of much goes."""

    def __str__(self) -> str:
        """The sentence."""
        return shortened(super().__str__(), MOST_CHARACTERS)


class BadInputError(CspError):
    """The person gave something that can't be used: an option, a spec, a file, an array."""


class NotFoundError(CspError):
    """The run, layer, neuron, image or file named does not exist."""


class BadRunError(CspError):
    """A run folder is incomplete, corrupt or made by a newer version."""


class UnavailableError(CspError):
    """A model, package or machine part that the work needs is missing or failed to load."""
