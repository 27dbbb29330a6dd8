"""The commands about what the model leans on: reliance tells it, mend writes the mended model."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from csp.counts import counted
from csp.errors import BadInputError
from csp.face.cli.options import (
    AddressOption,
    EngineOption,
    InPlaceOption,
    JsonOption,
    RunArgument,
    chosen_engine,
)
from csp.face.cli.output import print_columns, print_json, print_lines, print_notes, stdout_kept_for
from csp.face.cli.progress import shown_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csp.method.metrics.statistics import Interval
    from csp.work.attribution.model_card import GroupNumbers
    from csp.work.neurons.concepts_across import Across
    from csp.work.reliance.mending.made import Mended
    from csp.work.reliance.mending.mend import MendPreview
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
    against: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Which neurons of each concept another run still has."),
    ] = None,
    engine: EngineOption = None,
    address: AddressOption = None,
    in_place: InPlaceOption = False,
    json: JsonOption = False,
) -> None:
    """Tell what the model leans on: how its answers change when a concept's neurons are switched off."""
    from csp.work.explorer.explorer import open_explorer
    from csp.work.neurons.concepts_across import concepts_across
    from csp.work.reliance.document import document
    from csp.work.reliance.reliance import keep_exact, measure_untested
    from csp.work.reliance.reliance import reliance as found_by
    from csp.work.reliance.words import listed
    from csp.work.reviews.desk import open_reviewing

    where = chosen_engine(engine, address)
    explorer, states = open_explorer(run), open_reviewing(run).states()
    if against is not None:
        _print_against(
            concepts_across(explorer, states, open_explorer(against), open_reviewing(against).states()), json
        )
        return
    with shown_progress() as report:
        if model:
            measure_untested(explorer, states, concept, report, where)
        found = found_by(explorer, states, concept, by=by, report=report)
        if in_place:
            keep_exact(explorer, found, in_place=True)
    if json:
        print_json(document(explorer.run, found))
        return
    _print(found)
    print_notes(f"not measured: {one.concept.name}: {one.why}" for one in found.untested)
    if any(one.left_on for one in found.concepts):
        layers = listed(sorted({layer for one in found.concepts for layer in one.left_on}))
        print_notes(
            [f"neurons of {layers} stayed on: csp reliance {run} --model switches them off with the others"]
        )


def _print(found: "Reliance") -> None:
    from csp.work.reliance.words import differing

    header = (
        "concept",
        "neurons",
        "checked",
        "class",
        "where shown",
        "95 %",
        "where not",
        "whole layer",
        "random",
        "leans",
    )
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
            print_columns(("group", "images", "where shown", "95 %", "n", ""), rows)
    if differ := differing(found):
        print_lines(["", differ])


def _print_against(found: "Across", json: bool) -> None:
    if json:
        print_json(asdict(found))
        return
    header = (
        "concept",
        "neurons",
        "still there",
        "other label",
        "gone",
        "other run",
        "new",
        "switched off",
        "in the other",
    )
    rows = [
        (
            *(one.name, one.in_a, one.kept, one.other_label, len(one.gone), one.in_b, len(one.new)),
            *(
                "-" if effect is None or effect.change is None else f"{effect.of_class} {effect.change:+.3f}"
                for effect in (one.effect_a, one.effect_b)
            ),
        )
        for one in found.concepts
    ]
    print_columns(header, rows)
    shared = "" if found.images is None else f"on {counted(found.images, 'shared image')}"
    matched = shared or "by number (the same weights)"
    print_notes([f"neurons of {', '.join(found.layers)} were matched {matched}"])


def _row(one: "ConceptReliance") -> tuple[object, ...]:
    numbers = one.numbers
    told = numbers.classes[numbers.most]
    random = told.random
    return (
        one.concept.name,
        f"{numbers.neurons} of {len(one.concept.neurons)}" if one.left_on else numbers.neurons,
        f"{one.concept.checked} of {len(one.concept.neurons)}",
        numbers.most,
        _percent(told.main),
        _interval(told.main),
        _percent(told.off),
        "-" if told.erased is None else _percent(told.erased),
        "-" if random.low is None or random.high is None else f"{random.low:+.3f} to {random.high:+.3f}",
        "yes" if one.leans else "no",
    )


def _percent(change: "Change") -> str:
    return "-" if change.change is None else f"{change.change:+.3f}"


def _interval(change: "Change") -> str:
    return "-" if change.low is None or change.high is None else f"{change.low:+.3f} to {change.high:+.3f}"


def mend(
    run: RunArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="A checkpoint (.safetensors), or a file that has neurons held (.json).",
        ),
    ],
    concept: Annotated[
        list[str] | None, typer.Option("--concept", help="A concept or one of its labels to switch off.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Also tell what changes by a column, such as sex.")
    ] = None,
    who: Annotated[str, typer.Option(help="Who switches it off, for the record.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    json: JsonOption = False,
) -> None:
    """Write the model with a concept's neurons held at their mean: in its weights, or as it runs."""
    from csp.work.explorer.explorer import open_explorer
    from csp.work.reliance.concepts import concepts, find_concept
    from csp.work.reliance.mending.cost import told_cost
    from csp.work.reliance.mending.made import Why
    from csp.work.reliance.mending.mend import mend_preview, together, write_mended
    from csp.work.reviews.desk import open_reviewing

    if not concept:
        raise BadInputError(
            'name what to switch off: --concept "ruler" (csp reliance RUN lists what there is)'
        )
    in_other_layers = out.suffix == ".json"
    if in_other_layers and by is not None:
        raise BadInputError("--by tells what changes in a checkpoint; a .json is not measured: leave it out")
    explorer, states = open_explorer(run), open_reviewing(run).states()
    found = concepts(explorer, states)
    chosen = together(dict.fromkeys(find_concept(found, name) for name in concept))
    with shown_progress() as report:
        made = write_mended(explorer, chosen, out, Why(who, reason), report)
    preview, told = None, None
    try:
        if not in_other_layers:
            preview, told = mend_preview(explorer, chosen, by), told_cost(explorer, chosen, by)
    except BadInputError as error:
        if by is not None:
            raise
        print_notes([f"how good it is was not measured: {error}"])
    if in_other_layers:
        print_notes(["how good it is was not measured: index it as a model of its own, and compare the runs"])
    with stdout_kept_for(out):
        if json:
            worse = None if told is None else [asdict(one) for one in told.losses]
            print_json({**made.record, "worse": worse, "path": str(made.path), "furthest": made.furthest})
        else:
            _print_mended(made, preview)
            print_lines([told.words] if told else [])


def _print_mended(made: "Mended", preview: "MendPreview | None") -> None:
    record = made.record
    held = record.get("held") or {record["layer"]: {"neurons": record["neurons"]}}
    count, layer = sum(len(one["neurons"]) for one in held.values()), ", ".join(held)
    lines = [f"{counted(count, 'neuron')} of {layer} ({record['concepts']}) held at their mean"]
    if left := record.get("left_in_other_layers"):
        lines.append(f"{left} of other layers stay as they are: only those of {layer} can be folded away")
    print_lines(lines)
    if preview is not None:
        before, after = ((side.all, *side.groups) for side in (preview.before, preview.after))
        rows = [row for pair in zip(before, after, strict=True) for row in _worth(*pair)]
        print_columns(("held-out images", "n", "", "before", "after", "95 % after"), rows)
    print_lines(
        [
            f"written to {made.path}, its record {_where(made)}; open it as {made.spec}",
            f"checked on probe images: probabilities are what was foretold up to {made.furthest:.1g}",
        ]
    )


def _where(made: "Mended") -> str:
    return "in it" if made.record_path == made.path else f"to {made.record_path}"


def _worth(before: "GroupNumbers", after: "GroupNumbers") -> "Iterator[tuple[object, ...]]":
    from csp.work.attribution.model_card import AS_DECIDED

    yield before.name, before.n, "right", *_change(before.accuracy, after.accuracy)
    for one, other in zip(before.classes, after.classes, strict=True):
        yield "", "", f"AUROC {one.name}", *_change(one.auroc, other.auroc)
        yield "", "", f"{AS_DECIDED.lower()}, {one.name}", *_change(one.sensitivity, other.sensitivity)


def _change(before: "Interval", after: "Interval") -> tuple[str, str, str]:
    if after.value != after.value:
        return "-", "-", ""
    return f"{before.value:.3f}", f"{after.value:.3f}", f"{after.low:.3f} to {after.high:.3f}"
