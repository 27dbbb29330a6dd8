"""csp map and csp export, as a person types them."""

import csv
import json
from pathlib import Path

import pytest

from csp.face.cli.app import run
from csp.keeping.run_folder.run import Run
from csp.work.neurons.map import neuron_map


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_map_is_drawn_and_kept(tiny_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "map", "tiny", "--json")
    assert code == 0
    assert json.loads(out)["layers"] == [{"layer": "early", "how": "pca"}, {"layer": "late", "how": "pca"}]
    assert not neuron_map(tiny_run, "late").empty
    code, _, err = told(capsys, "map", "tiny", "--layer", "middle")
    assert code == 2 and "early, late" in err


def test_export_takes_the_format_from_the_ending(
    tiny_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "neurons.csv"
    code, out, _ = told(capsys, "export", "tiny", "--layer", "late", "-o", str(path), "--json")
    assert code == 0
    assert json.loads(out) == {"run": "tiny", "neurons": 6, "path": str(path)}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["neuron"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    code, _, _ = told(capsys, "export", "tiny", "--format", "json", "-o", str(tmp_path / "all.txt"))
    assert code == 0
    assert len(json.loads((tmp_path / "all.txt").read_text())) == 12


def test_export_names_the_formats_there_are(
    tiny_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = told(capsys, "export", "tiny", "-o", str(tmp_path / "neurons.xlsx"))
    assert code == 2
    assert "xlsx" in err and "csv, json, parquet" in err
    assert not list(tmp_path.glob("neurons*"))
