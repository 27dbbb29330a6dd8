"""The fixed words of the review record: what an event does, who may do it, how a neuron is tagged."""

from enum import StrEnum


class Action(StrEnum):
    """What an event does; the first four are verdicts."""

    CONFIRM = "confirm"
    OVERRIDE = "override"
    REJECT = "reject"
    UNSURE = "unsure"
    RESOLVE = "resolve"
    """Someone who took no part in a dispute settles it, with a label or (no label fits) without."""
    DRAFT = "draft"
    """Kept for later: shown to its author, decides nothing."""
    FLAG = "flag"
    """Asks for a second look."""
    UNDO = "undo"
    """Takes back an earlier event, which stays in the record."""


NO_LABEL_FITS = "no label fits"
DONE = {
    Action.CONFIRM: "confirmed",
    Action.OVERRIDE: "replaced by",
    Action.REJECT: NO_LABEL_FITS,
    Action.UNSURE: "unsure",
    Action.RESOLVE: "settled as",
    Action.DRAFT: "draft",
    Action.FLAG: "second look asked for",
    Action.UNDO: "taken back",
}
"""What an event did, in the words of screens and reports; a label follows."""
COUNTED = DONE | {Action.OVERRIDE: "replaced", Action.RESOLVE: "settled"}
"""The same after a number of neurons: `2 confirmed, 1 replaced`."""

VERDICTS = (Action.CONFIRM, Action.OVERRIDE, Action.REJECT, Action.UNSURE)


class Role(StrEnum):
    """What a person may do: a viewer only looks, an admin may also undo what others did."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ADMIN = "admin"


TAGS: dict[str, str] = {
    "abcde:asymmetry": "asymmetry",
    "abcde:border": "border",
    "abcde:colour": "colour",
    "abcde:diameter": "diameter or structures",
    "abcde:evolution": "evolution",
    "7-point:atypical-network": "atypical pigment network",
    "7-point:blue-white-veil": "blue-white veil",
    "7-point:atypical-vessels": "atypical vascular pattern",
    "7-point:irregular-streaks": "irregular streaks",
    "7-point:irregular-dots-globules": "irregular dots and globules",
    "7-point:irregular-blotches": "irregular blotches",
    "7-point:regression": "regression structures",
    "skin:tone": "skin tone",
    "artefact:hairs": "hairs",
    "artefact:ruler": "ruler marks",
    "artefact:bubbles": "gel bubbles",
    "artefact:ink": "ink",
    "artefact:sticker": "sticker or plaster",
    "artefact:dark-corners": "dark corners",
    "artefact": "another artefact",
    "other": "something else",
}
"""Every tag with its words for the screen; the part before the colon is its group."""
