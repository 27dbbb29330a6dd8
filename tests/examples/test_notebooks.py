"""The notebooks under examples/ run from the first cell to the last, and are shipped with what they gave."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests import patience

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.setenv("PYTHONPATH", str(path.parents[1]))
    notebook = nbformat.read(path, as_version=4)
    shipped = [_kinds(cell) for cell in notebook.cells if cell.cell_type == "code"]
    resources = {"metadata": {"path": str(tmp_path)}}
    patient = {"timeout": 2 * patience.SECONDS, "startup_timeout": patience.SECONDS}
    NotebookClient(notebook, kernel_name="python3", resources=resources, **patient).execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [_kinds(cell) for cell in ran] == shipped
    shown = "".join(output.get("data", {}).get("text/html", "") for cell in ran for output in cell.outputs)
    assert shown.count("data:image/webp") >= 10


def _kinds(cell: nbformat.NotebookNode) -> list[list[str]]:
    """Of what a cell showed: the forms of each result; what libraries print does not count."""
    return [sorted(output.data) for output in cell.outputs if output.output_type != "stream"]


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["own_arrays", "own_model"]
