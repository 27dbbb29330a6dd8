"""`kill -9` at random moments of indexing, evaluating, copying a run and writing reviews.

Each job is done once without a kill. Then, again and again: it is killed somewhere in that time, done anew
to its end, and must give the same bits. For reviews: what was acknowledged before the kill is there, once.
"""

import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.damage import light_models
from benchmarks.damage.records import EVENTS, said
from benchmarks.damage.tally import AS_BEFORE, FOUND, LOST, Tally
from csp.keeping.atomic import TEMPORARY
from csp.keeping.home import home
from csp.keeping.library.adopt import adopt_run
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.integrity import file_records
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.index import index
from csp.work.indexing.spec import make_spec
from csp.work.metrics.evaluate import evaluate
from csp.work.metrics.protocol import MetricRequest
from csp.work.metrics.results import read

IMAGES, BATCH = 160, 4
METRIC, MEASURED = "stability", tuple(range(24))

Job = Callable[..., object]


def kill_indexing(folder: Path, kills: int, seed: int) -> Tally:
    """`csp index` of drawn pictures with light models."""
    pictures, chance = folder / "pictures", np.random.default_rng(seed)
    pictures.mkdir(parents=True)
    for number in range(IMAGES):
        pixels = chance.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number:03}.png")
    whole, killed = (folder / "whole", pictures), (folder / "killed", pictures)
    return _campaign("indexing", _index, whole, killed, kills, seed)


def kill_copying(folder: Path, run: Path, kills: int, seed: int) -> Tally:
    """A run from elsewhere is added to those here."""
    here, elsewhere = folder / "runs", folder / "elsewhere"
    shutil.copytree(run, elsewhere)
    return _campaign("copying", _copy, (here / "whole", elsewhere), (here / "killed", elsewhere), kills, seed)


def kill_evaluating(folder: Path, run: Path, kills: int, seed: int) -> Tally:
    """`csp evaluate` of some neurons, kept after every second one."""
    whole, killed = folder / "whole", folder / "killed"
    return _campaign("evaluating", _evaluate, (whole, run), (killed, run), kills, seed)


def kill_writing(location: Location, folder: Path, kills: int, seed: int) -> Tally:
    """A few hundred verdicts, one after the other; the sender goes on where it was, as after a lost line."""
    tally, chance = Tally(), random.Random(seed)
    folder.mkdir(parents=True)
    written, told = 0, folder / "acknowledged"
    while tally.counts.total() < kills:
        begun = time.perf_counter()
        done = _killed(_write, (location, written, told), chance.uniform(0.02, 1.5))
        acknowledged = [int(line) for line in told.read_text().splitlines()] if told.exists() else []
        tally.add(f"writing, after {time.perf_counter() - begun:.3f} s", _look, location, acknowledged)
        written = 0 if done else max([*acknowledged, 0])
        if done:  # from here on all is known already: as good a moment to be killed
            told.unlink()
    return tally


def _campaign(
    what: str, job: Job, whole: tuple[Path, Path], killed: tuple[Path, Path], kills: int, seed: int
) -> Tally:
    chance, tally = random.Random(seed), Tally()
    _killed(job, whole, None)
    shutil.rmtree(whole[0])
    begun = time.perf_counter()  # the second time, with all that is imported once
    _killed(job, whole, None)
    needed, expected = time.perf_counter() - begun, _content(whole[0])
    for _ in range(kills):
        moment = chance.uniform(0, needed)
        tally.add(f"{what}, killed after {moment:.3f} s", _resumed, job, killed, moment, expected)
        for left in killed[0].parent.glob(f"*{killed[0].name}*"):
            shutil.rmtree(left)
    return tally


def _resumed(job: Job, given: tuple[Path, Path], moment: float, expected: Any) -> str:
    """Killed once or twice, then done to the end."""
    if _killed(job, given, moment):
        return AS_BEFORE if _content(given[0]) == expected else LOST
    _killed(job, given, moment / 2)
    if not _killed(job, given, None):
        return "it could not be done again"
    return FOUND if _content(given[0]) == expected else LOST


def _killed(job: Job, given: tuple[Any, ...], moment: float | None) -> bool:
    """Do a job in a process of its own that is killed after so many seconds; whether it got through."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "csp.keeping.reviews.database"])
    process = context.Process(target=_at_home, args=(home(), job, given))
    process.start()
    process.join(moment)
    process.kill()
    process.join()
    return process.exitcode == 0


def _at_home(place: Path, job: Job, given: tuple[Any, ...]) -> None:
    """The server that processes are forked from may have started with another home."""
    os.environ["CSP_HOME"] = str(place)
    job(*given)


def _content(folder: Path) -> Any:
    """What a job made: the files of a run, or what it measured; and that nothing else was left."""
    if (folder / "additions").is_dir():
        measured = read(Additions(Run.open(folder)))
        order = ["layer", "neuron", "label", "metric", "labeler"]
        return measured.drop(columns="at", errors="ignore").sort_values(order).to_csv(index=False)
    left = [path.name for path in folder.parent.glob(f"*{folder.name}*") if path != folder]
    left += [path.name for path in folder.rglob(f"{TEMPORARY}*")]
    return (
        left,
        {name: record.sha256 for name, record in file_records(folder).items()},
        Run.open(folder).check(),
    )


def _index(out: Path, pictures: Path) -> None:
    models = {"model": light_models.SPEC, "encoder": light_models.SPEC, "layers": ["colour"]}
    numbers = {"batch_size": BATCH, "k": 5, "neighbours": 10}
    index(make_spec({**models, **numbers, "data": f"folder:{pictures}", "out": str(out)}))


def _copy(place: Path, elsewhere: Path) -> None:
    if not place.exists():
        adopt_run(elsewhere, place.name, lambda _: None)


def _evaluate(place: Path, run: Path) -> None:
    if not place.exists():
        shutil.copytree(run, place.with_name("copied"), dirs_exist_ok=True)
        place.with_name("copied").rename(place)
    with ResultCache(place.parent / "answers") as answers:
        explorer = Explorer(Run.open(place), answers)
        request = MetricRequest(
            METRIC, ("csp",), explorer.options(), {explorer.run.layers[0]: MEASURED}, None, None, 1
        )
        evaluate(explorer, request, batch=2)


def _write(location: Location, first: int, told: Path) -> None:
    with Reviews(location) as reviews, told.open("a") as acknowledged:
        for number in range(first, EVENTS):
            reviews.record(said(number))
            acknowledged.write(f"{number}\n")
            acknowledged.flush()


def _look(location: Location, acknowledged: list[int]) -> str:
    with Reviews(location) as reviews:
        tokens = [event.token for event in reviews.events()]
        sound = reviews.verify().ok
    kept = set(tokens) >= {said(number).token for number in acknowledged}
    return FOUND if sound and kept and len(tokens) == len(set(tokens)) else LOST
