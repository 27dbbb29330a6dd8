"""Numbers of concepts that lie with their run: who opens it first sees them at once.

keep_numbers(run, found)                    # joins the run
stored_numbers(run)                         # by what was asked (`asked_of`)
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from csp.keeping.canonical_json import canonical_json
from csp.keeping.run_folder.added_tables import AddedTable, Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.work.provenance import Provenance, computed_by
from csp.work.reliance.concepts import Concept
from csp.work.reliance.numbers import Numbers

NUMBERS = AddedTable(
    "reliance-numbers",
    {
        "asked": pa.string(),
        "concept": pa.string(),
        "numbers": pa.string(),
        "measured": pa.timestamp("s", tz="UTC"),
        "csp_version": pa.string(),
    },
    ("asked",),
)


@dataclass(frozen=True)
class Stored:
    """The numbers of one concept, and when they were worked out by what."""

    numbers: Numbers
    provenance: Provenance


def asked_of(concept: Concept) -> str:
    """What the numbers depend on beside the run: its neurons, and what says which images show it."""
    asked = [
        [list(spot) for spot in concept.neurons],
        list(concept.attributes),
        [] if concept.attributes else list(concept.labels),
    ]
    return hashlib.sha256(canonical_json(asked).encode()).hexdigest()


def stored_numbers(run: Run) -> Mapping[str, Stored]:
    """By `asked_of`; a row that this version can't read is as if it were not there."""
    found: dict[str, Stored] = {}
    for row in Additions(run).read(NUMBERS).to_dict("records"):
        try:
            numbers = Numbers.model_validate_json(row["numbers"])
        except ValidationError:
            continue
        by = computed_by(row["csp_version"])
        when = row["measured"].to_pydatetime()
        found[row["asked"]] = Stored(numbers, Provenance("precomputed", by, when, None))
    return found


def keep_numbers(run: Run, found: Sequence[tuple[Concept, Numbers]], *, in_place: bool = False) -> None:
    """Join the run; raises UnavailableError where they can't be written."""
    rows = {
        "asked": [asked_of(concept) for concept, _ in found],
        "concept": [concept.name for concept, _ in found],
        "numbers": [json.dumps(own.model_dump(mode="json", by_alias=True)) for _, own in found],
    }
    now = datetime.now(UTC).replace(microsecond=0)
    additions = Additions(run, in_place=in_place)
    additions.append(NUMBERS, pd.DataFrame(rows).assign(measured=now, csp_version=csp_version()))
    additions.compact(NUMBERS)
