"""Commands that make a run, or what one is made with: index, import, sae train, sae index."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from csp.face.cli.options import (
    AddressOption,
    EngineOption,
    JsonOption,
    LayerOption,
    OutOption,
    RunArgument,
    VocabularyOption,
    one_layer,
)
from csp.face.cli.output import print_json, print_lines
from csp.face.cli.progress import shown_progress
from csp.face.cli.registered import RegisteredCommand

ExamplesOption = Annotated[int | None, typer.Option("--examples", help="Examples of each neuron (30).")]
GammaOption = Annotated[float | None, typer.Option(help="Weight of the contrast, 0 to 1 (1).")]
ContrastOption = Annotated[
    str | None,
    typer.Option(help="Contrast rule: mean (usual), or such as quantile:0.1,neighbours:5,least:0.8."),
]
ExactOption = Annotated[
    int | None,
    typer.Option(min=0, help="Up to so many images neighbours are exact; above, by FAISS (200,000)."),
]
NoReuseOption = Annotated[bool, typer.Option("--no-reuse", help="Let no contrastive image serve twice.")]


def index(
    config: Annotated[Path | None, typer.Argument(help="A .yaml or .json file with the options.")] = None,
    model: Annotated[str | None, typer.Option(help="The target model, such as $targets.")] = None,
    layer: Annotated[list[str] | None, typer.Option(help="A layer to read; repeat for several.")] = None,
    sae: Annotated[
        list[str] | None,
        typer.Option(help="A sparse autoencoder on a layer: LAYER=SPEC, such as $saes; repeat for several."),
    ] = None,
    data: Annotated[str | None, typer.Option(help="Probe images: $datasets.")] = None,
    encoder: Annotated[str | None, typer.Option(help="The encoder, such as $encoders.")] = None,
    out: OutOption = None,
    vocabulary: VocabularyOption = None,
    pooling: Annotated[
        str | None,
        typer.Option(help="mean, max, patch, cls, quantile:0.95; by layer: mean,layer3=max (mean)."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images computed at once (32).")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads that decode images (2).")] = None,
    engine: EngineOption = None,
    address: AddressOption = None,
    examples: ExamplesOption = None,
    gamma: GammaOption = None,
    contrast: ContrastOption = None,
    no_reuse: NoReuseOption = False,
    exact_neighbours: ExactOption = None,
    json: JsonOption = False,
) -> None:
    """Make a run: every image through both models. A stopped job goes on where it was."""
    from csp.work.indexing.index import index as make
    from csp.work.indexing.spec import make_spec, read_config

    given = {
        "model": model,
        "layers": layer or None,
        "saes": sae or None,
        "data": data,
        "encoder": encoder,
        "out": out,
        "vocabulary": vocabulary,
        "pooling": pooling,
        "batch_size": batch_size,
        "workers": workers,
        "engine": engine,
        "address": address,
        "k": examples,
        "gamma": gamma,
        "reuse": False if no_reuse else None,
        "contrast": contrast,
        "exact_neighbours": exact_neighbours,
    }
    fields = read_config(config) if config else {}
    spec = make_spec(fields | {name: value for name, value in given.items() if value is not None})
    with shown_progress() as report:
        path = make(spec, report)
    _tell(path, json)


def import_(
    activations: Annotated[
        Path, typer.Option(help="A .npy file (or SciPy's sparse .npz), images x neurons.")
    ],
    embeddings: Annotated[Path, typer.Option(help="A .npy file, images x dimensions.")],
    out: Annotated[
        str,
        typer.Option(help="A folder, a name for a run in the cache, or an address such as s3://bucket/skin."),
    ],
    images: Annotated[
        str | None, typer.Option(help="Folder or CSV of the images, in the same order.")
    ] = None,
    vocabulary: VocabularyOption = None,
    text_embeddings: Annotated[Path | None, typer.Option(help="A .npy file, texts x dimensions.")] = None,
    probabilities: Annotated[
        Path | None, typer.Option(help="A .npy file, images x classes: what the model said.")
    ] = None,
    classes: Annotated[Path | None, typer.Option(help="The names of these classes, one a line.")] = None,
    decoder: Annotated[
        Path | None, typer.Option(help="A .npy file, latents x dimensions: the decoder of an SAE.")
    ] = None,
    layer: Annotated[str, typer.Option(help="What to call the layer.")] = "imported",
    examples: ExamplesOption = None,
    gamma: GammaOption = None,
    contrast: ContrastOption = None,
    no_reuse: NoReuseOption = False,
    exact_neighbours: ExactOption = None,
    json: JsonOption = False,
) -> None:
    """Make a run from activations and embeddings that were computed elsewhere."""
    from csp.work.indexing.import_arrays import ImportSpec, import_arrays, import_parameters

    parameters = import_parameters(examples, gamma, not no_reuse, contrast, exact_neighbours)
    spec = ImportSpec(
        activations,
        embeddings,
        out,
        images,
        vocabulary,
        text_embeddings,
        layer,
        probabilities=probabilities,
        classes=classes,
        decoder=decoder,
        parameters=parameters,
    )
    with shown_progress() as report:
        path = import_arrays(spec, report)
    _tell(path, json)


saes = typer.Typer(help="Train sparse autoencoders (SAEs), and look at their latents.", no_args_is_help=True)


@saes.command()
def train(
    run: RunArgument,
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    layer: LayerOption = None,
    kind: Annotated[str, typer.Option(help="topk, batchtopk, relu or jumprelu.")] = "topk",
    latents: Annotated[int, typer.Option(help="How many latents.")] = 4096,
    active: Annotated[int, typer.Option(help="topk, batchtopk: how many fire at a position.")] = 32,
    penalty: Annotated[
        float, typer.Option(help="relu, jumprelu: what each latent's activation costs.")
    ] = 0.003,
    epochs: Annotated[int, typer.Option(help="How often all positions are learnt from.")] = 20,
    batch: Annotated[int, typer.Option(help="Positions in a step.")] = 1024,
    rate: Annotated[float, typer.Option(help="Adam's learning rate.")] = 1e-3,
    positions: Annotated[int, typer.Option(help="At most so many places of each image.")] = 16,
    seed: Annotated[int, typer.Option(help="What chance begins with.")] = 0,
    json: JsonOption = False,
) -> None:
    """Train an SAE on a run's layer; `csp sae index RUN --sae LAYER=overcomplete:FILE` shows its latents."""
    from csp.keeping.library.find import find_run
    from csp.keeping.run_folder.run import Run
    from csp.work.models.train_sae import train_sae
    from csp.world.saes.plan import SaePlan

    opened = Run.open(find_run(run))
    name = one_layer(opened, layer)
    plan = SaePlan(
        kind=kind,  # type: ignore[arg-type] # checked there
        latents=latents,
        active=active,
        penalty=penalty,
        epochs=epochs,
        batch=batch,
        rate=rate,
        seed=seed,
    )
    with shown_progress() as report:
        quality = train_sae(opened, name, plan, out, report, positions=positions)
    if json:
        print_json({"run": opened.name, "layer": name, "out": str(out), **asdict(quality)})
        return
    print_lines(
        [
            f"{out}: {plan.latents} latents of {name}. {quality.sentence}",
            f"to see them: csp sae index {run} --sae {name}=overcomplete:{out} --out NAME",
        ]
    )


@saes.command("index", cls=RegisteredCommand)
def index_latents_(
    run: RunArgument,
    sae: Annotated[str, typer.Option(help="The SAE on a layer: LAYER=SPEC, such as $saes.")],
    out: Annotated[
        str,
        typer.Option(help="A folder, a name for a run in the cache, or an address such as s3://bucket/skin."),
    ],
    json: JsonOption = False,
) -> None:
    """Make a run of an SAE's latents: images, encoder and vocabulary of RUN, the model once more."""
    from csp.keeping.library.find import find_run
    from csp.keeping.run_folder.run import Run
    from csp.work.indexing.latents import index_latents

    with shown_progress() as report:
        path = index_latents(Run.open(find_run(run)), sae, out, report)
    _tell(path, json)


def _tell(path: Path, json: bool) -> None:
    from csp.keeping.run_folder.run import Run

    run = Run.open(path)
    skipped = run.skipped.to_dict("records")
    notes = list(run.manifest.notes)
    if json:
        print_json(
            {
                "run": run.name,
                "path": str(path),
                "fingerprint": run.fingerprint,
                "images": run.manifest.images,
                "skipped": skipped,
                "layers": [{"layer": one.layer, "neurons": one.neurons} for one in run.manifest.layers],
                "notes": notes,
            }
        )
        return
    images = run.manifest.images
    print_lines(
        [
            f"run {run.name}: {images} image{'' if images == 1 else 's'}, {len(skipped)} skipped, in {path}",
            *(f"skipped {one['path']}: {one['reason']}" for one in skipped),
            *(f"note: {note}" for note in notes),
        ]
    )
