"""Commands that look at models and runs: layers, examples, label, runs."""

from typing import Annotated, Any

import numpy as np
import typer
from jaxtyping import Float

from csp.counts import percent
from csp.face.cli.options import (
    ContrastOption,
    ExamplesOption,
    GammaOption,
    InPlaceOption,
    JsonOption,
    LayerOption,
    NeuronsOption,
    NoReuseOption,
    RunArgument,
    one_layer,
)
from csp.face.cli.output import print_columns, print_json, print_lines, print_notes
from csp.face.cli.progress import shown_progress
from csp.work.neurons.selection import choose_neurons


def layers(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A target model, such as $targets.")],
    json: JsonOption = False,
) -> None:
    """List the layers of a target model that can be indexed."""
    from csp.work.models.notes import model_notes
    from csp.work.runs.spec_paths import openable_spec
    from csp.world.protocols.target import open_target

    target = open_target(openable_spec(spec))
    found = target.layers()
    print_notes(model_notes(target))
    if json:
        print_json([{"layer": info.layer, "type": info.type, "shape": list(info.shape)} for info in found])
        return
    rows = [
        (info.layer, info.type, " x ".join(map(str, info.shape)), f"{info.parameters:,}") for info in found
    ]
    print_columns(("layer", "type", "shape", "parameters"), rows)


def runs(
    trust: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Trust a run from elsewhere: open what it names."),
    ] = None,
    distrust: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Withdraw the trust in a run: nothing that it names is opened."),
    ] = None,
    open_: Annotated[
        str | None,
        typer.Option("--open", metavar="ADDRESS", help="Add a run on a server, such as s3://bucket/skin."),
    ] = None,
    forget: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Delete what was fetched of a run on a server; reviews stay."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the runs in the cache, those shipped with the program, and those on servers that were opened."""
    from csp.keeping.library.find import find_run
    from csp.keeping.library.trash import forget_run
    from csp.work.runs.listing import describe_runs

    if open_ is not None:
        find_run(open_)
    if forget is not None:
        forget_run(forget)
    if trust is not None:
        _trust(trust)
    if distrust is not None:
        _distrust(distrust)
    found = describe_runs()
    if json:
        print_json(found)
        return
    if not found:
        print_lines(["no runs yet; make one with `csp index`"])
        return
    print_columns(("run", "images", "layers", "model"), [_run_row(run) for run in found])
    strangers = [run["name"] for run in found if not run["problem"] and run["trust"] is None]
    if strangers:
        print_notes([f"not made here, opened without trust (`csp runs --trust RUN`): {', '.join(strangers)}"])


def _trust(run: str) -> None:
    import getpass

    from csp.work.runs.strangers import trust_run

    trust = trust_run(run, getpass.getuser())
    by = f", by {trust.who} at {trust.when}" if trust.who else ""
    print_notes([f"{trust.run} is opened as it asks to be ({trust.how}{by})"])


def _distrust(run: str) -> None:
    import getpass

    from csp.work.runs.strangers import distrust_run

    withdrawn = distrust_run(run, getpass.getuser())
    print_notes([f"{withdrawn.run} is a stranger ({withdrawn.how}, by {withdrawn.who} at {withdrawn.when})"])


def _run_row(run: dict[str, Any]) -> tuple[object, ...]:
    if run["problem"]:
        return run["name"], "-", "-", run["problem"]
    names = ", ".join(f"{layer['layer']} ({layer['neurons']})" for layer in run["layers"])
    return run["name"], run["images"], names, run["target"]


def examples(
    run: RunArgument,
    neuron: Annotated[int, typer.Option(help="The neuron's number.")],
    layer: LayerOption = None,
    examples: ExamplesOption = None,
    contrast: ContrastOption = None,
    no_reuse: NoReuseOption = False,
    json: JsonOption = False,
) -> None:
    """Show a neuron's activating examples, each beside its contrastive example."""
    from csp.work.explorer.explorer import open_explorer

    explorer = open_explorer(run)
    name = one_layer(explorer.run, layer)
    options = explorer.options(examples, reuse=False if no_reuse else None, contrast=contrast)
    pairs, mean = explorer.pairs(name, neuron, options)
    activating = [
        {"image": pair.activating.image, "path": pair.activating.path, "activation": pair.activation}
        for pair in pairs
    ]
    contrastive = [
        {
            "image": pair.contrastive.image if pair.contrastive else None,
            "path": pair.contrastive.path if pair.contrastive else None,
            "activation": pair.contrastive_activation,
            "similarity": pair.similarity,
        }
        for pair in pairs
    ]
    if json:
        document = {"layer": name, "neuron": neuron, "mean_activation": mean}
        print_json(document | {"activating": activating, "contrastive": contrastive})
        return
    print_lines([f"neuron {neuron} of {name}, mean activation {mean:.4g}"])
    print_notes(_what_is_odd(explorer.run.activations(name, neuron), options.k))
    rows = [
        (
            one["path"] or one["image"],
            one["activation"],
            two["path"] or two["image"],
            two["activation"],
            two["similarity"],
        )
        for one, two in zip(activating, contrastive, strict=True)
    ]
    print_columns(("activating", "activation", "contrastive", "activation", "cosine"), rows)


def _what_is_odd(activations: Float[np.ndarray, " n"], k: int) -> list[str]:
    """The sentences that the neuron's page says too, such as that it never fires."""
    from csp.method.states import NeuronState, neuron_states, sentence

    firing = int((activations > 0).sum())
    return [sentence(one, firing) for one in neuron_states(activations, k) if one is not NeuronState.NORMAL]


def label(
    run: RunArgument,
    method: Annotated[
        str | None, typer.Option(help="The labeler: $labelers; the one that the app shows first if left out.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="All layers if left out.")] = None,
    neurons: NeuronsOption = "all",
    gamma: GammaOption = None,
    examples: ExamplesOption = None,
    contrast: ContrastOption = None,
    no_reuse: NoReuseOption = False,
    top: Annotated[int, typer.Option(min=1, help="How many labels for each neuron.")] = 5,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Among the vocabulary and the candidates.")
    ] = False,
    subtract_template: Annotated[
        bool,
        typer.Option(
            "--subtract-template",
            help="semanticlens: score what texts say beyond the empty prompt template.",
        ),
    ] = False,
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="People's labels before the machine's.")
    ] = False,
    facets: Annotated[
        bool, typer.Option("--facets", help="Also the several things that each neuron looks for.")
    ] = False,
    in_place: InPlaceOption = False,
    json: JsonOption = False,
) -> None:
    """Print the best labels of neurons.

    Facets of all neurons at the run's own settings are kept with the run: its pages then show them.
    """
    from csp.method.labelers.registry import FIRST
    from csp.work.explorer.explorer import open_explorer
    from csp.work.neurons.label_lists import label_lists

    explorer = open_explorer(run)
    options = explorer.options(examples, gamma, False if no_reuse else None, contrast)
    names = explorer.run.layers if layer is None else (one_layer(explorer.run, layer),)
    chosen = {name: choose_neurons(neurons, name, explorer.run.layer(name).neurons) for name in names}
    if facets and neurons == "all" and options == explorer.options() and (method or FIRST) == FIRST:
        from csp.work.explorer.facets import measure_facets

        with shown_progress() as report:
            measure_facets(explorer, report, layers=names, in_place=in_place)
    found = label_lists(
        explorer,
        chosen,
        method or FIRST,
        options,
        top,
        candidates=candidates,
        subtract_template=subtract_template,
        with_facets=facets,
    )
    cold = sum(not row["labels"] for row in found)
    if reviewed:
        from csp.work.reviews.desk import open_reviewing
        from csp.work.reviews.label_in_force import put_people_first

        found = put_people_first(found, open_reviewing(run), top)
    if json:
        print_json(found)
        return
    rows = [
        (
            row["layer"],
            row["neuron"],
            "-" if row["chance"] is None else f"{row['chance']:.2f}",
            ", ".join(map(_label_cell, row["labels"])) or "-",
            *([_facets_cell(row["facets"])] if facets else []),
            *([f"{row['source']} {', '.join(row['reviewed_by'])}".strip()] if reviewed else []),
        )
        for row in found
    ]
    heads = (*(["facets"] if facets else []), *(["by"] if reviewed else []))
    print_columns(("layer", "neuron", "chance", "labels", *heads), rows)
    if cold:
        never = "never fires" if cold == 1 else "never fire"
        print_notes(
            [f"{cold:,} of {len(found):,} {never} on these images, so the machine has no label for them"]
        )


def _facets_cell(facets: list[dict[str, Any]]) -> str:
    """Each thing with how much of the firing it explains: "dark corners 31 %, also blue-white veil 12 %"."""
    return ", also ".join(f"{one['labels'][0]['label']} {percent(one['share'])}" for one in facets) or "-"


def _label_cell(row: dict[str, Any]) -> str:
    return row["label"] if row["score"] is None else f"{row['label']} {row['score']:.3f}"
