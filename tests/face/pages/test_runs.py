"""The page of runs: what it says of sound and broken ones, the trash, the form, and jobs."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from csp.errors import NotFoundError
from csp.face.screen.state.cached import named_explorer
from csp.keeping import lock
from csp.keeping.home import home, runs_folder
from csp.keeping.jobs import LOG_NAME, JobFolder, JobProgress, JobRequest, JobState, new_job, now
from csp.keeping.library.find import find_run
from csp.keeping.library.trash import discarded_runs, restore_run
from csp.keeping.run_folder.mirror import mirrors_folder
from csp.keeping.run_folder.run import Run
from csp.work.candidates.read import candidates
from csp.work.explorer.explorer import open_explorer
from csp.work.jobs.jobs import cancel_job, list_jobs
from csp.work.jobs.registry import KINDS
from tests import patience
from tests.build import draw
from tests.face.pages.test_pages import ROOT, awaited, opened, said
from tests.keeping.served import Served, serving_run
from tests.work.jobs.test_jobs import ended
from tests.world.misbehaving import serving, tells

TEAM = """
sign_in = "oidc"
[people]
"ada@example.org" = "admin"
"bob@example.org" = "reviewer"
"""


def signed_in(who: str, **address: str) -> AppTest:
    """The page as someone of the team sees it."""
    home().mkdir(exist_ok=True)
    (home() / "team.toml").write_text(TEAM)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience.SECONDS)
    app.switch_page("pages/runs.py")
    app.user = {"is_logged_in": True, "email": f"{who}@example.org", "email_verified": True}
    app.query_params.update(address)
    app.run()
    assert not app.exception, app.exception
    return app


def broken(app: AppTest) -> str:
    return "\n".join(error.value for error in app.error).replace("\\", "")


def test_runs_are_said_in_plain_words(tiny_run: Run) -> None:
    words = said(opened("pages/runs.py"))
    assert "tiny classifier" in words
    assert "nevus, melanoma" in words
    assert "40 images" in words
    assert "**early** (6 neurons), **late** (6 neurons)" in words
    assert "2 images could not be read and were left out." in words
    assert "comes with the program" in words, "the demo is there too"
    assert "not for diagnosis" in words


def test_a_check_reads_the_whole_run(tiny_run: Run) -> None:
    app = opened("pages/runs.py")
    awaited(app.button(key="check-tiny").click().run())
    assert "Sound" in app.success[0].value
    pack = tiny_run.path / "thumbnails.bin"
    pack.write_bytes(pack.read_bytes()[:-1] + b"?")
    awaited(app.button(key="check-tiny").click().run())
    assert "thumbnails.bin was changed after the run was made" in broken(app)


def test_damaged_and_newer_runs_say_what_is_wrong(tiny_run: Run) -> None:
    newer = shutil.copytree(tiny_run.path, tiny_run.path.with_name("newer"))
    manifest = json.loads((newer / "manifest.json").read_text()) | {"schema_version": 99}
    (newer / "manifest.json").write_text(json.dumps(manifest))
    (tiny_run.path / "manifest.json").write_text("{")
    words = broken(opened("pages/runs.py"))
    assert "was made by a newer version" in words
    assert "can't be read" in words


@pytest.fixture
def served(built_run: Path, own_home: Path, tmp_path: Path) -> Iterator[Served]:
    """The tiny run on a web server."""
    with serving_run(built_run, tmp_path / "web") as served:
        yield served


def test_a_run_on_a_server_says_how_it_is_and_can_be_forgotten(served: Served) -> None:
    assert named_explorer(find_run(served.address).name), "the app has it open"
    app = opened("pages/runs.py")
    awaited(app.button(key="check-skin").click().run())
    assert app.success[0].value == "Sound: what was fetched is as it was made."
    assert f"MB) are here from {served.address}." in said(app).replace("\u2060", "")
    served.refuses = True
    awaited(app.button(key="check-skin").click().run())
    assert "The server refuses http:" in broken(app), "files are still to be fetched from it"
    app.button(key="forget-now-skin").click().run()
    assert "The run skin is forgotten here" in app.success[0].value
    assert not list(mirrors_folder().iterdir())


def test_deleting_takes_the_typed_name_and_can_be_undone(tiny_run: Run) -> None:
    app = signed_in("ada")
    assert app.button(key="discard-tiny").disabled
    app.text_input(key="typed-tiny").set_value("tinny").run()
    assert app.button(key="discard-tiny").disabled
    app.text_input(key="typed-tiny").set_value("tiny").run()
    app.button(key="discard-tiny").click().run()
    assert not tiny_run.path.exists()
    (place,) = discarded_runs()
    assert str(place) in app.success[0].value.replace("\\", "")
    assert Run.open(place).check() == []
    app.button(key=f"restore-{place.name}").click().run()
    assert Run.open(tiny_run.path).check() == []


def test_a_run_put_back_takes_no_other_ones_name(tiny_run: Run) -> None:
    app = signed_in("ada")
    app.text_input(key="typed-tiny").set_value("tiny").run()
    app.button(key="discard-tiny").click().run()
    (place,) = discarded_runs()
    shutil.copytree(place, tiny_run.path)
    app.button(key=f"restore-{place.name}").click().run()
    assert "There is a run called tiny again" in broken(app)
    assert place.exists()


def test_the_form_says_what_is_wrong_before_anything_starts(tiny_run: Run) -> None:
    app = signed_in("ada", view="new")
    app.text_input(key="index-model").set_value("torchvision:resnet18@/no/such.safetensors")
    app.text_input(key="index-data").set_value("folder:/no/such/folder")
    app.text_input(key="index-out").set_value("tiny")
    app.button(key="start-index").click().run()
    words = said(app)
    assert "There is no file or folder /no/such.safetensors" in words
    assert "/no/such/folder" in words
    assert "There is a run called tiny already" in words
    assert words.count("This must be filled in.") == 2, "encoder and layers"
    assert list_jobs() == ()


def test_the_form_opens_everything_before_the_job_begins(own_home: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    draw(1).save(tmp_path / "images/1.png")
    app = signed_in("ada", view="new")
    app.text_input(key="index-model").set_value("torchvision:resnet18@assets/models/classifier.safetensors")
    app.text_input(key="index-data").set_value(f"folder:{tmp_path}/images")
    app.text_input(key="index-encoder").set_value("openclip:local-dir:assets/models")
    app.text_input(key="index-out").set_value("mine")
    app.multiselect(key="index-layers").set_value(["layer4"])
    app.button(key="start-index").click().run()
    awaited(app)
    assert "config" in said(app), "the folder holds no encoder"
    assert list_jobs() == ()


def test_a_model_is_asked_about_neurons_by_a_job(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CSP_VLM", "openai:nowhere")
    with serving(tells("1. ruler marks")) as server:
        app = signed_in("ada", view="new", kind="candidates", run="tiny")
        app.button_group(key="candidates-which").set_value("these").run()
        app.text_input(key="candidates-these").set_value("0, 9")
        app.number_input(key="candidates-rows").set_value(20)
        app.button(key="start-candidates").click().run()
        words = said(app)
        assert "Layer late has no neurons 9; it has 6, numbered 0 to 5." in words
        assert "names no server and model" in words
        assert "9 images in 20 rows can't be laid out" in words
        assert list_jobs() == ()
        monkeypatch.setenv("CSP_VLM", f"openai:{server.address}#m")
        app.run()
        app.selectbox(key="candidates-vlm").set_value(f"openai:{server.address}#m")
        app.text_input(key="candidates-these").set_value("0, 2")
        app.number_input(key="candidates-rows").set_value(3)
        app.button(key="start-candidates").click().run()
        assert app.query_params["view"] == "jobs"
        done = ended(list_jobs()[0].id)
    assert (done.state, done.by) == ("done", "ada@example.org")
    assert done.title == "Candidates for neurons 0,2 of late of tiny"
    assert "1 neurons answered" in done.log and "1 not asked" in done.log
    assert [one.text for one in candidates(open_explorer("tiny"), "late", 0)] == ["ruler marks"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("index", "add")])
def test_jobs_on_a_run_say_when_there_is_none_to_work_on(tiny_run: Run, kind: str) -> None:
    (tiny_run.path / "manifest.json").write_text("{")
    app = signed_in("ada", view="new", kind=kind, run="tiny")
    assert "can't be read" in said(app)
    app.button(key=f"start-{kind}").click().run()
    assert list_jobs() == ()


def test_a_measure_is_taken_by_a_job(tiny_run: Run) -> None:
    app = signed_in("ada", view="new", kind="evaluate", run="tiny")
    app.selectbox(key="evaluate-metric").set_value("cosy").run()
    app.button(key="start-evaluate").click().run()
    assert "say by what" in said(app)
    app.selectbox(key="evaluate-metric").set_value("descriptive")
    app.selectbox(key="evaluate-layer").set_value("late").run()
    app.button(key="start-evaluate").click().run()
    done = ended(list_jobs()[0].id)
    assert (done.state, done.title) == ("done", "Measure descriptive, late of tiny")


def test_an_sae_is_trained_by_a_job(built_run: Path, own_home: Path) -> None:
    shutil.copytree(built_run, runs_folder() / "built")
    app = signed_in("ada", view="new", kind="sae", run="built")
    app.selectbox(key="sae-layer").set_value("late")
    app.number_input(key="sae-latents").set_value(16)
    app.text_input(key="sae-out").set_value("my sae").run()
    app.button(key="start-sae").click().run()
    assert "can't be the name of an SAE" in said(app)
    assert "Of 16 latents 32 can't be active at a time" in said(app)
    app.selectbox(key="sae-kind").set_value("relu")
    app.text_input(key="sae-out").set_value("vanilla").run()
    app.button(key="start-sae").click().run()
    (started,) = list_jobs()
    cancel_job(started.id)
    given = {
        "run": "built",
        "layer": "late",
        "out": "vanilla",
        "kind": "relu",
        "latents": 16,
        "penalty": 0.003,
    }
    assert {**started.arguments} == {**given, "epochs": 20, "positions": 16}
    assert ended(started.id).finished


def test_a_trained_sae_leads_to_a_run_of_its_latents(built_run: Path, own_home: Path) -> None:
    shutil.copytree(built_run, runs_folder() / "built")
    asked = {"run": "built", "layer": "late", "out": "vanilla"}
    quality = {"explained": 0.625, "l0": 3.5, "dead": 0.0, "positions": 40}
    (home() / "saes").mkdir()
    (home() / "saes/vanilla.safetensors").touch()
    (home() / "saes/vanilla.json").write_text(json.dumps(asked | {"quality": quality}))
    folder, descriptor = new_job(JobRequest(kind="sae", arguments=asked, title="SAE", by="", created=now()))
    lock.release(descriptor)
    folder.write_standing(JobState(state="done", ended=now(), result="built"))
    app = opened("pages/runs.py", view="jobs")
    assert "explains 62.5 % of what its layer varies by" in said(app)
    app.button(key=f"next-{folder.id}").click().run()
    started = list_jobs()[0]
    cancel_job(started.id)
    sae = f"late=overcomplete:{home()}/saes/vanilla.safetensors"
    assert (started.kind, started.arguments) == ("latents", {"run": "built", "sae": sae, "out": "vanilla"})
    assert ended(started.id).finished


def test_a_run_of_another_machine_is_added(built_run: Path, tmp_path: Path) -> None:
    theirs = shutil.copytree(built_run, tmp_path / "theirs")
    app = signed_in("ada", view="new", kind="add")
    app.text_input(key="add-folder").set_value(str(tmp_path))
    app.text_input(key="add-out").set_value("demo")
    app.button(key="start-add").click().run()
    assert "is not a run" in said(app)
    assert "There is a run called demo already" in said(app)
    app.text_input(key="add-folder").set_value(str(theirs))
    app.text_input(key="add-out").set_value("theirs")
    app.button(key="start-add").click().run()
    done = ended(list_jobs()[0].id)
    assert (done.state, done.result) == ("done", "theirs")
    assert Run.open(runs_folder() / "theirs").check() == []


def test_the_form_runs_no_code_of_the_visitor(tmp_path: Path) -> None:
    app = signed_in("ada", view="new")
    app.text_input(key="index-model").set_value("python:os:system")
    app.button(key="index-list").click().run()
    assert "runs no code of your own" in said(app)
    app.text_input(key="index-model").set_value("torchvision:resnet18")
    app.multiselect(key="index-saes").set_value(["layer4=python:os:system"])
    app.button(key="start-index").click().run()
    assert "runs no code of your own" in said(app)


def test_only_an_admin_deletes_and_starts(tiny_run: Run) -> None:
    app = signed_in("bob")
    app.text_input(key="typed-tiny").set_value("tiny").run()
    app.button(key="discard-tiny").click().run()
    assert "takes the role of admin to delete runs" in broken(app)
    assert tiny_run.path.exists()
    assert "takes the role of admin to start jobs" in said(signed_in("bob", view="new"))


@pytest.fixture
def waiting() -> tuple[JobFolder, int]:
    """A job that waits its turn, its lock held by this very process."""
    return new_job(JobRequest(kind="index", arguments={}, title="Run mine", by="Ada", created=now()))


def test_a_job_shows_how_far_it_is_and_how_it_ended(waiting: tuple[JobFolder, int]) -> None:
    folder, descriptor = waiting
    app = opened("pages/runs.py", view="jobs")
    assert "waits its turn" in said(app)
    folder.write_standing(JobState(state="running", started=now()))
    folder.write_reached(JobProgress(stage="images", done=30, total=120, rate=1.0, seconds_left=600.0))
    (folder.path / LOG_NAME).write_text("images: 30/120\n")
    app.run()
    assert [bar.proto.text for bar in app.get("progress")] == ["images: 30 of 120 · about 10 min left"]
    assert "asked for by Ada" in said(app)
    assert app.code[0].value == "images: 30/120"
    lock.release(descriptor)
    app.run()
    assert "ended without finishing" in broken(app)
    assert app.button(key=f"resume-{folder.id}")
    folder.write_standing(JobState(state="done", ended=now() + timedelta(seconds=1), result="mine"))
    app.run()
    assert [link.proto.label for link in app.get("page_link")][-1] == "**Open the result**"


def test_the_trash_refuses_a_path(tiny_run: Run) -> None:
    with pytest.raises(NotFoundError, match="there is no"):
        restore_run("../runs/tiny")
    assert (runs_folder() / "tiny").exists()


def test_an_admin_withdraws_trust_and_gives_it_back(tiny_run: Run) -> None:
    app = signed_in("ada")
    app.button(key="distrust-tiny").click().run()
    assert "example.org withdrew the trust" in said(app)
    app.button(key="trust-tiny").click().run()
    assert "trusted it at" in said(app)
    assert not signed_in("ada").button(key="distrust-tiny").disabled
    assert signed_in("bob").button(key="distrust-tiny").disabled


def test_mending_has_its_fields_and_says_what_it_costs(own_home: Path) -> None:
    app = opened("pages/runs.py", view="new", kind="mend", run="demo")
    off = next(each for each in app.multiselect if each.label == "Switch off")
    assert not app.warning
    off.set_value(["sticker"]).run()
    assert "With sticker switched off the model gets worse on held-out images: called rightly" in said(app)
    out = next(each for each in app.text_input if each.label.startswith("File to write"))
    assert out.placeholder.endswith("demo-without-sticker.safetensors")
