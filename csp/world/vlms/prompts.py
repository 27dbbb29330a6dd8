"""What a VLM is asked: the two modes of the paper, and where in a prompt the picture grids go.

Source: arXiv 2604.22477, candidate generation: "three concepts of at most four words", in all pictures of the
first grid and absent from the second; or, shown the activating grid alone, shared by all its pictures.
"""

from typing import Literal

from csp.errors import BadInputError

Mode = Literal["contrastive", "activating-only"]

SLOT = "{images}"
"""Where the picture grids go in a prompt, in order: the activating one, then the contrastive one."""

# Short, so that a small model reads them too.
PROMPTS: dict[Mode, str] = {
    "contrastive": (
        "{images}\nThe pictures of the first grid make a neuron fire. Those of the second grid look alike "
        "but do not. Name three concepts of at most four words that are present in all pictures of the first "
        "grid and absent from the second. Write one concept a line and nothing else."
    ),
    "activating-only": (
        "{images}\nThe pictures of this grid make a neuron fire. Name three concepts of at most four words "
        "that all of them share. Write one concept a line and nothing else."
    ),
}
GRIDS: dict[Mode, int] = {"contrastive": 2, "activating-only": 1}
"""How many grids each mode shows."""


def message_parts(prompt: str, pictures: int) -> list[dict[str, str]]:
    """The prompt as the parts of one chat message: text, `pictures` times `{"type": "image"}`, text.

    Raises `BadInputError` unless the prompt has the slot `{images}` exactly once, and words beside it.
    """
    if prompt.count(SLOT) != 1:
        raise BadInputError(
            f"The prompt has {prompt.count(SLOT)} places for the pictures; write {SLOT} in it exactly once."
        )
    before, after = (text.strip() for text in prompt.split(SLOT))
    if not before and not after:
        raise BadInputError(f"The prompt asks nothing: write a question beside {SLOT}.")
    parts = [_text(before), *[{"type": "image"}] * pictures, _text(after)]
    return [part for part in parts if part.get("text") != ""]


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
