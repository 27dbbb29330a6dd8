"""Under what a number was measured is data, also in tables that hold it as text."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.examples.contrast_rule import ContrastRule
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.metrics.results import FAITHFULNESS, faithfulness, read
from csp.work.metrics.settings import Settings

REPOSITORY = Path(__file__).parents[3]
PAPER = ExampleOptions(30, 1.0, True, ContrastRule())
NARROW = ExampleOptions(9, 0.25, False, ContrastRule(quantile=0.2, neighbours=3))
DRAWN: dict[str, str | int] = {"generator": "drawn dermoscopy (seed=1)", "pictures": 20}

others = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(0, 99), max_size=2)
options = st.builds(
    ExampleOptions,
    st.integers(1, 200),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from([ContrastRule(), ContrastRule(quantile=0.1), ContrastRule(neighbours=5, least=0.8)]),
)


@given(st.builds(Settings, options, others, others))
def test_the_column_holds_all_of_them(settings: Settings) -> None:
    assert Settings.from_column(settings.column) == settings


OLD = "k=9 gamma=0.25 contrast=quantile:0.2,neighbours:3 no-reuse"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("k=30 gamma=1 contrast=mean", Settings(PAPER)),
        (OLD, Settings(NARROW)),
        (f"{OLD} simulator=SigLIP base 16", Settings(NARROW, {}, {"simulator": "SigLIP base 16"})),
        (f"{OLD} generator=drawn dermoscopy (seed=1) pictures=20", Settings(NARROW, DRAWN)),
    ],
)
def test_older_tables_are_read(text: str, settings: Settings) -> None:
    assert Settings.from_column(text) == settings
    assert str(settings) == text, "people read the same line as before"


@pytest.mark.parametrize("text", ["", "k=many", "{", '{"k": 1}', "k=1 gamma=1 contrast=never"])
def test_what_nobody_wrote_is_no_settings(text: str) -> None:
    assert Settings.from_column(text) is None


def test_a_number_measured_before_and_now_stands_once(explorer: Explorer) -> None:
    row = {"layer": "early", "neuron": 0, "labeler": "", "label": "", "metric": "clarity", "by": "test"}
    row |= {"low": 0.0, "high": 1.0, "when": datetime.now(UTC).replace(microsecond=0)}
    own, additions = Settings(explorer.options()), Additions(explorer.run)
    for text, value in ((str(own), 0.25), (own.column, 0.5)):
        additions.append(FAITHFULNESS, pd.DataFrame([row | {"settings": text, "value": value}]))
    assert read(additions)["value"].tolist() == [0.5]
    assert faithfulness(explorer, "early")["clarity"][0] == 0.5


def test_the_shipped_measurements_are_read() -> None:
    run = Run.open(REPOSITORY / "assets" / "runs" / "demo")
    rows = read(Additions(run))
    assert not rows.empty
    assert all(Settings.from_column(text) for text in rows["settings"].unique())
