"""The command that asks a VLM for candidates, and lists those there are: candidates."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csp.errors import BadInputError
from csp.face.cli.options import (
    AddressOption,
    AllLayersOption,
    ContrastOption,
    EngineOption,
    InPlaceOption,
    JsonOption,
    RunArgument,
    chosen_engine,
)
from csp.face.cli.output import print_columns, print_json, print_lines
from csp.face.cli.progress import shown_progress
from csp.files import read_regular
from csp.work.neurons.selection import choose_neurons

if TYPE_CHECKING:  # pandas and Zarr cost half a second, which `csp --help` can do without
    from csp.work.explorer.explorer import Explorer

MOST_PROMPT_BYTES = 1_000_000


def candidates(
    run: RunArgument,
    vlm: Annotated[
        str | None,
        typer.Option(help="The model to ask, such as $vlms; only list what is there if left out."),
    ] = None,
    neurons: Annotated[str, typer.Option(help="all, 17, 0:200 or 3,17.")] = "all",
    layer: AllLayersOption = None,
    activating_only: Annotated[
        bool, typer.Option("--activating-only", help="Show the activating grid alone.")
    ] = False,
    rows: Annotated[int, typer.Option(help="Rows of a grid.")] = 3,
    images: Annotated[int, typer.Option(help="Pictures in a grid.")] = 9,
    pixels: Annotated[int, typer.Option(help="Pixels along the longer side of a grid.")] = 128,
    prompt_file: Annotated[
        Path | None, typer.Option(help="A text file with the prompt; {images} marks the grids' place.")
    ] = None,
    contrast: ContrastOption = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same answer.")] = 0,
    encoder: Annotated[str | None, typer.Option(help="Where the run's encoder lies, if it moved.")] = None,
    engine: EngineOption = None,
    address: AddressOption = None,
    in_place: InPlaceOption = False,
    json: JsonOption = False,
) -> None:
    """Ask a vision-language model for label candidates, and list them. A stopped job goes on where it was."""
    from csp.work.candidates.ask import generate_all
    from csp.work.candidates.tables import CandidateRequest, Layout
    from csp.work.explorer.explorer import open_explorer

    explorer, where = open_explorer(run), chosen_engine(engine, address)
    names = explorer.run.layers if layer is None else (explorer.run.layer(layer).layer,)
    chosen = {name: choose_neurons(neurons, name, explorer.run.layer(name).neurons) for name in names}
    request = CandidateRequest(
        vlm=vlm or "",
        mode="activating-only" if activating_only else "contrastive",
        prompt=_prompt(prompt_file),
        layout=Layout(rows, images, pixels),
        contrast=contrast or "",
        seed=seed,
        encoder=encoder or "",
        by="csp candidates",
        in_place=in_place,
    )
    with shown_progress() as report:
        done = generate_all(explorer, chosen, request, report, where) if vlm else {}
    found = [_listed(explorer, name, neuron) for name, numbers in chosen.items() for neuron in numbers]
    if json:
        layers = {name: asdict(one) for name, one in done.items()}
        print_json(
            {"run": explorer.run.name, "vlm": vlm, "mode": request.mode, "layers": layers, "neurons": found}
        )
        return
    print_columns(
        ("layer", "neuron", "candidates"), [_row(one) for one in found if one["answers"] or one["labels"]]
    )
    print_lines(f"{name}: {one.sentence}" for name, one in done.items())


def _prompt(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return read_regular(file, MOST_PROMPT_BYTES).decode("utf-8")
    except OSError as error:
        raise BadInputError(f"the prompt file {file} can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadInputError(f"the prompt file {file} can't be read as text: save it as UTF-8") from None


def _listed(explorer: "Explorer", layer: str, neuron: int) -> dict[str, Any]:
    """One neuron's candidates, best first, and the raw answers."""
    from csp.work.candidates.read import candidates, vlm_answers

    first = {one.text: one for one in reversed(candidates(explorer, layer, neuron)) if not one.replaced}
    labels = [
        {
            "label": one.text,
            "score": one.scores["csp"].score if "csp" in one.scores else None,
            "source": one.source,
            "by": one.by,
            "mode": one.mode,
        }
        for one in reversed(first.values())
    ]
    answers = [
        {"mode": one.mode, "vlm": one.vlm, "seed": one.seed, "status": one.status, "raw": one.raw}
        for one in vlm_answers(explorer.run, layer, neuron)
    ]
    return {"layer": layer, "neuron": neuron, "labels": labels, "answers": answers}


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    labels = ", ".join(
        row["label"] if row["score"] is None else f"{row['label']} {row['score']:.3f}"
        for row in one["labels"]
    )
    return one["layer"], one["neuron"], labels or "(no usable answer)"
