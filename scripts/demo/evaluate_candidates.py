"""How often the candidates of the demo run name what a neuron really follows, in both modes.

Usage: python -m scripts.demo.evaluate_candidates
Counts neurons that follow one attribute clearly on held-out images, as `csp evaluate --metric ground-truth`.
Writes its part of assets/models/report.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from csp.keeping.library.find import find_run
from csp.keeping.run_folder.run import Run
from csp.method.metrics.ground_truth import true_attributes
from csp.work.candidates.read import vlm_answers
from csp.work.metrics.ground_truth import truth_table
from csp.work.splits import held_out
from csp.world.vlms.prompts import PROMPTS
from scripts.demo.evaluate_vlm import Answered, attribute_named, compared
from scripts.demo.training import report


def followed(run: Run, layer: str) -> Iterator[tuple[int, str]]:
    """The neurons of a layer that follow one attribute clearly, and which."""
    found = true_attributes(truth_table(run, layer, held_out(run)[0]))
    yield from ((neuron, run.attributes[place]) for neuron, place in enumerate(found.tolist()) if place >= 0)


def latest(run: Run, layer: str, neuron: int, attribute: str) -> dict[str, Answered]:
    """By mode, what the VLM named last."""
    named = {
        answer.mode: tuple(map(attribute_named, answer.concepts))
        for answer in reversed(vlm_answers(run, layer, neuron))
    }
    return {mode: Answered(attribute, concepts, frozenset()) for mode, concepts in named.items()}


def numbers(run: Run) -> dict[str, Any]:
    """Shares by layer, and over both."""
    found = {layer: [latest(run, layer, *neuron) for neuron in followed(run, layer)] for layer in run.layers}
    found = {"both layers": [one for answers in found.values() for one in answers], **found}
    return {
        name: _compared([one for one in answers if len(one) == len(PROMPTS)])
        for name, answers in found.items()
    }


def _compared(answers: list[dict[str, Answered]]) -> dict[str, Any]:
    shares = compared(*([one[mode] for one in answers] for mode in ("contrastive", "activating-only")))
    return {name: share for name, share in shares.items() if name.startswith("true")}


def main() -> None:
    """Measure the candidates that are in the demo run."""
    found = numbers(Run.open(find_run("demo")))
    report("candidates", found)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
