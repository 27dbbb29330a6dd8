"""The plan of a job: everything that decides what its run will hold, as JSON. Same plan, same run."""

import json
from pathlib import Path
from typing import Any

from csp.errors import BadInputError
from csp.keeping.canonical_json import canonical_json

Plan = dict[str, Any]
PLAN_NAME = "plan.json"


def check_same_plan(staging: Path, stored: Plan, plan: Plan) -> None:
    """BadInputError when the unfinished job in `staging` was started with another plan."""
    if difference := first_difference(stored, plan):
        raise BadInputError(
            f"{staging} holds an unfinished run with {difference}: "
            "repeat that command, delete the folder to start afresh, or choose another --out"
        )


def first_difference(stored: Plan, plan: Plan) -> str | None:
    """The first field that differs, in words, e.g. `k = 30 (now 20)`; None when the plans are the same."""
    before, now = _flat(stored), _flat(plan)
    for field in sorted(before.keys() | now.keys()):
        if before.get(field) != now.get(field):
            return f"{field} = {_short(before.get(field))} (now {_short(now.get(field))})"
    return None


def _flat(plan: Plan, prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for field, value in plan.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{field}.")
        else:
            flat[prefix + field] = canonical_json(value)
    return flat


def _short(text: str | None) -> str:
    if text is None:
        return "nothing"
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_plan(path: Path) -> Plan | None:
    """The plan stored in a staging folder; None when there is none or it is damaged."""
    try:
        plan: Plan = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return plan
