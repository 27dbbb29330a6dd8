"""The commands on the review record: list, export, import, verify, agreement."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csp.counts import counted
from csp.errors import BadInputError
from csp.face.cli.options import JsonOption, RunArgument
from csp.face.cli.output import print_columns, print_error, print_json, print_lines, stdout_kept_for

if TYPE_CHECKING:  # Zarr and pandas cost half a second, which a list of all runs can do without
    from csp.keeping.run_folder.run import Run

REFUSED = 2

OptionalRun = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="A run's folder or name; all if left out.")
]

app = typer.Typer(
    help="The record of what people decided: list, export, import, verify, agreement.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(
    run: OptionalRun = None,
    conflicts: Annotated[bool, typer.Option("--conflicts", help="Only where people differ.")] = False,
    json: JsonOption = False,
) -> None:
    """List every event, oldest first, or the neurons on which people differ."""
    from csp.keeping.reviews.rows import to_row
    from csp.keeping.reviews.store import open_reviews

    if conflicts:
        return _list_conflicts(run, json)
    opened = _open(run)
    with open_reviews() as reviews:
        rows = [to_row(event) for event in reviews.events(opened.fingerprint if opened else None)]
    if json:
        print_json(rows)
        return None
    shown = ("sequence", "at", "run", "layer", "neuron", "verdict", "label", "reviewer", "reason")
    print_columns(shown, [[_short(row[name]) for name in shown] for row in rows])
    return None


@app.command("export")
def export(
    run: OptionalRun = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("reviews.csv"),
    format: Annotated[str | None, typer.Option(help="csv, json or parquet; else by the file's name.")] = None,
    json: JsonOption = False,
) -> None:
    """Write the events of a run, or all, to a file that `csp review import` reads without loss."""
    from csp.keeping.reviews.store import open_reviews
    from csp.work.reviews.exchange import export_reviews

    with open_reviews() as reviews:
        count = export_reviews(reviews, out, _open(run), format)
    with stdout_kept_for(out):
        if json:
            print_json({"events": count, "path": str(out)})
        else:
            print_lines([f"{counted(count, 'event')} written to {out}"])


@app.command("import")
def import_(
    files: Annotated[list[str], typer.Argument(metavar="[RUN] FILE", help="CSV, JSON or Parquet.")],
    json: JsonOption = False,
) -> int:
    """Add the rows of a file that are not recorded yet; with RUN, refuse rows for other runs."""
    from csp.keeping.reviews.store import open_reviews
    from csp.work.reviews.exchange import import_reviews

    if len(files) > 2:
        raise BadInputError(f"give one file, and a run before it if you like, not {len(files)} names")
    run = _open(files[0] if len(files) == 2 else None)
    with open_reviews() as reviews:
        done = import_reviews(reviews, Path(files[-1]), run)
    for number, reason in done.refused:
        print_error(f"row {number}: {reason}")
    if json:
        refused = [{"row": number, "reason": reason} for number, reason in done.refused]
        counts = {"added": done.added, "known": done.known, "restored": done.restored}
        print_json(counts | {"refused": refused})
    else:
        how = ", the whole chain as it was" if done.restored else ""
        added = counted(done.added, "event")
        print_lines([f"{added} added{how}, {done.known} known already, {len(done.refused)} refused"])
    return REFUSED if done.refused else 0


@app.command("verify")
def verify(
    expect: Annotated[
        str | None, typer.Option(help="A hash noted earlier: its event must still be there.")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Check that no event was changed, removed, added or moved; name the first bad one."""
    from csp.keeping.reviews.store import open_reviews

    with open_reviews() as reviews:
        found = reviews.verify(expect)
    if json:
        print_json(vars(found))
    elif found.ok:
        print_lines([f"{counted(found.events, 'event')}, all as recorded; the newest hash is {found.head}"])
    if not found.ok:
        print_error(f"the review record is broken: {found.problem}")
    return 0 if found.ok else REFUSED


@app.command("agreement")
def agreement(run: RunArgument, json: JsonOption = False) -> None:
    """Say how far the reviewers of a run agree beyond chance."""
    from csp.work.reviews.agreement import agreement as measure
    from csp.work.reviews.desk import open_reviewing

    found = measure(open_reviewing(run).states())
    if json:
        print_json(found)
        return
    judged = counted(found["neurons"], "neuron")
    print_lines([f"{judged} judged by two or more, {found['conflicts']} in dispute"])
    rows: list[tuple[object, ...]] = [
        (f"{pair['left']} and {pair['right']} (Cohen)", *_kappa(pair)) for pair in found["pairs"]
    ]
    if found["fleiss"]:
        rows.append(("all (Fleiss)", *_kappa(found["fleiss"])))
    print_columns(("reviewers", "kappa", "agreeing", "n"), rows)


def _list_conflicts(run: str | None, json: bool) -> None:
    from csp.work.reviews.agreement import conflicts
    from csp.work.reviews.desk import open_reviewing

    if run is None:
        raise BadInputError("name the run whose conflicts to list")
    found = conflicts(open_reviewing(run).states())
    if json:
        print_json(found)
        return
    rows = [
        (one["layer"], one["neuron"], verdict["reviewer"], verdict["verdict"], _short(verdict["label"]))
        for one in found
        for verdict in one["verdicts"]
    ]
    print_columns(("layer", "neuron", "reviewer", "verdict", "label"), rows)


def _open(run: str | None) -> "Run | None":
    from csp.keeping.library.find import find_run
    from csp.keeping.run_folder.run import Run

    return None if run is None else Run.open(find_run(run))


def _kappa(found: dict[str, Any]) -> tuple[object, ...]:
    return found["kappa"], found["observed"], found["n"]


def _short(cell: object) -> object:
    return f"{cell[:59]}…" if isinstance(cell, str) and len(cell) > 60 else cell
