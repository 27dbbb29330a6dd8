"""Writes the neurons of a run into a file that other programs read: one row a neuron, with all that is known.

The page offers the same rows, of the neurons that it shows. Each row says by itself which run, parameters and
versions it comes from. `FORMATS` is the list of formats; a new one is a function and a line there.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from csp.errors import BadInputError
from csp.keeping import atomic
from csp.keeping.reviews.state import NeuronReview
from csp.keeping.run_folder.tables import Columns, to_arrow
from csp.keeping.spreadsheet import guarded
from csp.keeping.versions import csp_version
from csp.method.labelers.registry import LABELERS
from csp.work.explorer.explorer import Explorer
from csp.work.metrics.registry import label_numbers, neuron_numbers
from csp.work.neurons.rows import NeuronRows, machine_rows, with_chances, with_reviews
from csp.work.reviews.desk import ReviewDesk, Spot
from csp.work.reviews.recalibrated import recalibrated_by

LABELS = 5
"""How many of the machine's best labels a row holds."""
_TEXT, _WHOLE, _REAL, _TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()
Content = Callable[[pa.Table], bytes]


def export_columns() -> Columns:
    """The columns of an export, and their types."""
    return {
        **dict.fromkeys(("run", "run_fingerprint", "layer"), _TEXT),
        "neuron": _WHOLE,
        **dict.fromkeys(("label", "source", "review"), _TEXT),
        "reviewers": pa.list_(_TEXT),
        "second_look": _TRUTH,
        "labeler": _TEXT,
        "labels": pa.list_(_TEXT),
        "label_scores": pa.list_(_REAL),
        **{labeler.column: _TEXT for labeler in LABELERS.values()},
        **dict.fromkeys(("chance", "score", "margin", "lead"), _REAL),
        "rival": _TEXT,
        "doubt": _REAL,
        "doubts": pa.list_(_TEXT),
        **dict.fromkeys((*label_numbers(), *neuron_numbers()), _REAL),
        "push_class": _TEXT,
        "push": _REAL,
        "push_how": _TEXT,
        "artefacts": pa.list_(_TEXT),
        "state": _TEXT,
        **dict.fromkeys(("mean", "maximum", "share_firing"), _REAL),
        "top_images": pa.list_(_WHOLE),
        "gamma": _REAL,
        "examples": _WHOLE,
        **dict.fromkeys(("target", "encoder", "run_csp_version", "csp_version"), _TEXT),
    }


def export_neurons(
    explorer: Explorer,
    desk: ReviewDesk,
    path: Path,
    layers: Sequence[str],
    named: str | None = None,
    reviewed_only: bool = False,
) -> int:
    """Write all neurons of some layers, or those reviewed, whole or not at all; gives their number.

    Raises BadInputError for an unknown format, UnavailableError when the file can't be written.
    """
    content = FORMATS[file_format(path, named)]
    atomic.expect_delivery(path)
    states = desk.states()
    tables = []
    for layer in layers:
        rows = _rows_of(explorer, layer, states)
        reviewed = [(layer, neuron) in states or not reviewed_only for neuron in rows.frame["neuron"]]
        tables.append(export_table(explorer, rows, rows.frame[reviewed]))
    table = pa.concat_tables(tables)
    atomic.deliver(path, content(table))
    return int(table.num_rows)


def _rows_of(explorer: Explorer, layer: str, states: Mapping[Spot, NeuronReview]) -> NeuronRows:
    rows = with_chances(machine_rows(explorer, layer), recalibrated_by(explorer.run, layer, states))
    return with_reviews(rows, {neuron: state for (where, neuron), state in states.items() if where == layer})


def file_format(path: Path, named: str | None = None) -> str:
    """The format named, or else the file's ending; BadInputError for one that is not in `FORMATS`."""
    found = named or path.suffix.lower().lstrip(".")
    if found not in FORMATS:
        raise BadInputError(f"{found or path.name!r} is no format of an export; use {', '.join(FORMATS)}")
    return found


def export_table(explorer: Explorer, rows: NeuronRows, chosen: pd.DataFrame) -> pa.Table:
    """The chosen rows of a layer, in their order, with the run and its parameters: `export_columns`."""
    run, made, wanted = explorer.run, explorer.run.manifest, export_columns()
    columns: dict[str, Any] = {name: chosen[name] for name in wanted if name in chosen}
    columns |= _labels(explorer, rows.layer, chosen["neuron"].tolist())
    constant = {
        "run": run.name,
        "run_fingerprint": run.fingerprint,
        "layer": rows.layer,
        "labeler": explorer.stored_labels.first_labeler(rows.layer),
        "push_how": rows.attribution_how,
        "gamma": made.parameters.gamma,
        "examples": made.parameters.k,
        "target": made.target.name,
        "encoder": made.encoder.name,
        "run_csp_version": made.csp_version,
        "csp_version": csp_version(),
    }
    lists = {name: pd.Series(value, chosen.index, dtype=object) for name, value in columns.items()}
    return to_arrow(pd.DataFrame(lists).assign(**constant), wanted)


def as_csv(table: pa.Table) -> bytes:
    """Comma-separated, UTF-8; lists with `; ` between, and no cell that a spreadsheet would run."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, table.column_names)
    writer.writeheader()
    writer.writerows({name: guarded(_joined(cell)) for name, cell in row.items()} for row in _rows(table))
    return text.getvalue().encode()


def as_json(table: pa.Table) -> bytes:
    """A list of objects; null where something is not known."""
    return json.dumps(list(_rows(table)), ensure_ascii=False, indent=1, allow_nan=False).encode()


def as_parquet(table: pa.Table) -> bytes:
    """Parquet, compressed with zstd."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


FORMATS: dict[str, Content] = {"csv": as_csv, "json": as_json, "parquet": as_parquet}


def _labels(explorer: Explorer, layer: str, neurons: Sequence[int]) -> dict[str, list[Any]]:
    """Columns of stored labels: the best by the first labeler with their scores, the first by each."""
    stored = explorer.stored_labels
    firsts = stored.first_rows(layer)
    best = [firsts.get(neuron, ())[:LABELS] for neuron in neurons]
    leading = stored.frame(layer).query("rank == 1").set_index(["labeler", "neuron"])["label"].to_dict()
    return {
        "labels": [[row.label for row in rows] for rows in best],
        "label_scores": [[row.score for row in rows] for rows in best],
        **{
            labeler.column: [leading.get((name, neuron)) for neuron in neurons]
            for name, labeler in LABELERS.items()
        },
    }


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _joined(cell: Any) -> Any:
    return "; ".join(map(str, cell)) if isinstance(cell, Iterable) and not isinstance(cell, str) else cell
