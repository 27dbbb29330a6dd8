"""The example of a plug-in: installed as pip does it, then used by commands as any part of the program."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from csp.keeping.run_folder.run import Run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example installed, and beside it one package that is broken and one that clashes."""
    source = shutil.copytree(ROOT / "examples" / "plugin", tmp_path_factory.mktemp("source") / "plugin")
    target = tmp_path_factory.mktemp("packages")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True)
    unusable(target, "csp-broken", "import no_such_module\n")
    clashing = "from csp.method.labelers.csp import LABELER\n"
    unusable(target, "csp-twice", clashing)
    return target


def unusable(target: Path, package: str, code: str) -> None:
    module = package.replace("-", "_")
    (target / f"{module}.py").write_text(code)
    info = target / f"{module}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[csp.labelers]\nbad = {module}:LABELER\n")


def csp(packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(packages), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "csp", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        cwd=ROOT,
        check=False,
    )


def told(packages: Path, *arguments: str) -> Any:
    done = csp(packages, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_its_target_model_opens_by_its_own_scheme(packages: Path) -> None:
    assert told(packages, "layers", "toy:colours") == [{"layer": "colours", "type": "Mean", "shape": [3]}]
    refused = csp(packages, "layers", "toy:shapes")
    assert refused.returncode == 2
    assert "toy:shapes' is not toy:colours" in refused.stderr


def test_its_labeler_and_metric_work_beside_ours(packages: Path, tiny_run: Run, tmp_path: Path) -> None:
    labelled = csp(packages, "label", "tiny", "--method", "strongest", "--json")
    first = json.loads(labelled.stdout)[0]["labels"][0]
    assert first["label"] in set(tiny_run.vocabulary["text"])
    said = labelled.stderr.splitlines()
    assert len(said) == 2
    assert "'bad' of the package csp-broken is left out" in said[0]
    assert "the package csp-twice is left out: CSP Explorer has a labeler called 'csp' already" in said[1]
    found = told(
        packages, "evaluate", "tiny", "--metric", "brevity", "--method", "consensus", "--method", "strongest"
    )
    assert 0 < found["numbers"]["brevity"]["methods"]["strongest"]["mean"] <= 1
    told(packages, "export", "tiny", "--layer", "late", "-o", str(tmp_path / "neurons.csv"))
    row = next(csv.DictReader((tmp_path / "neurons.csv").read_text().splitlines()))
    assert row["strongest_label"] and float(row["brevity"]) > 0


def test_help_lists_what_it_adds_and_doctor_says_whose_it_is(packages: Path) -> None:
    assert "brevity" in csp(packages, "evaluate", "--help").stdout
    assert "toy:colours" in csp(packages, "layers", "--help").stdout
    plugins = told(packages, "doctor")["plugins"]
    assert {(one["kind"], one["name"], one["package"]) for one in plugins["added"]} == {
        ("target model", "toy", "csp-toy"),
        ("labeler", "strongest", "csp-toy"),
        ("metric", "brevity", "csp-toy"),
    }
    assert len(plugins["problems"]) == 2
