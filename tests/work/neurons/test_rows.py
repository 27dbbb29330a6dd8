"""One row a neuron: what the machine says, what was measured, what people decided; and its export."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from csp.errors import BadInputError, UnavailableError
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.vocabulary import Action
from csp.method.labelers.registry import FIRST
from csp.work.explorer.explorer import Explorer
from csp.work.neurons.export import as_csv, as_json, export_columns, export_neurons, export_table
from csp.work.neurons.rows import NeuronRows, columns, common_labels, machine_rows, with_reviews
from csp.work.reviews.desk import Person, ReviewDesk
from tests.build import add_pushes

RULER, HAIRS, NEVER = 0, 1, 2
ANN, BO, CY = (Person(name=name) for name in ("Ann", "Bo", "Cy"))


def decide(
    desk: ReviewDesk, who: Person, verdict: Action, neuron: int, label: str | None = None, **more: Any
) -> None:
    desk.record(who, Entry(layer="late", neuron=neuron, verdict=verdict, label=label, **more))


def reviewed_rows(explorer: Explorer, desk: ReviewDesk) -> NeuronRows:
    return with_reviews(machine_rows(explorer, "late"), desk.reviewed("late"))


def test_without_reviews_every_label_is_the_machines(explorer: Explorer) -> None:
    rows = machine_rows(explorer, "late")
    table = explorer.neurons("late").frame
    assert tuple(rows.frame.columns) == columns()
    assert rows.frame["neuron"].tolist() == table["neuron"].tolist()
    assert rows.frame["machine_label"].equals(table["label"])
    assert set(rows.frame["source"]) == {"machine"}
    assert set(rows.frame["review"]) == {"unreviewed"}
    assert rows.frame["score"].equals(table["score"])


def test_a_label_that_names_an_artefact_is_marked(explorer: Explorer) -> None:
    frame = machine_rows(explorer, "late").frame
    ruler = frame["machine_label"].str.contains("ruler", na=False)
    assert ruler.any() and not ruler.all()
    claimed = ruler & frame["above_noise"]
    assert all("ruler marks" in named for named in frame.loc[claimed, "artefacts"])
    assert not any(frame.loc[ruler & ~claimed, "artefacts"]), "a label of noise claims nothing"
    assert claimed.any() and not claimed[ruler].all()
    assert not any("ruler marks" in named for named in frame.loc[~ruler, "artefacts"])


def test_what_is_not_claimed_is_no_common_label_until_a_person_says_it(
    explorer: Explorer, desk: ReviewDesk
) -> None:
    rows = machine_rows(explorer, "late")
    claimed = {text for one in rows.frame[rows.frame["above_noise"]]["in_force"] for text in one.texts}
    said = {text for one in rows.frame["in_force"] for text in one.texts}
    assert set(common_labels([rows], 100)) == claimed < said
    (idle, *_) = sorted(said - claimed)
    decide(desk, ANN, Action.OVERRIDE, RULER, idle)
    assert idle in common_labels([reviewed_rows(explorer, desk)], 100)


def test_a_class_is_named_only_where_one_is_pushed(explorer: Explorer) -> None:
    assert machine_rows(explorer, "late").attribution_how is None
    add_pushes(explorer.run)
    rows = machine_rows(explorer, "late")
    assert rows.attribution_how == "exact"
    pushed = rows.frame["push_class"].notna()
    assert set(rows.frame.loc[pushed, "push_class"]) <= set(explorer.run.manifest.classes)
    assert (rows.frame.loc[pushed, "push"] > 0).all()
    assert not pushed[NEVER] and rows.frame["push"].isna()[NEVER]


def test_a_persons_label_comes_first_and_the_machines_stays(explorer: Explorer, desk: ReviewDesk) -> None:
    machine = machine_rows(explorer, "late").frame["machine_label"]
    decide(desk, ANN, Action.OVERRIDE, RULER, "gel bubbles")
    decide(desk, BO, Action.CONFIRM, HAIRS)
    decide(desk, BO, Action.REJECT, 4)
    decide(desk, CY, Action.UNSURE, 5)
    frame = reviewed_rows(explorer, desk).frame
    assert frame["label"][RULER] == "gel bubbles"
    assert frame["label"][HAIRS] == machine[HAIRS]
    assert frame["label"][4] is None
    assert frame["machine_label"].equals(machine)
    assert frame["review"].tolist() == ["override", "confirm", "unreviewed", "unreviewed", "reject", "unsure"]
    assert frame["source"].tolist() == ["person", "person", "machine", "machine", "person", "machine"]
    assert frame["reviewers"][RULER] == ["Ann"]
    assert frame["artefacts"][RULER] == ["gel bubbles"]


def test_a_dispute_is_one_until_it_is_settled(explorer: Explorer, desk: ReviewDesk) -> None:
    decide(desk, ANN, Action.OVERRIDE, RULER, "ink")
    decide(desk, BO, Action.OVERRIDE, RULER, "hairs")
    assert reviewed_rows(explorer, desk).frame["review"][RULER] == "disputed"
    decide(desk, CY, Action.RESOLVE, RULER, "ink")
    settled = reviewed_rows(explorer, desk).frame
    assert (settled["review"][RULER], settled["label"][RULER]) == ("override", "ink")


def test_a_second_look_and_a_persons_artefact_tag_show(explorer: Explorer, desk: ReviewDesk) -> None:
    decide(desk, ANN, Action.FLAG, NEVER, tags=("artefact:ink",))
    frame = reviewed_rows(explorer, desk).frame
    assert frame["second_look"].tolist() == [False, False, True, False, False, False]
    assert frame["artefacts"][NEVER][-1] == "ink"
    assert frame["review"][NEVER] == "unreviewed"


def test_the_three_formats_hold_the_same_rows(explorer: Explorer, desk: ReviewDesk, tmp_path: Path) -> None:
    decide(desk, ANN, Action.OVERRIDE, RULER, "=HYPERLINK(1)")
    files = {kind: tmp_path / f"neurons.{kind}" for kind in ("csv", "json", "parquet")}
    for path in files.values():
        assert export_neurons(explorer, desk, path, explorer.run.layers) == 12
    from_json = json.loads(files["json"].read_text())
    assert from_json == pq.read_table(files["parquet"]).to_pylist()
    assert list(from_json[0]) == list(export_columns())
    late = [row for row in from_json if row["layer"] == "late"]
    assert [row["neuron"] for row in late] == list(range(6))
    assert late[RULER]["label"] == "=HYPERLINK(1)"
    assert {row["run_fingerprint"] for row in from_json} == {explorer.run.fingerprint}
    firsts = explorer.run.labels("late").query("neuron == 0 and rank == 1").set_index("labeler")
    first = firsts.loc[FIRST]
    assert late[RULER]["labels"][0] == late[RULER]["consensus_label"] == first["label"]
    assert late[RULER]["csp_label"] == firsts.loc["csp"]["label"]
    assert all(row["chance"] is None for row in late), "not worked out for this run"
    assert late[RULER]["label_scores"][0] == first["score"]
    table = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
    assert [(row["layer"], int(row["neuron"])) for row in table] == [
        (r["layer"], r["neuron"]) for r in from_json
    ]
    assert table[6 + RULER]["label"] == "'=HYPERLINK(1)", "a spreadsheet would run the cell"
    assert table[6 + RULER]["reviewers"] == "Ann"


def test_only_the_neurons_that_somebody_reviewed(
    explorer: Explorer, desk: ReviewDesk, tmp_path: Path
) -> None:
    path = tmp_path / "neurons.json"
    assert export_neurons(explorer, desk, path, ("late",), reviewed_only=True) == 0
    decide(desk, ANN, Action.UNSURE, RULER)
    decide(desk, ANN, Action.FLAG, NEVER)
    assert export_neurons(explorer, desk, path, ("late",), reviewed_only=True) == 2
    assert {row["neuron"] for row in json.loads(path.read_text())} == {RULER, NEVER}


def test_only_the_chosen_rows_in_their_order(explorer: Explorer) -> None:
    rows = machine_rows(explorer, "late")
    table = export_table(explorer, rows, rows.frame.iloc[[4, 1]])
    assert [row["neuron"] for row in json.loads(as_json(table))] == [4, 1]
    nothing = export_table(explorer, rows, rows.frame.iloc[:0])
    assert as_csv(nothing).decode().split("\r\n") == [",".join(export_columns()), ""]


def test_what_can_not_be_written_is_said(explorer: Explorer, desk: ReviewDesk, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="xlsx"):
        export_neurons(explorer, desk, tmp_path / "neurons.xlsx", ("late",))
    with pytest.raises(UnavailableError, match="no/neurons"):
        export_neurons(explorer, desk, tmp_path / "no" / "neurons.csv", ("late",))
    assert list(tmp_path.glob("*.xlsx")) == []
