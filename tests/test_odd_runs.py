"""Whatever a run holds, each page, command and export stands or says in a sentence why it can't."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from streamlit.testing.v1 import AppTest

from csp.face.cli.app import run as csp
from csp.keeping.home import home
from tests import patience
from tests.odd_runs import SAMPLE, OddRun, build, odd_runs

ROOT = Path(__file__).parents[1]
PAGES = ("app.py", *(f"pages/{path.name}" for path in sorted((ROOT / "pages").glob("*.py"))))
COMMANDS = (
    ["runs", "--json"],
    ["doctor", "--json"],
    ["examples", "odd", "--neuron", "0", "--json"],
    ["label", "odd", "--json"],
    ["label", "odd", "--method", "csp", "--top", "3"],
    ["search", "odd", "ruler, -hair"],
    ["search", "odd", "--like", "0"],
    ["candidates", "odd"],
    ["evaluate", "odd"],
    ["evaluate", "odd", "--metric", "descriptive", "--json"],
    ["evaluate", "odd", "--metric", "simcorr"],
    ["evaluate", "odd", "--metric", "stability"],
    ["evaluate", "odd", "--metric", "causal", "--json"],
    ["map", "odd"],
    ["attribute", "odd"],
    ["reliance", "odd", "--json"],
    ["reliance", "odd", "--by", "label"],
    ["reliance", "odd", "--concept", "ruler", "--json"],
    ["mend", "odd", "--concept", "ruler", "-o", "{out}/m.safetensors"],
    ["mend", "odd", "--concept", "ruler", "-o", "{out}/m.json", "--json"],
    ["review", "agreement", "odd"],
    ["review", "list", "odd"],
    *(["export", "odd", "-o", f"{{out}}/x.{ending}"] for ending in ("csv", "json", "parquet", "html")),
)


def stands(odd: OddRun, folder: Path, pages: tuple[str, ...]) -> None:
    build(odd, folder / "files", home() / "runs" / "odd")
    for command in COMMANDS:
        filled = [word.format(out=folder) for word in command]
        assert csp(filled) in (0, 2), (command, odd)
    for page in pages:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience.SECONDS)
        if page != "app.py":
            app.switch_page(page)
        app.query_params["run"] = "odd"
        app.run()
        assert not app.exception, (page, odd, [each.message for each in app.exception])


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(SAMPLE)))
def test_odd_runs_of_each_kind(own_home: Path, tmp_path: Path, place: int) -> None:
    stands(SAMPLE[place], tmp_path, PAGES)


def test_odd_runs_drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    count = request.config.getoption("--odd-runs")
    if not count:
        pytest.skip("give --odd-runs N to draw some")

    @settings(max_examples=count)
    @given(odd_runs())
    def each(odd: OddRun) -> None:
        with pytest.MonkeyPatch.context() as patch:
            folder = tmp_path_factory.mktemp("odd")
            patch.setenv("CSP_HOME", str(folder / "home"))
            stands(odd, folder, PAGES)

    each()
