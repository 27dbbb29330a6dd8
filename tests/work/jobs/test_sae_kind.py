"""An SAE trained by a job: what is refused before it starts."""

from pathlib import Path

import pytest

from csp.work.jobs.registry import FaultyJobError, check_job

ASKED = {"layer": "late", "out": "mine", "kind": "topk", "latents": 16, "active": 4, "epochs": 1}


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"out": "../mine"}, "out", "can't be the name of an SAE"),
        ({"active": 32}, "active", "32 can't be active"),
        ({"kind": "dense"}, "active", "none of topk"),
        ({"layer": "nowhere"}, "layer", "nowhere"),
    ],
)
def test_what_cannot_be_trained_is_said_by_field(
    built_run: Path, own_home: Path, changed: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(FaultyJobError) as refused:
        check_job("sae", {"run": str(built_run), **ASKED, **changed})
    assert words in refused.value.faults[field]
