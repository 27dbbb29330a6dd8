"""Registries: what the program declares, then plug-ins; those that can't be used are told of and left out."""

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from csp import plugins
from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.plugins import Registry, load
from csp.work.metrics.metric import Metric
from csp.work.metrics.registry import METRICS, Metrics
from csp.world.protocols.dataset import open_dataset
from csp.world.specs.registry import DATASETS, KINDS, Schemes

Install = Callable[..., None]


@dataclass(frozen=True)
class Thing:
    name: str


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one module on the Python path, as pip would, with entry points of a group."""

    def installed(package: str, code: str, group: str = "csp.things", **entries: str) -> None:
        module = package.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{module}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        lines = [f"[{group}]", *(f"{name} = {module}:{value}" for name, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines))

    monkeypatch.syspath_prepend(tmp_path)
    return installed


@pytest.fixture(autouse=True)
def forget_packages() -> Iterator[None]:
    """Modules of one test's packages are not those of the next."""
    before = set(sys.modules)
    plugins.installed.cache_clear()
    yield
    plugins.installed.cache_clear()
    for name in {name for name in sys.modules if name.startswith("csp_")} - before:
        del sys.modules[name]


def things() -> Registry[Thing]:
    return Registry("thing", "csp.things", Thing, lambda: [Thing("ours"), Thing("first")])


THING = "from tests.test_plugins import Thing\nTHING = Thing({name!r})\n"


def test_ours_come_first_then_those_of_packages(install: Install) -> None:
    install("csp-zoo", THING.format(name="zebra"), zebra="THING")
    install("csp-ark", THING.format(name="yak"), yak="THING")
    found = things()
    assert list(found) == ["ours", "first", "yak", "zebra"]
    assert found.packages == {"yak": "csp-ark", "zebra": "csp-zoo"}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("code", "value", "why"),
    [
        ("import no_such_module", "THING", "No module named 'no_such_module'"),
        ("def broken(:", "THING", "SyntaxError"),
        ("raise SystemExit(3)", "THING", "SystemExit"),
        ("x = 1 / 0", "THING", "division by zero"),
        ("OTHER = 1", "THING", "no attribute 'THING'"),
        ("THING = 'a text'", "THING", "is no tests.test_plugins.Thing"),
        (THING.format(name="ours"), "THING", "CSP Explorer has a thing called 'ours' already"),
        (THING.format(name="good"), "THING", "the package csp-a-good has a thing called 'good' already"),
    ],
)
def test_one_that_cannot_be_used_is_told_of_and_stops_nothing(
    install: Install, caplog: pytest.LogCaptureFixture, code: str, value: str, why: str
) -> None:
    install("csp-a-good", THING.format(name="good"), good="THING")
    install("csp-bad", code, bad=value)
    install("csp-z-last", THING.format(name="last"), last="THING")
    found = things()
    with caplog.at_level(logging.WARNING):
        assert list(found) == ["ours", "first", "good", "last"]
    (sentence,) = found.problems
    assert why in sentence
    assert sentence.startswith("The thing 'bad' of the package csp-bad is left out: ")
    assert caplog.messages == [sentence]


def test_a_plugin_may_look_into_the_registry_that_it_joins(install: Install) -> None:
    global LOOKED_INTO
    LOOKED_INTO = things()
    code = "from tests import test_plugins\nTHING = test_plugins.Thing('+'.join(test_plugins.LOOKED_INTO))\n"
    install("csp-curious", code, curious="THING")
    assert list(LOOKED_INTO) == ["ours", "first", "ours+first"]


LOOKED_INTO = things()


def test_what_is_named_is_loaded_or_a_sentence_says_why_not() -> None:
    assert load("pathlib:Path") is Path
    with pytest.raises(NotFoundError, match="There is no Python module 'no_such_module'"):
        load("no_such_module:x")
    with pytest.raises(BadInputError, match="'pathlib' has no function 'no_such_function'"):
        load("pathlib:no_such_function")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.what)
def test_schemes_say_what_they_open(kind: Schemes) -> None:
    for name, scheme in kind.items():
        assert name == scheme.name
        assert scheme.what
        for example in scheme.examples:
            assert kind.find(example) == (scheme, example.partition(":")[2])


SCHEME = """
from csp.world.specs.registry import Scheme
SCHEME = Scheme("toy", "csp_toy:open_dataset", ("toy:NAME",), "toys", path="")
def open_dataset(name):
    from csp.world.datasets.image_folder import open_dataset
    return open_dataset(name)
"""


@pytest.fixture
def own_datasets(monkeypatch: pytest.MonkeyPatch) -> Schemes:
    fresh = Schemes("dataset", "csp.datasets", "csp.world.datasets", "open_dataset")
    monkeypatch.setattr("csp.world.protocols.dataset.DATASETS", fresh)
    return fresh


def test_a_scheme_of_a_package_opens(install: Install, own_datasets: Schemes, tmp_path: Path) -> None:
    install("csp-toy", SCHEME, "csp.datasets", toy="SCHEME")
    assert "toy:NAME" in own_datasets.placeholder
    with pytest.raises(NotFoundError, match="does not exist"):
        open_dataset(f"toy:{tmp_path}/nothing")


def test_a_scheme_whose_code_fails_names_its_package(install: Install, own_datasets: Schemes) -> None:
    install("csp-toy", SCHEME.replace("csp_toy:open", "csp_gone:open"), "csp.datasets", toy="SCHEME")
    with pytest.raises(UnavailableError, match="the package csp-toy fails"):
        open_dataset("toy:x")
    assert "folder" in own_datasets


def test_a_scheme_that_was_left_out_is_told_of_when_it_is_asked_for(
    install: Install, own_datasets: Schemes
) -> None:
    install("csp-toy", "import no_such_module", "csp.datasets", toy="SCHEME")
    with pytest.raises(BadInputError, match=r"starts with none of .* package csp-toy is left out"):
        open_dataset("toy:x")
    assert list(DATASETS)[:2] == ["folder", "csv"]


def test_what_a_plugin_does_wrong_is_laid_at_its_door(install: Install) -> None:
    install("csp-zoo", THING.format(name="zebra"), zebra="THING")
    found = things()
    sentence = r"thing 'zebra' of the package csp-zoo fails \(KeyError"
    with pytest.raises(UnavailableError, match=sentence), found.blaming("zebra"):
        {}["stripes"]
    with pytest.raises(KeyError), found.blaming("ours"):
        {}["stripes"]
    with pytest.raises(BadInputError, match="as it is"), found.blaming("zebra"):
        raise BadInputError("as it is")


@pytest.mark.parametrize("number", ["scs", "brevity"])
def test_no_two_metrics_measure_numbers_of_one_name(install: Install, number: str) -> None:
    install(
        "csp-toy",
        f"""
from csp.work.metrics.metric import Metric, Number
METRIC = Metric("brevity", "how short", None, (Number({number!r}, "B", "Short.", "higher", "me"),))
""",
        "csp.metrics",
        brevity="METRIC",
    )
    fresh = Metrics("metric", "csp.metrics", Metric, lambda: list(METRICS.values()))
    assert ("brevity" in fresh) == (number == "brevity")
    assert fresh.problems == () or "another metric measures 'scs'" in fresh.problems[0]
