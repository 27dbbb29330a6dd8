"""The command that finds neurons: search."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from csp.errors import BadInputError
from csp.face.cli.looking import JsonOption, RunArgument
from csp.face.cli.neurons import one_layer
from csp.face.cli.output import print_columns, print_json


def search(
    run: RunArgument,
    words: Annotated[
        str | None, typer.Argument(metavar="[WORDS]", help='What to look for: "blue-white veil, -ruler".')
    ] = None,
    minus: Annotated[list[str] | None, typer.Option(help="A text to be absent; repeat for several.")] = None,
    image: Annotated[Path | None, typer.Option(help="Search by a picture instead.")] = None,
    like: Annotated[int | None, typer.Option(help="Search by an example neuron instead.")] = None,
    layer: Annotated[str | None, typer.Option(help="All layers if left out.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many neurons.")] = 10,
    json: JsonOption = False,
) -> None:
    """Find neurons by words, by a picture, or like another neuron."""
    from csp.work.explorer import open_explorer
    from csp.work.searching import parse_query, search_like, search_picture, search_words
    from csp.world.images import read_image

    _one_question(words, image, like)
    explorer = open_explorer(run)
    layers = explorer.run.layers if layer is None else (one_layer(explorer.run, layer),)
    if like is not None:
        found = search_like(explorer, layers, one_layer(explorer.run, layer), like, top)
    elif image is not None:
        found = search_picture(explorer, layers, read_image(image), top)
    else:
        found = search_words(explorer, layers, parse_query(words or "", minus or ()), top)
    labels = {name: explorer.neurons(name).frame["label"] for name in {match.layer for match in found}}
    rows = [
        {
            "layer": match.layer,
            "neuron": match.neuron,
            "label": labels[match.layer][match.neuron],
            "score": match.score,
            "reason": match.reason,
        }
        for match in found
    ]
    _print(rows, json)


def _one_question(words: str | None, image: Path | None, like: int | None) -> None:
    if sum(asked is not None for asked in (words, image, like)) != 1:
        raise BadInputError("give one thing to search by: words, --image or --like")


def _print(rows: Sequence[dict[str, Any]], json: bool) -> None:
    if json:
        print_json(rows)
        return
    cells = [(row["layer"], row["neuron"], row["label"], row["score"], row["reason"]) for row in rows]
    print_columns(("layer", "neuron", "label", "score", "reason"), cells)
