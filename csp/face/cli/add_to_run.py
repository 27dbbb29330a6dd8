"""Commands that add to a finished run, or write of it: map, attribute, control, export."""

from pathlib import Path
from typing import Annotated

import typer

from csp.counts import counted
from csp.face.cli.options import AllLayersOption, InPlaceOption, JsonOption, RunArgument
from csp.face.cli.output import print_columns, print_json, print_lines, print_notes, stdout_kept_for
from csp.face.cli.progress import shown_progress


def map_(
    run: RunArgument, layer: AllLayersOption = None, in_place: InPlaceOption = False, json: JsonOption = False
) -> None:
    """Draw the map of neurons that the screens show, and keep it with the run."""
    from csp.keeping.library.find import find_run
    from csp.keeping.run_folder.run import Run
    from csp.work.neurons.map import draw_map

    opened = Run.open(find_run(run))
    layers = opened.layers if layer is None else (opened.layer(layer).layer,)
    with shown_progress() as report:
        drawn = draw_map(opened, layers, report, in_place=in_place)
    if json:
        print_json(
            {"run": opened.name, "layers": [{"layer": name, "how": how} for name, how in drawn.items()]}
        )
        return
    print_lines(f"{name}: map drawn ({how})" for name, how in drawn.items())


def attribute(
    run: RunArgument, layer: AllLayersOption = None, in_place: InPlaceOption = False, json: JsonOption = False
) -> None:
    """Measure with the model how much each neuron pushes towards each class, and keep it with the run."""
    from csp.keeping.library.find import find_run
    from csp.keeping.run_folder.run import Run
    from csp.work.attribution.measure import measure_attribution

    opened = Run.open(find_run(run))
    layers = opened.layers if layer is None else (opened.layer(layer).layer,)
    with shown_progress() as report:
        found = measure_attribution(opened, layers, report, in_place=in_place)
    if json:
        print_json(
            {"run": opened.name, "layers": [{"layer": name, "how": how} for name, how in found.items()]}
        )
        return
    print_lines(f"{name}: attribution measured ({how})" for name, how in found.items())


def control(
    run: RunArgument,
    layer: AllLayersOption = None,
    random_weights: Annotated[
        bool,
        typer.Option(
            "--random-weights",
            help="Also label the same layers with random weights: all images once more through the model.",
        ),
    ] = False,
    in_place: InPlaceOption = False,
    json: JsonOption = False,
) -> None:
    """Print the first labels beside what noise gives, and keep what noise gives with the run."""
    from csp.work.control.control import measure_control
    from csp.work.control.sight import encoder_sight
    from csp.work.control.summary import control_rows
    from csp.work.control.untrained import measure_untrained
    from csp.work.explorer.explorer import open_explorer

    explorer = open_explorer(run)
    layers = explorer.run.layers if layer is None else (explorer.run.layer(layer).layer,)
    with shown_progress() as report:
        measure_control(explorer, report, layers=layers, in_place=in_place)
        if random_weights:
            measure_untrained(explorer, report, layers=layers, in_place=in_place)
    rows, sight = control_rows(explorer, layers), encoder_sight(explorer)
    if json:
        seen = None if sight is None else sight.as_json()
        print_json({"run": explorer.run.name, "control": rows, "encoder": seen})
        return
    measured = any(row["score_untrained"] is not None for row in rows)
    titles = (
        "layer",
        "labeler",
        "neurons",
        "score",
        "by noise",
        "up to",
        "fit",
        "by noise",
        "up to",
        "above",
        "by chance",
        "score, random weights",
        "fit",
        "above",
    )
    print_columns(titles, [tuple("" if value is None else value for value in row.values()) for row in rows])
    print_notes(
        [
            "score: of first labels, the median; by noise: of the same neurons shuffled over the images, "
            "the mean and what 19 of 20 do not pass; fit: correlation of the label with the firing; "
            "above: labels that fit better than noise",
            "random weights: the same layer with weights drawn anew; the means of its labels, and how "
            "many of as many would be above: nothing of that was learnt"
            if measured
            else "--random-weights also says what the layers give before anything is learnt",
            *([f"the encoder sees {sight.share:.2f} of 1: {sight.sentence}"] if sight else []),
        ]
    )


def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="csv, json, parquet, or html: the audit report; else by the file's ending."
        ),
    ] = None,
    layer: AllLayersOption = None,
    pictures: Annotated[bool, typer.Option(help="Pictures in the html report.")] = True,
    reviewed_only: Annotated[
        bool,
        typer.Option("--reviewed-only", help="Leave out the neurons that nobody reviewed."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write every neuron with its labels, scores, measures, attribution and review into one file."""
    from csp.keeping.reviews.store import open_reviews
    from csp.work.explorer.explorer import open_explorer
    from csp.work.neurons.export import export_neurons
    from csp.work.report.content import ReportOptions
    from csp.work.report.export import export_report, is_report
    from csp.work.reviews.desk import ReviewDesk

    explorer = open_explorer(run)
    layers = explorer.run.layers if layer is None else (explorer.run.layer(layer).layer,)
    with open_reviews() as reviews:
        desk = ReviewDesk(explorer.run, reviews)
        if is_report(out, format_):
            wish = ReportOptions(layers, pictures=pictures, reviewed_only=reviewed_only)
            with shown_progress() as report:
                count = export_report(explorer, desk, out, wish, report)
        else:
            count = export_neurons(explorer, desk, out, layers, format_, reviewed_only)
    with stdout_kept_for(out):
        if json:
            print_json({"run": explorer.run.name, "neurons": count, "path": str(out)})
        else:
            print_lines([f"{counted(count, 'neuron')} of {explorer.run.name} in {out}"])
