"""Entries for the tests of the review record."""

from typing import Any

from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.vocabulary import Action

RUN = "f" * 64


def entry(verdict: Action = Action.CONFIRM, label: str | None = "ruler", **given: Any) -> Entry:
    """Ann confirms the machine's label of neuron 1, or what is given instead."""
    usual: dict[str, Any] = {
        "run_fingerprint": RUN,
        "run": "tiny",
        "layer": "late",
        "neuron": 1,
        "machine_label": "ruler",
        "reviewer": "Ann",
    }
    return Entry(**(usual | {"verdict": verdict, "label": label} | given))
