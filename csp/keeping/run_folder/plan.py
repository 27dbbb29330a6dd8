"""The plan of a job: everything that decides what its run will hold, as JSON. Same plan, same run."""

import json
import re
from pathlib import Path
from typing import Any

from csp.errors import BadInputError
from csp.keeping.canonical_json import canonical_json

Plan = dict[str, Any]
PLAN_NAME = "plan.json"


_WORDS = {
    "model": "the target model",
    "data": "the dataset",
    "images": "the images",
    "encoder": "the encoder",
    "activations": "the activations",
    "embeddings": "the embeddings",
    "probabilities": "the class probabilities",
    "classes": "the class names",
    "layers": "the layers",
    "layer": "the layer",
    "vocabulary": "the vocabulary",
    "pooling": "the pooling",
    "k": "the number of examples",
    "reuse": "reuse of contrastive images",
    "gamma": "gamma",
    "contrast": "the contrast rule",
    "templates": "the prompts",
    "renormalise": "normalising texts anew",
    "neighbours": "the number of stored neighbours",
    "exact_up_to": "the number of images up to which neighbours are exact",
    "batch_size": "the batch size",
    "seed": "the seed",
}
"""What the fields of plans are called in sentences."""
_HASHES = re.compile(r'\[?("[0-9a-f]{64}",?)+\]?')


def check_same_plan(staging: Path, stored: Plan, plan: Plan) -> None:
    """BadInputError when the unfinished job in `staging` was started with another plan."""
    if difference := first_difference(stored, plan):
        raise BadInputError(
            f"{staging} holds an unfinished run that was begun otherwise: {difference}; "
            "repeat that command, delete the folder to start afresh, or choose another --out"
        )


def first_difference(stored: Plan, plan: Plan) -> str | None:
    """The first thing that differs, in words; None when the plans are the same.

    E.g. `the number of examples was 30, now 20`, `the content of the dataset was changed since`.
    """
    before, now = _flat(stored), _flat(plan)
    differing = [field for field in before.keys() | now.keys() if before.get(field) != now.get(field)]
    if not differing:
        return None
    field = min(differing, key=lambda each: (each.endswith((".hash", ".name")), each))  # what says most
    return _in_words(field, before.get(field), now.get(field))


def _in_words(field: str, before: str | None, now: str | None) -> str:
    parts = [part for part in field.split(".") if part not in ("parameters", "spec", "name")]
    words = _WORDS.get(parts[0], parts[0])
    if parts[-1] == "hash" or (_is_hash(before) and _is_hash(now)):
        return f"the content of {words} was changed since"
    if _is_hash(before) or _is_hash(now):
        return f"{words} was given only {'then' if _is_hash(before) else 'now'}"
    return f"{words} was {_short(before)}, now {_short(now)}"


def _is_hash(value: str | None) -> bool:
    return value is not None and _HASHES.fullmatch(value) is not None


def _flat(plan: Plan, prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for field, value in plan.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{field}.")
        else:
            flat[prefix + field] = canonical_json(value)
    return flat


def _short(text: str | None) -> str:
    if text is None or text in ("null", '""', "[]"):
        return "nothing"
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_plan(path: Path) -> Plan | None:
    """The plan stored in a staging folder; None when there is none or it is damaged."""
    try:
        plan: Plan = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return plan
