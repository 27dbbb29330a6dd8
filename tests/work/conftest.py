from collections.abc import Iterator
from pathlib import Path

import pytest

from csp.keeping.home import result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.store import open_reviews
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.indexing.index import index
from csp.work.reviews.desk import ReviewDesk
from tests.work.tiny_world import index_spec, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny world's files."""
    return make_world(tmp_path_factory.mktemp("world") / "world")


@pytest.fixture(scope="session")
def indexed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny world, indexed without a stop; not to be changed."""
    return Run.open(index(index_spec(world, tmp_path_factory.mktemp("indexed") / "whole")))


@pytest.fixture(scope="session")
def unlabelled(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same without a vocabulary; not to be changed."""
    spec = index_spec(world, tmp_path_factory.mktemp("indexed") / "unlabelled", vocabulary=None)
    return Run.open(index(spec))


@pytest.fixture
def explorer(tiny_run: Run) -> Explorer:
    """Asks the run of `tests.build`."""
    return Explorer(tiny_run, ResultCache(result_cache_folder()))


@pytest.fixture
def desk(tiny_run: Run) -> Iterator[ReviewDesk]:
    """Where people judge that run."""
    with open_reviews() as reviews:
        yield ReviewDesk(tiny_run, reviews)
