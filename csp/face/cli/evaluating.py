"""The command that judges labelers: evaluate."""

from typing import Annotated, Any

import typer

from csp.errors import BadInputError
from csp.face.cli.looking import JsonOption, RunArgument
from csp.face.cli.output import print_columns, print_json, print_lines

METRICS = ("ground-truth",)


def evaluate(
    run: RunArgument,
    metric: Annotated[str, typer.Option(help="ground-truth.")] = "ground-truth",
    method: Annotated[
        list[str] | None, typer.Option(help="A labeler; repeat for several, all if left out.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Judge how often labelers are right, where the truth is known."""
    from csp.method.labelers import LABELERS
    from csp.work.evaluation import ground_truth
    from csp.work.explorer import open_explorer

    if metric not in METRICS:
        raise BadInputError(f"there is no metric {metric!r}; there is {', '.join(METRICS)}")
    result = ground_truth(open_explorer(run), tuple(method or LABELERS))
    if json:
        print_json({name: value for name, value in result.items() if name != "judged"})
        return
    print_lines(
        [
            f"{result['clear']} of {result['neurons']} neurons follow an attribute clearly "
            f"(AUROC of at least {result['threshold']} on {result['images']} images: {result['split']})"
        ]
    )
    header = ("labeler", "true", "95 % interval", "that alone", "too broad", "other attribute", "nothing")
    print_columns(header, [_row(name, found) for name, found in result["methods"].items()])


def _row(method: str, found: dict[str, Any]) -> tuple[object, ...]:
    interval = f"{found['low']:.3f} to {found['high']:.3f}" if found["n"] else None
    parts = (found[part]["share"] for part in ("alone", "too_broad", "other_attribute", "nothing"))
    return method, found["share"], interval, *parts
