"""The command that tells what the model leans on: reliance."""

from typing import TYPE_CHECKING, Annotated

import typer

from csp.face.cli.options import JsonOption, RunArgument
from csp.face.cli.output import print_columns, print_json, print_lines, print_notes
from csp.face.cli.progress import shown_progress

if TYPE_CHECKING:
    from csp.work.reliance.numbers import Change
    from csp.work.reliance.reliance import ConceptReliance, Reliance

ConceptOption = Annotated[
    list[str] | None, typer.Option("--concept", help="A concept or one of its labels; all if left out.")
]


def reliance(
    run: RunArgument,
    concept: ConceptOption = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Also by a column of the dataset, such as sex.")
    ] = None,
    model: Annotated[
        bool, typer.Option("--model", help="Run the model for what the run alone can't tell; it is kept.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Tell what the model leans on: how its answers change when a concept's neurons are switched off."""
    from csp.work.explorer.explorer import open_explorer
    from csp.work.reliance.document import document
    from csp.work.reliance.reliance import measure_untested
    from csp.work.reliance.reliance import reliance as found_by
    from csp.work.reviews.desk import open_reviewing

    explorer, states = open_explorer(run), open_reviewing(run).states()
    with shown_progress() as report:
        if model:
            measure_untested(explorer, states, concept, report)
        found = found_by(explorer, states, concept, by=by, report=report)
    if json:
        print_json(document(explorer.run, found))
        return
    _print(found)
    print_notes(f"not measured: {one.concept.name}: {one.why}" for one in found.untested)


def _print(found: "Reliance") -> None:
    header = ("concept", "neurons", "checked", "class", "with it", "95 %", "without", "random", "leans")
    print_columns(header, [_row(one) for one in found.concepts])
    for one in found.concepts:
        if one.subgroups is not None:
            print_lines(["", f"{one.concept.name} by {one.subgroups.column}: {one.numbers.most}"])
            rows = [
                (
                    group.name,
                    group.n,
                    _percent(group.classes[one.numbers.most]["with"]),
                    _interval(group.classes[one.numbers.most]["with"]),
                    group.classes[one.numbers.most]["with"].n,
                    "few images" if group.small else "",
                )
                for group in one.subgroups.groups
            ]
            print_columns(("group", "images", "with it", "95 %", "n", ""), rows)


def _row(one: "ConceptReliance") -> tuple[object, ...]:
    numbers = one.numbers
    told = numbers.classes[numbers.most]
    random = told.random
    return (
        one.concept.name,
        numbers.neurons,
        f"{one.concept.checked} of {len(one.concept.neurons)}",
        numbers.most,
        _percent(told.main),
        _interval(told.main),
        _percent(told.off),
        "-" if random.low is None or random.high is None else f"{random.low:+.3f} to {random.high:+.3f}",
        "yes" if one.leans else "no",
    )


def _percent(change: "Change") -> str:
    return "-" if change.change is None else f"{change.change:+.3f}"


def _interval(change: "Change") -> str:
    return "-" if change.low is None or change.high is None else f"{change.low:+.3f} to {change.high:+.3f}"
