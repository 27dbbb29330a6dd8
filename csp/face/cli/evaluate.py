"""The command that judges labels and neurons: evaluate."""

from pathlib import Path
from typing import Annotated, Any

import typer

from csp.counts import counted
from csp.face.cli.options import (
    AddressOption,
    AllLayersOption,
    ContrastOption,
    EngineOption,
    ExamplesOption,
    GammaOption,
    InPlaceOption,
    JsonOption,
    NeuronsOption,
    NoReuseOption,
    RunArgument,
    chosen_engine,
    one_layer,
)
from csp.face.cli.output import print_columns, print_json, print_lines, print_notes
from csp.face.cli.progress import shown_progress
from csp.work.neurons.selection import choose_neurons

MetricOption = Annotated[
    str | None,
    typer.Option(help="$metrics; if left out, ground-truth, or what can be measured without it."),
]


def evaluate(
    run: RunArgument,
    metric: MetricOption = None,
    method: Annotated[
        list[str] | None, typer.Option(help="A labeler: $labelers; repeat for several, all if left out.")
    ] = None,
    layer: AllLayersOption = None,
    neurons: NeuronsOption = "all",
    gamma: GammaOption = None,
    examples: ExamplesOption = None,
    contrast: ContrastOption = None,
    no_reuse: NoReuseOption = False,
    simulator: Annotated[
        str | None, typer.Option(help="simcorr: an encoder other than the run's own, such as $encoders.")
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(
            help="cosy: what makes the pictures, such as $generators; ground-truth: what draws cases "
            "with and without each attribute."
        ),
    ] = None,
    generated: Annotated[
        int | None, typer.Option(min=1, help="cosy: pictures of each label (20); ground-truth: cases (100).")
    ] = None,
    engine: EngineOption = None,
    address: AddressOption = None,
    in_place: InPlaceOption = False,
    json: JsonOption = False,
) -> None:
    """Measure how good labels are; results join the run, and a stopped job goes on where it was."""
    from csp.work.metrics.registry import find_metric

    if metric is not None:
        find_metric(metric)
    from csp.method.labelers.registry import LABELERS
    from csp.work.explorer.explorer import open_explorer
    from csp.work.metrics.evaluate import evaluate as measure
    from csp.work.metrics.ground_truth import measurable
    from csp.work.metrics.protocol import MetricRequest
    from csp.work.models.interventions import CASES, intervene

    explorer, where = open_explorer(run), chosen_engine(engine, address)
    if metric is None:
        metric, why = measurable(explorer.run)
        print_notes(why)
    options = explorer.options(examples, gamma, False if no_reuse else None, contrast)
    names = explorer.run.layers if layer is None else (one_layer(explorer.run, layer),)
    chosen = {name: choose_neurons(neurons, name, explorer.run.layer(name).neurons) for name in names}
    request = MetricRequest(
        metric,
        tuple(dict.fromkeys(method or LABELERS)),
        options,
        chosen,
        simulator,
        generator,
        generated or 20,
    )
    with shown_progress() as report:
        if metric == "ground-truth" and generator is not None:
            intervene(explorer.run, generator, generated or CASES, report, in_place=in_place)
        evaluation = measure(explorer, request, report, in_place=in_place, engine=where)
    if metric == "ground-truth":
        from csp.work.metrics.ground_truth import ground_truth

        _tell_truth(ground_truth(explorer, request.labelers, options, chosen), json)
        return
    from csp.work.metrics.evaluate import summary

    _tell({"run": explorer.run.name} | summary(evaluation), str(evaluation.settings), json)


def experiment(
    config: Annotated[Path, typer.Argument(help="A .yaml file such as examples/demo-experiment.yaml.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the table as Markdown.")] = None,
    in_place: InPlaceOption = False,
    json: JsonOption = False,
) -> None:
    """Compare ways to label on one run, as the paper does: a table with intervals and paired differences."""
    from csp.work.metrics.experiment import as_json, read_experiment, run_experiment, write_markdown

    read = read_experiment(config)
    with shown_progress() as report:
        found = run_experiment(read, report, in_place=in_place)
    if out is not None:
        write_markdown(found, out)
    if json:
        print_json(as_json(found))
    else:
        print_lines(found.markdown().splitlines())


def _tell(found: dict[str, Any], settings: str, json: bool) -> None:
    if json:
        print_json(found)
        return
    from csp.work.metrics.registry import METRICS, NUMBERS

    print_lines([f"{METRICS[found['metric']].what}; {settings}"])
    for number, parts in found["numbers"].items():
        print_lines(["", f"{NUMBERS[number].title}: {NUMBERS[number].help}"])
        means = [
            _interval_row(name, one) for name, one in (parts["methods"] | parts.get("classes", {})).items()
        ]
        differences = [_interval_row(name, one) for name, one in parts["differences"].items()]
        print_columns(("labeler", "mean", "95 % interval", "neurons"), means + differences)


def _interval_row(name: str, found: dict[str, Any]) -> tuple[object, ...]:
    return name, found["mean"], _interval(found), found["n"]


def _interval(found: dict[str, Any]) -> str | None:
    return None if found["low"] is None else f"{found['low']:.3f} to {found['high']:.3f}"


def _tell_truth(result: dict[str, Any], json: bool) -> None:
    if json:
        print_json({name: value for name, value in result.items() if name != "judged"})
        return
    follow = "follows" if result["clear"] == 1 else "follow"
    print_lines(
        [
            f"{result['clear']} of {counted(result['neurons'], 'neuron')} {follow} an attribute clearly "
            f"(AUROC of at least {result['threshold']}"
            + (
                f" on {result['images']} images: {result['split']})"
                if result["interventions"] is None
                else ")"
            )
        ]
    )
    if (both := result["interventions"]) is not None:
        print_lines(
            [
                f"by intervention, which is the truth: {both['clear_by_intervention']} clear; of "
                f"{both['clear_in_both']} clear in both, {both['agree']} follow the same attribute"
            ]
        )
    header = ("labeler", "true", "95 % interval", "that alone", "too broad", "other attribute", "nothing")
    print_columns(header, [_truth_row(name, found) for name, found in result["methods"].items()])
    differences = [(name, found["share"], _interval(found)) for name, found in result["differences"].items()]
    if differences:
        print_lines(["", "true, paired by neuron"])
        print_columns(("labelers", "difference", "95 % interval"), differences)


def _truth_row(method: str, found: dict[str, Any]) -> tuple[object, ...]:
    parts = (found[part]["share"] for part in ("alone", "too_broad", "other_attribute", "nothing"))
    return method, found["share"], _interval(found), *parts
