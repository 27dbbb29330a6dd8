"""A run from elsewhere names what to open, and is not followed until somebody trusts it."""

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest
from PIL import Image

from csp.errors import BadInputError, BadRunError, UnavailableError
from csp.keeping.library.adopt import adopt_run
from csp.keeping.run_folder.manifest import MANIFEST_NAME, sealed
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.trust import decision_on
from csp.work.models.probe_images import ProbeImages
from csp.work.models.reopen import run_encoder, run_target
from csp.work.runs.listing import describe_runs, run_facts
from csp.work.runs.strangers import distrust_run, is_stranger, trust_run
from tests.build import IMAGES, draw


@pytest.fixture
def spied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that must not be imported."""
    (tmp_path / "spying.py").write_text("def open_encoder(name):\n    raise SystemExit\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "spying", raising=False)
    return "spying"


def edited(run: Run, **fields: str) -> Run:
    """The run with other specs in its manifest."""
    path = run.path / MANIFEST_NAME
    manifest = json.loads(path.read_text())
    for source, spec in fields.items():
        manifest[source]["spec"] = spec
    path.write_bytes(sealed(manifest))
    return Run.open(run.path)


def test_made_here_and_shipped_runs_are_no_strangers(tiny_run: Run, own_home: Path) -> None:
    assert not is_stranger(tiny_run)
    copied = shutil.copytree(tiny_run.path, own_home / "runs" / "copied")
    assert not is_stranger(Run.open(copied))
    trust = {run["name"]: run["trust"]["how"] for run in describe_runs()}
    own = {"tiny": "made here", "copied": "made here"}
    assert trust == own | {"demo": "shipped", "demo-saes": "shipped"}


@pytest.mark.parametrize("spec", ["python:spying:x", "python:spying", "python:", "python::"])
def test_nothing_is_imported_for_a_stranger(tiny_run: Run, spied: str, spec: str) -> None:
    run = edited(tiny_run, encoder=spec, target=spec, dataset=spec)
    for asked in (run_encoder, run_target):
        with pytest.raises(UnavailableError, match="csp runs --trust tiny"):
            asked(run)
    ProbeImages(run).picture(0)
    assert spied not in sys.modules


@pytest.mark.parametrize(
    "spec",
    [
        "hf:owner/name",
        "hf:/etc",
        "openclip:local-dir:/etc",
        "openclip:hf-hub:owner/name",
        "openclip:a//etc/x",
        "openclip:../x",
        "nothing:x",
        "openclip:ViT-B-32/openai\n",
    ],
)
def test_a_stranger_opens_no_file_and_no_page_of_a_hub(tiny_run: Run, spec: str) -> None:
    with pytest.raises(UnavailableError, match="was not made here"):
        run_encoder(edited(tiny_run, encoder=spec))


@pytest.mark.parametrize("spec", ["torchvision:resnet18@/etc/passwd", "torchvision:../x", "hf:a"])
def test_a_stranger_opens_no_weights(tiny_run: Run, spec: str) -> None:
    with pytest.raises(UnavailableError, match="was not made here"):
        run_target(edited(tiny_run, target=spec))


def test_published_models_open_for_everybody(tiny_run: Run) -> None:
    with pytest.raises(UnavailableError, match="no_such_net"):
        run_target(edited(tiny_run, target="torchvision:no_such_net"))


def test_a_stranger_shows_no_picture_of_this_machine(tiny_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "private"
    (folder / "lesions").mkdir(parents=True)
    for image in range(IMAGES):
        Image.new("RGB", draw(image).size, "red").save(folder / f"lesions/{image:03}.png")
    run = edited(tiny_run, dataset=f"folder:{folder}")
    assert "stored picture" in ProbeImages(run).picture(1).remark
    trust_run("tiny", "Ann")
    assert ProbeImages(run).picture(1).remark == ""


@pytest.mark.parametrize("scheme", ["folder", "csv", "archive", "webdataset"])
def test_a_stranger_has_no_server_asked(tiny_run: Run, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        address = f"http://127.0.0.1:{inside.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        for place in (f"{address}/secret", "s3://bucket/secret"):
            run = edited(tiny_run, dataset=f"{scheme}:{place}")
            assert "stored picture" in ProbeImages(run).picture(1).remark
        inside.settimeout(0.05)
        with pytest.raises(TimeoutError):
            inside.accept()


def test_trust_is_kept_with_who_and_when_and_holds_for_that_manifest_only(tiny_run: Run) -> None:
    run = edited(tiny_run, encoder="hf:owner/name")
    assert next(facts for facts in run_facts() if facts.name == "tiny").trust is None
    trust_run("tiny", "Ann")
    facts = next(facts for facts in run_facts() if facts.name == "tiny")
    assert facts.trust is not None
    assert (facts.trust.how, facts.trust.who) == ("trusted", "Ann")
    assert any("Ann trusted it at 20" in remark for remark in facts.remarks)
    assert not is_stranger(run)
    assert is_stranger(edited(tiny_run, encoder="hf:owner/other"))


def test_a_run_that_is_added_from_elsewhere_stays_a_stranger(
    tiny_run: Run, own_home: Path, tmp_path: Path
) -> None:
    shutil.move(tiny_run.path, tmp_path / "sent")
    shutil.rmtree(own_home / "trusted")
    assert is_stranger(Run.open(adopt_run(tmp_path / "sent", "sent", lambda _: None)))


def test_a_stranger_is_not_told_which_files_are_here(tiny_run: Run) -> None:
    edited(tiny_run, dataset="folder:/no/such/folder")
    facts = next(facts for facts in run_facts() if facts.name == "tiny")
    assert not any("/no/such/folder" in remark for remark in facts.remarks)


def test_trust_is_withdrawn_with_who_and_when_and_may_come_back(tiny_run: Run) -> None:
    for turn, who in enumerate(("Ann", "Bo")):
        distrust_run("tiny", who)
        assert is_stranger(tiny_run)
        remarks = next(facts for facts in run_facts() if facts.name == "tiny").remarks
        assert any(f"{who} withdrew the trust in it at 20" in remark for remark in remarks)
        assert distrust_run("tiny", "Cy").who == who, "it was withdrawn already"
        trust_run("tiny", who)
        assert not is_stranger(tiny_run), turn
    newest = decision_on(tiny_run.manifest)
    assert newest is not None
    assert (newest.how, newest.who) == ("trusted", "Bo")


def test_what_was_decided_before_stays_in_the_record_of_trust(tiny_run: Run, own_home: Path) -> None:
    before = {file: file.read_text() for file in (own_home / "trusted").glob("*.json")}
    distrust_run("tiny", "Ann")
    (record,) = (file for file, text in before.items() if file.read_text() != text)
    first = json.loads(before[record])
    trust_run("tiny", "Bo")
    kept = json.loads(record.read_text())
    assert [one["how"] for one in kept] == ["made here", "distrusted", "trusted"]
    assert kept[0] in (first, first[0] if isinstance(first, list) else None)


def test_a_shipped_run_is_not_distrusted() -> None:
    with pytest.raises(BadInputError, match="comes with the program"):
        distrust_run("demo", "Ann")


PARTS = ("manifest.json", "thumbnails.bin", "tables", "arrays.zarr/embeddings", "additions/candidates")


@pytest.mark.parametrize("part", PARTS)
def test_a_link_of_a_stranger_that_leads_out_is_not_followed(
    tiny_run: Run, own_home: Path, tmp_path: Path, part: str
) -> None:
    place, outside = tiny_run.path / part, tmp_path / "outside"
    if place.exists():
        shutil.move(place, outside)
    else:
        place.parent.mkdir(exist_ok=True)
    place.symlink_to(outside)
    assert Run.open(tiny_run.path).name == "tiny", "made here: a person may spread a run over disks"
    distrust_run("tiny", "Ann")
    with pytest.raises(BadRunError, match=f"its {part} is a link that leads out"):
        Run.open(tiny_run.path)
    problems = {run["name"]: run["problem"] for run in describe_runs()}
    assert "leads out of the folder" in problems["tiny"]
    assert problems["demo"] is None


@pytest.mark.parametrize("place", ["pipe", "arrays.zarr/embeddings/c/9/9"])
def test_a_stranger_with_a_pipe_is_not_opened(tiny_run: Run, place: str) -> None:
    distrust_run("tiny", "Ann")
    pipe = tiny_run.path / place
    pipe.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(pipe)
    with pytest.raises(BadRunError, match=f"its {place} is a pipe"):
        Run.open(tiny_run.path)


def test_a_link_of_a_stranger_within_its_folder_is_a_file_like_others(tiny_run: Run) -> None:
    distrust_run("tiny", "Ann")
    pack = tiny_run.path / "thumbnails.bin"
    pack.rename(pack.with_name("pictures"))
    pack.symlink_to("pictures")
    (tiny_run.path / "ring").symlink_to("ring")
    assert Run.open(tiny_run.path).thumbnail(0, "small")
