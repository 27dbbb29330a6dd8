"""What comes of a Ray cluster of two nodes is what comes of the work here, also when one of them is lost."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import ray
from ray.cluster_utils import Cluster

from csp.errors import BadInputError, UnavailableError
from csp.keeping.library.find import find_run
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.candidates.ask import generate_all
from csp.work.candidates.tables import CANDIDATES, CandidateRequest
from csp.work.engines.engine import HERE, Engine
from csp.work.engines.on_ray import on_ray
from csp.work.explorer.explorer import open_explorer
from csp.work.indexing.index import index
from csp.work.indexing.spec import make_spec
from csp.work.metrics.evaluate import evaluate
from csp.work.metrics.protocol import MetricRequest
from csp.work.progress import Progress, Report, silent
from csp.work.reliance import by_model
from csp.work.reliance import concepts as concepts_of_runs
from csp.work.reliance.by_model import WITHOUT_CONCEPT, measure_by_model
from csp.work.reliance.concepts import concepts
from tests.keeping.store import serving_store
from tests.work.tiny_world import index_spec
from tests.world.misbehaving import serving, tells

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def made_with(world: Path, out: Path | str, report: Report = silent, **fields: Any) -> Run:
    spec = index_spec(world, Path()).model_dump() | {"batch_size": 4, "out": str(out), **fields}
    return Run.open(index(make_spec(spec), report))


def contents(run: Run) -> dict[str, str]:
    """A hash of each file, but for what says when it was made."""
    return {
        str(path.relative_to(run.path)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.path.rglob("*"))
        if path.is_file() and path.name != "manifest.json" and "additions" not in path.parts
    }


def test_a_run_is_the_same_when_a_worker_is_lost_it_is_stopped_and_its_delivery_stops(
    cluster: Cluster, world: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = made_with(world, tmp_path / "here" / "run")
    second = cluster.add_node(num_cpus=1)
    lost: list[int] = []
    stopped_at: list[int] = []

    def lose(progress: Progress) -> None:
        if progress.stage == "images" and progress.done >= 8 and not lost:
            while len(workers := _workers()) < 2:  # the second opens its models yet
                time.sleep(0.05)
            lost.append(len(workers))
            workers[0].kill()
        if progress.stage == "images" and progress.done >= 20 and len(lost) == 1:
            lost.append(0)
            cluster.remove_node(second, allow_graceful=False)
        if progress.stage == "images" and progress.done >= 28 and not stopped_at:
            stopped_at.append(progress.done)
            raise KeyboardInterrupt
        if progress.stage == "images":
            assert not stopped_at or progress.done >= stopped_at[0], "what was done is not done again"

    place = "s3://lab/runs/run"
    with serving_store(monkeypatch) as store:
        with pytest.raises(KeyboardInterrupt):
            made_with(world, place, lose, engine="ray", address=cluster.address)
        with store.ending(20, "refuses"), pytest.raises(UnavailableError, match="The server refuses"):
            made_with(world, place, lose, engine="ray", address=cluster.address)
        assert lost == [2, 0]
        stages: list[str] = []
        made = made_with(
            world, place, lambda told: stages.append(told.stage), engine="ray", address=cluster.address
        )
        assert "images" not in stages and "files sent" in stages, "only the rest was sent"
        there = Run.open(find_run(place))
        assert there.mirror is not None
        there.mirror.bring(there.manifest.files)
    assert made.fingerprint == there.fingerprint == here.fingerprint
    assert contents(made) == contents(there) == contents(here)


def _workers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if "ray::_Worker" in _command(one)]


def _command(process: psutil.Process) -> str:
    """Its name; empty once it has gone: processes of Ray come and go meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_a_worker_lost_while_it_opens_its_models_is_replaced(cluster: Cluster, tmp_path: Path) -> None:
    started = tmp_path / "started"

    def opened() -> Callable[[int], int]:
        if not started.exists():
            started.touch()
            os._exit(1)
        return abs

    assert list(on_ray(opened, [-3], cluster.address)) == [3]


def asked(run: Run, engine: Engine, report: Report) -> pd.DataFrame:
    """As `csp candidates` does, of a VLM behind an address."""
    with serving(tells("1. a ruler\n2. a hair\n3. a mole")) as server:
        request = CandidateRequest(vlm=f"openai:{server.address}#tiny-vlm")
        generate_all(open_explorer(str(run.path)), {"layer1": range(5)}, request, report, engine)
    return Additions(run).read(CANDIDATES).drop(columns=["request", "vlm", "vlm_hash", "when", "seconds"])


def measured(run: Run, engine: Engine, report: Report) -> pd.DataFrame:
    """As `csp evaluate` does."""
    explorer = open_explorer(str(run.path))
    request = MetricRequest("simcorr", ("csp",), explorer.options(), {"layer1": range(20)})
    return evaluate(explorer, request, report, batch=4, engine=engine).rows.drop(columns="when")


def switched_off(run: Run, engine: Engine, report: Report) -> pd.DataFrame:
    """As `csp reliance --model` does."""
    smallest = concepts(open_explorer(str(run.path)), {})[-1]
    measure_by_model(run, [smallest], report, engine)
    return Additions(run).read(WITHOUT_CONCEPT).drop(columns="measured")


@pytest.mark.parametrize("work", [asked, measured, switched_off])
def test_what_is_worked_out_there_is_the_same_when_a_worker_is_lost(
    cluster: Cluster,
    indexed: Run,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[Run, Engine, Report], pd.DataFrame],
) -> None:
    monkeypatch.setattr(by_model, "MOST_IMAGES", 10)
    monkeypatch.setattr(by_model, "AT_ONCE", 2)
    monkeypatch.setattr(concepts_of_runs, "unclaimed", lambda *_: frozenset())
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        """The only worker, before it was given all parts."""
        if not killed and 0 < progress.done < progress.total and (workers := _workers()):
            for one in workers:
                killed.append(one.pid)
                one.kill()

    def worked_out(name: str, engine: Engine, report: Report) -> pd.DataFrame:
        return work(Run.open(shutil.copytree(indexed.path, tmp_path / name)), engine, report)

    there = worked_out("there", Engine("ray", cluster.address), kill)
    assert killed and len(there)
    pd.testing.assert_frame_equal(there, worked_out("here", HERE, silent), check_exact=True)


def test_a_cluster_that_is_not_there_is_a_sentence(world: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="engine"):
        made_with(world, tmp_path / "run", engine="dask")
    for address in ("127.0.0.1:9", "127.0.0.1:x", "127.0.0.1:99999", "no such place"):
        with pytest.raises(UnavailableError, match="there is no Ray cluster at"):
            made_with(world, tmp_path / "run", engine="ray", address=address)
