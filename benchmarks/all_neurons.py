"""Time and memory of selecting the examples of every neuron of a layer, against the bare matrix products.

The bare products: all images' embeddings times each other, block by block, thrown away. Ours: each image's
nearest neighbours, found once and kept, then a look-up per neuron with exact search where the look-up can't
tell. Answers are compared with the neuron-by-neuron exact search, on all neurons or on `--checked` of them.

With `--texts` also what the app's first labels cost: the consensus of every neuron, the control (`DRAWS`
shuffled neurons under every labeler) and the chances, as `csp index` works them out, against csp
alone from the same embeddings. The five contrastive examples of the consensus hold the one of csp. Neurons
are made up block by block, so the memory (`labels_peak_gib`, of the process so far) is that of a run.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float32

from csp.keeping.run_folder.run import BLOCK_BYTES
from csp.method.chance.facts import Encoded, Labelled, first_facts, layer_of, sought
from csp.method.chance.fitted import MODEL
from csp.method.chance.model import chances
from csp.method.control import dealt_neurons, shuffled
from csp.method.examples.contrast_rule import cold_images
from csp.method.examples.contrastive import UNSURE, look_up
from csp.method.examples.neighbours import STORED, Neighbours, nearest_neighbours
from csp.method.examples.select import Examples, mean_activation, narrowed, select_examples
from csp.method.examples.select_layer import select_all
from csp.method.labelers.consensus import RULE, consensus
from csp.method.labelers.csp import csp
from csp.method.labelers.evidence import Evidence
from csp.work.control.draws import DRAWS, first_labels
from csp.work.labels.scorer import AT_ONCE, TOP, Scorer

ROWS = 256
"""Of the bare product at once."""


def make_embeddings(images: int, dimensions: int, rng: np.random.Generator) -> Float32[np.ndarray, "n d"]:
    """Images in clusters of uneven size around a common direction, as CLIP embeddings lie."""
    clusters = max(2, images // 100)
    centres = _draw(clusters, dimensions, rng)
    own = centres[rng.choice(clusters, images, p=rng.dirichlet(np.ones(clusters)))]
    own += _draw(images, dimensions, rng)
    own += 1.5 * _draw(1, dimensions, rng)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    return own


def make_activations(
    embeddings: Float32[np.ndarray, "n d"], neurons: int, rng: np.random.Generator
) -> Float32[np.ndarray, "n c"]:
    """Rectified, noisy projections towards some image, firing on 2 to 60 % of the images."""
    activations = np.empty((len(embeddings), neurons), dtype=np.float32)
    centred = embeddings - embeddings.mean(axis=0)
    for start in range(0, neurons, 64):
        towards = centred[rng.integers(len(centred), size=min(64, neurons - start))]
        response = (towards + 0.5 * _draw(len(towards), towards.shape[1], rng)) @ centred.T
        response += 0.5 * response.std() * rng.standard_normal(response.shape, dtype=np.float32)
        thresholds = np.array([np.quantile(row, 1 - rng.uniform(0.02, 0.6)) for row in response], np.float32)
        fired = np.maximum(response - thresholds[:, None], 0)
        activations[:, start : start + len(fired)] = fired.T
    return activations


def bare_products(embeddings: Float32[np.ndarray, "n d"]) -> None:
    """The n x n similarity product, some rows at once, into one buffer."""
    buffer = np.empty((ROWS, len(embeddings)), dtype=np.float32)
    for start in range(0, len(embeddings), ROWS):
        rows = embeddings[start : start + ROWS]
        np.matmul(rows, embeddings.T, out=buffer[: len(rows)])


def unsure_share(
    activations: Float32[np.ndarray, "n c"],
    embeddings: Float32[np.ndarray, "n d"],
    layer: list[Examples],
    neighbours: Neighbours,
) -> float:
    """Share of the activating examples that the stored neighbours can't answer."""
    unsure = 0
    for neuron, examples in enumerate(layer):
        cold = cold_images(activations[:, neuron], mean_activation(activations[:, neuron]))
        found = look_up(examples.activating, cold, embeddings, neighbours, reuse=True)
        unsure += int(np.count_nonzero(found == UNSURE))
    return unsure / sum(len(examples.activating) for examples in layer)


def same(left: Examples, right: Examples) -> bool:
    """Whether two selections agree in every index and to the last bit of every cosine."""
    return (
        np.array_equal(left.activating, right.activating)
        and np.array_equal(left.contrastive, right.contrastive)
        and np.array_equal(left.similarity, right.similarity, equal_nan=True)
    )


def measure(options: argparse.Namespace) -> dict[str, float | bool | str]:
    """Run ours and the bare products in turn, then the loop; seconds are the best of the repeats."""
    rng = np.random.default_rng(0)
    embeddings = make_embeddings(options.images, options.dimensions, rng)
    activations = make_activations(embeddings, options.neurons, rng)
    times: dict[str, float] = {}
    for _ in range(options.repeats):
        with stopwatch(times, "bare_seconds"):
            bare_products(embeddings)
        with stopwatch(times, "neighbours_seconds"):
            neighbours = nearest_neighbours(embeddings, options.stored)
        with stopwatch(times, "look_up_seconds"):
            layer = select_all(activations, embeddings, options.examples, neighbours=neighbours)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    checked = rng.permutation(options.neurons)[: options.checked]
    with stopwatch(times, "loop_seconds"):
        loop = [select_examples(activations[:, neuron], embeddings, options.examples) for neuron in checked]
    times["loop_seconds"] *= options.neurons / len(checked)
    ours = times["neighbours_seconds"] + times["look_up_seconds"]
    return {
        "ratio": ours / times["bare_seconds"],
        "ratio_of": "neighbours and look-up of all neurons to the bare n x n similarity product",
        "ratio_to_loop": ours / times["loop_seconds"],
        "ours_seconds": ours,
        **times,
        "loop_checked": len(checked),
        "identical": all(same(layer[neuron], found) for neuron, found in zip(checked, loop, strict=True)),
        "unsure_share": unsure_share(activations, embeddings, layer, neighbours),
        "peak_gib": peak,
    }


def label_costs(options: argparse.Namespace) -> dict[str, float | str]:
    """Processor seconds of each stage of the first labels, and their ratio to csp alone.

    Neurons are taken as a run is read, some at a time; of `--blocks` such blocks the times are scaled to all
    neurons, but for what is done once for a layer (the control, the priors over images).
    """
    rng = np.random.default_rng(0)
    embeddings = make_embeddings(options.images, options.dimensions, rng)
    texts = make_embeddings(options.texts, options.dimensions, rng)
    once: dict[str, float] = {}
    with spent(once, "neighbours"):
        neighbours = nearest_neighbours(embeddings, options.stored)
    size = min(options.neurons, max(1, BLOCK_BYTES // (4 * options.images)))
    count = min(options.blocks or options.neurons, -(-options.neurons // size))

    def blocks(layer: str) -> Iterator[Float32[np.ndarray, "n b"]]:
        for number in range(count):
            width = min(size, options.neurons - number * size)
            with apart():
                made = make_activations(embeddings, width, np.random.default_rng([1, number]))
            yield made

    scorer = Scorer(embeddings, texts, None, blocks, neighbours)
    with spent(once, "priors"):
        _ = scorer.prior, scorer.spread, scorer.whitened
    each: dict[str, float] = {}
    with spent(each, "prior of the layer"):
        scorer.layer_prior("one")
    encoded, taken, facts = Encoded(embeddings, texts, neighbours), 0, []
    with spent(once, "chance, shared"):
        _ = encoded.root, encoded.told_texts, encoded.seen_texts
    for activations in blocks("one"):
        taken += activations.shape[1]
        columns = np.ascontiguousarray(activations.T)
        with spent(each, "examples"):
            chosen = select_all(columns.T, embeddings, options.examples, neighbours=neighbours)
        with spent(each, "csp"):
            for column, examples in zip(columns, chosen, strict=True):
                csp(Evidence(column, embeddings, examples), texts, 1.0)
        with spent(each, "wide examples"):
            wide = select_all(columns.T, embeddings, options.examples, neighbours=neighbours, rule=RULE)
        with spent(each, "consensus"):
            first, contrasts = [], np.empty((len(columns), embeddings.shape[1]), np.float32)
            for place, evidence in enumerate(scorer.layer_evidence("one", columns.T, chosen, wide)):
                first.append(np.argsort(-consensus(evidence, texts, 1.0))[:TOP])
                contrasts[place] = evidence.contrast
        with spent(each, "chance"):
            labelled = [Labelled(*one) for one in zip(range(len(columns)), chosen, first, strict=True)]
            facts.append(first_facts(encoded, labelled, sought(encoded, columns.T, labelled, contrasts)))
    with spent(once, "chance, shared"):
        together = np.concatenate(facts)
        chances(layer_of(together).complete(together), MODEL)
    with spent(once, "control"):
        control(scorer, columns, options.examples, rng)
    scaled = {name: seconds * options.neurons / taken for name, seconds in each.items()}
    alone = scaled.pop("examples") + scaled.pop("csp")
    ours = sum(once.values()) + sum(scaled.values())
    return {
        "labels_ratio": ours / (once["neighbours"] + alone),
        "labels_ratio_of": "neighbours, examples, consensus, control, chance to neighbours, examples, csp",
        "labels_ratio_without_neighbours": (ours - once["neighbours"]) / alone,
        "labels_measured_on": taken,
        "labels_peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "labels: examples and csp alone": alone,
        **{f"labels: {name}": seconds for name, seconds in (once | scaled).items()},
    }


def control(
    scorer: Scorer, columns: Float32[np.ndarray, "c n"], examples: int, rng: np.random.Generator
) -> None:
    """First labels of `DRAWS` shuffled neurons under every labeler, as a run's control has them."""
    names = tuple(map(str, range(len(scorer.text_embeddings))))
    drawn = dealt_neurons(range(len(columns)), DRAWS, rng)
    for start in range(0, DRAWS, AT_ONCE):
        dealt = np.stack(
            [shuffled(columns[neuron], None, rng) for neuron in drawn[start : start + AT_ONCE]]
        ).T
        wide = select_all(dealt, scorer.embeddings, examples, neighbours=scorer.neighbours, rule=RULE)
        for scores in scorer.layer_scores("one", dealt, [narrowed(one) for one in wide], 1.0, wide):
            list(first_labels(scores, names))


@contextmanager
def spent(times: dict[str, float], name: str) -> Iterator[None]:
    """Add the processor time that the block took, under `name`: other work on the machine hardly counts."""
    begin, before = time.process_time(), _apart[0]
    yield
    times[name] = times.get(name, 0.0) + time.process_time() - begin - (_apart[0] - before)


_apart = [0.0]
"""Processor time of what is made up for the benchmark."""


@contextmanager
def apart() -> Iterator[None]:
    """What happens here counts for none."""
    begin = time.process_time()
    yield
    _apart[0] += time.process_time() - begin


@contextmanager
def stopwatch(times: dict[str, float], name: str) -> Iterator[None]:
    """Keep the shortest time that the block took, under `name`."""
    start = time.perf_counter()
    yield
    times[name] = min(time.perf_counter() - start, times.get(name, np.inf))


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--neurons", type=int, default=2_048)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--examples", type=int, default=30)
    parser.add_argument("--stored", type=int, default=STORED, help="neighbours kept per image")
    parser.add_argument("--checked", type=int, default=2_048, help="neurons compared with the exact search")
    parser.add_argument("--texts", type=int, default=0, help="first labels of so many texts are timed, too")
    parser.add_argument(
        "--blocks", type=int, default=0, help="blocks of neurons labelled, times scaled; 0: all"
    )
    parser.add_argument("--only-labels", action="store_true", help="first labels alone")
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    found = {} if options.only_labels else measure(options)
    if options.texts:
        found |= label_costs(options)
    measured = {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()}
    print(json.dumps(measured | vars(options)))


def _draw(count: int, dimensions: int, rng: np.random.Generator) -> Float32[np.ndarray, "c d"]:
    return rng.standard_normal((count, dimensions), dtype=np.float32) / np.float32(np.sqrt(dimensions))


if __name__ == "__main__":
    main()
