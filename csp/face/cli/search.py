"""The command that finds neurons: search."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csp.errors import BadInputError
from csp.face.cli.options import JsonOption, RunArgument, one_layer
from csp.face.cli.output import print_columns, print_error, print_json

if TYPE_CHECKING:  # the database costs time that a plain search can do without
    from csp.keeping.reviews.state import NeuronReview
    from csp.work.neurons.search import Match
    from csp.work.reviews.desk import Spot


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
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="People's labels before the machine's, and found by them too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Find neurons by words, by a picture, or like another neuron."""
    from csp.keeping.reviews.normalise import together
    from csp.work.explorer.explorer import open_explorer
    from csp.work.neurons.search import parse_query, search_like, search_picture
    from csp.work.neurons.search_reviewed import search_reviewed
    from csp.world.pictures.decode import read_image

    _one_question(words, image, like)
    if words is not None and words.startswith("--"):
        raise BadInputError(f"there is no option {words}; `csp search --help` lists them")
    explorer = open_explorer(run)
    layers = explorer.run.layers if layer is None else (one_layer(explorer.run, layer),)
    states = _states(run) if reviewed else {}
    if like is not None:
        found = search_like(explorer, layers, one_layer(explorer.run, layer), like, top)
    elif image is not None:
        found = search_picture(explorer, layers, read_image(image), top)
    else:
        answer = search_reviewed(explorer, layers, parse_query(words or "", minus or ()), states, top)
        found = answer.matches
        if not found:
            near = f"; the nearest is {_spot(answer.near[0])}" if answer.near else ""
            print_error(f"nothing in this run fits these words{near}")
        for text, term in answer.read_as:
            print_error(f"the vocabulary lacks {text!r}; for the encoder it is nearest to {term!r}")
        if found and not answer.told:
            print_error("whether any of these looks for it can't be told here: they stand by score alone")
        if answer.remark:
            print_error(f"found by people's labels only: {answer.remark}")
    labels = {name: explorer.stored_facets.machine_labels(name) for name in {one.layer for one in found}}
    machine = [labels[match.layer].get(match.neuron) for match in found]
    spots = [(match.layer, match.neuron) for match in found]
    rows = [
        {
            "layer": match.layer,
            "neuron": match.neuron,
            "label": together(said) if said else None,
            "score": match.score,
            "reason": match.reason,
        }
        for match, said in zip(found, machine, strict=True)
    ]
    if reviewed:
        rows = [
            _people_first(row, said, states.get(spot))
            for row, said, spot in zip(rows, machine, spots, strict=True)
        ]
    _print(rows, json)


def _spot(match: "Match") -> str:
    return f"neuron {match.neuron} of {match.layer} ({match.reason})"


def _states(run: str) -> "Mapping[Spot, NeuronReview]":
    """Where the neurons stand that people judged."""
    from csp.work.reviews.desk import open_reviewing

    return open_reviewing(run).states()


def _people_first(
    row: dict[str, Any], machine: tuple[str, ...] | None, state: "NeuronReview | None"
) -> dict[str, Any]:
    """The row with the label in force, whose it is, and the machine's."""
    from csp.work.reviews.label_in_force import label_in_force

    first = label_in_force(machine, state)
    return row | {"label": first.text, "by": first.words, "machine_label": first.machine}


def _one_question(words: str | None, image: Path | None, like: int | None) -> None:
    if sum(asked is not None for asked in (words, image, like)) != 1:
        raise BadInputError("give one thing to search by: words, --image or --like")


def _print(rows: Sequence[dict[str, Any]], json: bool) -> None:
    if json:
        print_json(rows)
        return
    extra = [name for name in ("by", "machine_label") if rows and name in rows[0]]
    names = ("layer", "neuron", "label", *extra, "score", "reason")
    print_columns([name.replace("_", " ") for name in names], [[row[name] for name in names] for row in rows])
