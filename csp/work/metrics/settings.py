"""Under what a number was measured: data in the table of results, a line for people."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from csp.errors import BadInputError
from csp.keeping.canonical_json import canonical_json
from csp.method.examples.contrast_rule import parse_rule
from csp.work.explorer.options import ExampleOptions

_AS_TEXT = re.compile(
    r"k=(?P<k>\d+) gamma=(?P<gamma>\S+) contrast=(?P<contrast>\S+)(?P<no_reuse> no-reuse)?"
    r"(?: simulator=(?P<simulator>.*))?(?: generator=(?P<generator>.*) pictures=(?P<pictures>\d+))?"
)
"""As tables of before version 0.2 hold them."""


@dataclass(frozen=True)
class Settings:
    """What decides a number beside its subject; part of the key of each result."""

    options: ExampleOptions
    made_with: Mapping[str, str | int] = field(default_factory=dict)
    """What the measure can't do without, such as an image generator: of several the newest number counts."""
    instead: Mapping[str, str | int] = field(default_factory=dict)
    """What took the place of the usual, such as another simulator: such numbers stand in no table."""

    @classmethod
    def from_column(cls, text: str) -> Self | None:
        """The settings that a row of the table holds; None for what no version of this program wrote."""
        try:
            found = json.loads(text) if text.startswith("{") else _from_text(text)
            options = ExampleOptions(
                int(found["k"]), float(found["gamma"]), bool(found["reuse"]), parse_rule(found["contrast"])
            )
            return cls(options, dict(found["made_with"]), dict(found["instead"]))
        except (BadInputError, KeyError, TypeError, ValueError):
            return None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return self.options.as_json() | {"made_with": dict(self.made_with), "instead": dict(self.instead)}

    @property
    def column(self) -> str:
        """As the table holds them: canonical JSON, so that equal settings are equal texts."""
        return canonical_json(self.as_json())

    def __str__(self) -> str:
        others = {**self.instead, **self.made_with}
        return " ".join([str(self.options), *(f"{name}={value}" for name, value in others.items())])


def _from_text(text: str) -> dict[str, Any]:
    found = _AS_TEXT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    made_with = {"generator": found["generator"], "pictures": int(found["pictures"] or 0)}
    return {
        "k": found["k"],
        "gamma": found["gamma"],
        "reuse": found["no_reuse"] is None,
        "contrast": found["contrast"],
        "made_with": made_with if found["generator"] is not None else {},
        "instead": {} if found["simulator"] is None else {"simulator": found["simulator"]},
    }
