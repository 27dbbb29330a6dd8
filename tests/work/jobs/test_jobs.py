"""Jobs with real processes: they outlive who started them, stop, go on, and take turns."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError
from csp.face.cli.app import run
from csp.keeping import lock
from csp.keeping.home import runs_folder
from csp.keeping.jobs import JobFolder, JobRequest, JobState, State, all_jobs, find_job, new_job, now
from csp.keeping.library.find import named_run
from csp.keeping.run_folder.run import Run
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from csp.work.jobs.jobs import (
    Job,
    cancel_job,
    count_jobs,
    job,
    last_job,
    list_jobs,
    resume_job,
    start_job,
    start_once,
)
from csp.work.jobs.kinds.index import faults
from csp.work.jobs.registry import KINDS, CheckedJob, FaultyJobError, check_job
from tests import patience
from tests.build import draw

ROOT = Path(__file__).parents[3]
IMAGES, BATCH = 12, 4


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with images, whose file `go` says how many batches may pass; no job outlives the test."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "images").mkdir()
    for row in range(IMAGES):
        draw(row).save(tmp_path / f"images/{row:02}.png")
    yield tmp_path
    for folder in all_jobs():
        if folder.alive() and (pid := folder.standing().pid):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def bare_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Activations and embeddings, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    np.save(folder / "a.npy", np.eye(9, 2, dtype=np.float32))
    np.save(folder / "e.npy", np.eye(9, 4, dtype=np.float32) + 1)
    out = str(folder / "run")
    return str(import_arrays(ImportSpec(folder / "a.npy", folder / "e.npy", out)))


def fields(gate: Path, out: str = "mine", **changed: object) -> dict[str, Any]:
    """Arguments of an index job that waits at the gate."""
    own = f"python:tests.work.gated:{gate}"
    known = {"model": own, "encoder": own, "layers": ["colour"], "data": f"folder:{gate}/images"}
    return {**known, "out": out, "batch_size": BATCH, "k": 3, "neighbours": 4, **changed}


def let_pass(gate: Path, batches: int) -> None:
    temporary = gate / "going"
    temporary.write_text("x" * batches)
    temporary.rename(gate / "go")


def kept_batches() -> list[Path]:
    return sorted((runs_folder() / "mine.partial").glob("rows-*"))


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + patience.SECONDS
    while not what():
        assert time.monotonic() < end, [(each.state, each.error, each.log) for each in list_jobs()]
        time.sleep(0.05)


def ended(id_: str) -> Job:
    until(lambda: job(id_).finished and not find_job(id_).alive())
    return job(id_)


def test_a_job_outlives_the_process_that_started_it(gate: Path) -> None:
    code = (
        "from csp.work.jobs.jobs import start_job\nfrom csp.work.jobs.registry import check_job\n"
        f"print(start_job(check_job('index', {fields(gate)!r}), 'My run').id)"
    )
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    id_ = started.stdout.strip()
    assert job(id_).state in ("queued", "running")
    let_pass(gate, 1)
    until(lambda: (reached := job(id_).progress) and reached.done == BATCH)
    assert job(id_).state == "running"
    let_pass(gate, 9)
    done = ended(id_)
    assert (done.state, done.error, done.result, done.title) == ("done", "", "mine", "My run")
    assert done.started and done.ended and done.created <= done.started <= done.ended
    assert f"images: {IMAGES}/{IMAGES}" in done.log
    assert Run.open(named_run("mine")).check() == []
    with pytest.raises(BadInputError, match="done: only one that failed"):
        resume_job(id_)


def test_a_cancelled_job_keeps_what_it_computed_and_goes_on(gate: Path) -> None:
    let_pass(gate, 2)
    id_ = start_job(check_job("index", fields(gate)), "My run", by="Ada").id
    until(lambda: len(kept_batches()) == 2)
    cancel_job(id_)
    cancelled = ended(id_)
    assert (cancelled.state, cancelled.error, cancelled.by) == ("cancelled", "", "Ada")
    let_pass(gate, 3)
    assert resume_job(id_).state == "queued"
    assert ended(id_).state == "done"
    assert (gate / "passed").read_text() == "xxx", "batches that were computed were computed again"


def test_a_job_whose_process_still_ends_is_resumed_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, descriptor = new_job(
        JobRequest(kind="map", arguments={"run": "demo"}, title="Map", by="Ada", created=now())
    )
    folder.write_standing(JobState(state="cancelled", ended=now()))
    monkeypatch.setattr("csp.work.jobs.jobs.SECONDS_TO_GO", 0)
    with pytest.raises(BadInputError, match="still stopping: resume it in a moment"):
        resume_job(folder.id)
    lock.release(descriptor)
    assert job(folder.id).resumable


def test_a_killed_job_is_seen_to_be_dead_and_goes_on(gate: Path) -> None:
    let_pass(gate, 2)
    id_ = start_job(check_job("index", fields(gate)), "My run").id
    until(lambda: len(kept_batches()) == 2)
    with pytest.raises(BadInputError, match="running: only one that failed"):
        resume_job(id_)
    pid = find_job(id_).standing().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    killed = ended(id_)
    assert killed.state == "failed"
    assert "ended without finishing" in killed.error
    let_pass(gate, 3)
    resume_job(id_)
    assert ended(id_).state == "done"
    assert (gate / "passed").read_text() == "xxx"
    whole = start_job(check_job("index", fields(gate, out="whole")), "In one go")
    let_pass(gate, 9)
    assert ended(whole.id).state == "done"
    one, other = (Run.open(named_run(name)) for name in ("mine", "whole"))
    assert np.array_equal(one.layer_activations("colour"), other.layer_activations("colour"))


def test_jobs_take_turns_in_the_order_of_asking(gate: Path) -> None:
    first, second, third = (
        start_job(check_job("index", fields(gate, out=name)), name).id
        for name in ("first", "second", "third")
    )
    until(lambda: job(first).state == "running")
    until(lambda: all(find_job(id_).standing().pid for id_ in (second, third)))
    assert [each.title for each in list_jobs()] == ["third", "second", "first"]
    assert [job(id_).state for id_ in (second, third)] == ["queued", "queued"]
    cancel_job(second)
    assert ended(second).state == "cancelled"
    let_pass(gate, 99)
    assert [ended(id_).state for id_ in (first, third)] == ["done", "done"]
    before, after = job(first).ended, job(third).started
    assert before and after and before <= after


def test_the_same_job_is_started_once_while_it_has_not_ended(gate: Path) -> None:
    first, other = (check_job("index", fields(gate, out)) for out in ("mine", "other"))
    begun = start_once(first)
    assert start_once(first).id == begun.id
    assert start_once(other).id != begun.id
    for each in list_jobs():
        cancel_job(each.id)
        ended(each.id)
    again = start_once(first)
    assert again.id != begun.id
    cancel_job(again.id)
    ended(again.id)


def test_a_job_that_cannot_work_says_why(gate: Path) -> None:
    id_ = start_job(check_job("index", fields(gate, layers=["nonsense"])), "Wrong layer").id
    failed = ended(id_)
    assert failed.state == "failed"
    assert "no layer 'nonsense'" in failed.error
    assert "failed" in failed.log
    assert failed.resumable, "only the model knows its layers: it may have them by now"


def test_a_job_that_cannot_work_is_not_resumed_until_it_can(bare_run: str, gate: Path) -> None:
    """The check before the start would have refused it: what it is about went away since."""
    asked, moved = gate / "run", shutil.copytree(bare_run, gate / "moved")
    failed = ended(start_job(CheckedJob(KINDS["map"], {"run": str(asked)}), "Map").id)
    assert failed.state == "failed" and not failed.resumable
    with pytest.raises(BadInputError, match=rf"would end the same way: .*{asked}"):
        resume_job(failed.id)
    moved.rename(asked)
    assert job(failed.id).resumable


@pytest.mark.parametrize(
    ("kind", "arguments", "lacks"),
    [
        ("evaluate", {"metric": "ground-truth"}, {"metric": "has no attributes"}),
        ("evaluate", {"metric": "simcorr"}, {"metric": "has no vocabulary"}),
        ("evaluate", {"metric": "causal"}, {"metric": "has no classes"}),
        ("evaluate", {"metric": "cosy", "generator": "dermoscopy:drawn"}, {"metric": "does not name one"}),
        ("evaluate", {"metric": "descriptive"}, {}),
        ("reliance", {}, {"run": "holds no class probabilities"}),
        ("attribution", {}, {"run": "has no classes"}),
    ],
)
def test_nothing_starts_that_the_run_has_not_what_it_takes_for(
    bare_run: str, kind: str, arguments: dict[str, str], lacks: dict[str, str]
) -> None:
    found = KINDS[kind].faults({"run": bare_run, **arguments})
    assert found.keys() == lacks.keys()
    assert all(lacks[name] in found[name] for name in lacks)


@pytest.mark.parametrize("kind", ["attribution", "reliance"])
def test_nothing_starts_that_runs_a_model_which_the_run_does_not_name(tmp_path: Path, kind: str) -> None:
    np.save(tmp_path / "a.npy", np.eye(9, 2, dtype=np.float32))
    np.save(tmp_path / "e.npy", np.eye(9, 4, dtype=np.float32) + 1)
    np.save(tmp_path / "p.npy", np.full((9, 2), 0.5, np.float32))
    (tmp_path / "classes.txt").write_text("nevus\nmelanoma\n")
    spec = ImportSpec(
        tmp_path / "a.npy",
        tmp_path / "e.npy",
        str(tmp_path / "run"),
        probabilities=tmp_path / "p.npy",
        classes=tmp_path / "classes.txt",
    )
    with pytest.raises(FaultyJobError, match=r"needs the run's target model, and .* does not name one"):
        check_job(kind, {"run": str(import_arrays(spec))})


def test_nothing_starts_with_arguments_that_cannot_work(gate: Path, tiny_run: Run) -> None:
    with pytest.raises(BadInputError, match="no kind of job 'indx'; there are index"):
        check_job("indx", {})
    with pytest.raises(BadInputError, match="layers is missing"):
        check_job("index", {"model": "torchvision:resnet18"})
    with pytest.raises(NotFoundError, match=r"there is no job '\.\./jobs'"):
        job("../jobs")
    assert list_jobs() == ()
    wrong = {
        "model": "torchvision:resnet18@/no/such.safetensors",
        "encoder": "clip:ViT-B-32",
        "data": "folder:/no/such/folder",
        "layers": ["layer4"],
        "vocabulary": "/no/terms.txt",
        "out": "tiny",
        "gamma": 3,
        "k": "many",
    }
    found = faults(wrong)
    assert set(found) == {"model", "encoder", "data", "vocabulary", "out", "gamma", "k"}
    assert "/no/such.safetensors" in found["model"]
    assert "starts with none of openclip:" in found["encoder"]
    assert "/no/such/folder" in found["data"]
    assert "There is a run called tiny already" in found["out"]
    assert faults(fields(gate)) == {}


def test_a_damaged_job_does_not_hide_the_others() -> None:
    asked = JobRequest(kind="index", arguments={}, title="Mine", by="", created=now())
    (good, held), (bad, other) = new_job(asked), new_job(asked)
    (bad.path / "job.json").write_text("{")
    assert [each.id for each in list_jobs()] == [good.id]
    for descriptor in (held, other):
        lock.release(descriptor)


def test_the_command_lists_shows_cancels_and_resumes(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = start_job(check_job("index", fields(gate)), "My run").id
    assert tell(capsys, "list", "--json")[0]["title"] == "My run"
    assert "asked to stop" in tell(capsys, "cancel", id_)
    assert ended(id_).state == "cancelled"
    let_pass(gate, 99)
    assert "goes on" in tell(capsys, "resume", id_)
    assert ended(id_).state == "done"
    shown = tell(capsys, "show", id_, "--json")
    assert (shown["state"], shown["result"]) == ("done", "mine")
    assert f"images: {IMAGES}/{IMAGES}" in shown["log"]


def tell(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What `csp jobs` prints, as JSON where it was asked for."""
    assert run(["jobs", *arguments]) == 0
    out = capsys.readouterr().out
    return json.loads(out) if "--json" in arguments else out


def left(arguments: dict[str, Any], kind: str = "candidates", *, ended_as: State | None = "done") -> str:
    """A job of the past, or one of a process that was killed."""
    folder, descriptor = new_job(
        JobRequest(kind=kind, arguments=arguments, title="Old", by="", created=now())
    )
    if ended_as:
        folder.write_standing(JobState(state=ended_as, ended=now()))
    lock.release(descriptor)
    return folder.id


def test_whoever_asks_for_one_job_reads_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"run": "tiny", "layer": "late", "neurons": "17"}
    for neuron in range(30):
        left(about | {"neurons": str(neuron)})
    cancelled = left(about | {"seed": 3}, ended_as="cancelled")
    killed = left(about | {"neurons": "99"}, ended_as=None)
    left(about, kind="map")
    read: list[str] = []
    asked = JobFolder.asked
    monkeypatch.setattr(JobFolder, "asked", lambda self: read.append(self.id) or asked(self))
    found = last_job("candidates", about)
    assert found and (found.id, found.state) == (cancelled, "cancelled")
    assert set(read) == {cancelled}
    assert last_job("candidates", about | {"run": "other"}) is None
    read.clear()
    assert len(list_jobs(5)) == 5
    assert len(set(read)) <= 6, "the five, and the one that was killed"
    assert count_jobs() == 33
    assert {one.id for one in list_jobs()} >= {cancelled, killed}


def test_jobs_that_work_are_listed_first(gate: Path) -> None:
    going = start_job(check_job("index", fields(gate)), "My run").id
    later = left({"run": "tiny"})
    assert [one.id for one in list_jobs()] == [going, later]
    cancel_job(going)
    ended(going)
    assert [one.id for one in list_jobs()] == [later, going]
    let_pass(gate, 99)
    resume_job(going)
    assert list_jobs()[0].id == going
    assert ended(going).state == "done"


def test_an_old_job_of_class_push_is_one_of_attribution() -> None:
    folder = find_job(left({"run": "tiny"}, kind="attribution"))
    content = (folder.path / "job.json").read_text()
    (folder.path / "job.json").write_text(content.replace('"attribution"', '"push"'))
    assert job(folder.id).kind == "attribution"
    assert check_job("attribution", {"run": "demo"}).kind is KINDS["attribution"]


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_says_what_it_does_and_needs(name: str) -> None:
    kind = KINDS[name]
    assert kind.words and kind.doing and kind.what.endswith(".")
    with pytest.raises(FaultyJobError) as refused:
        check_job(name, {})
    assert set(refused.value.faults) >= set(kind.needed)
