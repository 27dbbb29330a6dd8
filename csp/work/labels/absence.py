"""A label that says what is lacking: "no hairs" is the opposite of "hairs", and never counts as that.

absence("hairs")                # "no hairs"
lacking("without dark hairs")   # "dark hairs"; None for a label that says what is there
present("no hairs; ruler")      # ("ruler",): of several labels those that say what is there
"""

import re

from csp.keeping.reviews.normalise import label_parts

_LACKING = re.compile(
    r"\s*(?:no|without|absence of|absent|lack of|lacking)\s+(?:any\s+)?(?=\S)", re.IGNORECASE
)


def absence(thing: str) -> str:
    """The label of a neuron that fires where a thing is lacking, as the machine writes it."""
    return f"no {thing}"


def lacking(label: str | None) -> str | None:
    """What one label says is lacking, also in people's words; None where it says what is there."""
    found = _LACKING.match(label or "")
    return label[found.end() :].strip() if found and label else None


def present(label: str | None) -> tuple[str, ...]:
    """Of a label that may hold several, those that say what is there."""
    return tuple(part for part in label_parts(label) if lacking(part) is None)
