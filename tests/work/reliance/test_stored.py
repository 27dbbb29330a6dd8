"""Numbers that lie with a run: shown at once by whoever opens it, and the same as worked out anew."""

import pytest

from csp.keeping.home import SHIPPED_RUNS, result_cache_folder
from csp.keeping.result_cache import ResultCache
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.reliance.concepts import shown
from csp.work.reliance.exact import exact_numbers
from csp.work.reliance.heads import behind_head
from csp.work.reliance.reliance import keep_exact, reliance
from csp.work.reliance.words import differing, summary
from csp.work.reviews.desk import Person, ReviewDesk
from tests.work.reliance.conftest import MakeRun


def test_what_was_kept_is_told_again_without_working_it_out(make_run: MakeRun) -> None:
    explorer = make_run()
    first = reliance(explorer, {})
    assert {one.provenance.source for one in first.concepts} == {"computed"}
    keep_exact(explorer, first)
    copied = Explorer(Run.open(explorer.run.path), ResultCache(result_cache_folder() / "elsewhere"))
    again = reliance(copied, {})
    assert {one.provenance.source for one in again.concepts} == {"precomputed"}
    assert [one.numbers for one in again.concepts] == [one.numbers for one in first.concepts]
    parted = reliance(copied, {}, ["sticker"], by="label").concepts[0]
    assert parted.subgroups is not None
    assert parted.numbers == next(one.numbers for one in first.concepts if one.concept.name == "sticker")


def test_what_was_not_tested_is_not_called_harmless(make_run: MakeRun) -> None:
    found = reliance(make_run(behind=False), {})
    assert found.untested
    assert summary(found).startswith("Not known")


def test_groups_too_small_to_compare_are_not_called_alike(make_run: MakeRun) -> None:
    found = reliance(make_run(), {}, ["sticker"], by="path")
    assert "no two groups hold 20 images" in differing(found)


def test_a_concept_with_other_neurons_is_worked_out_anew(make_run: MakeRun) -> None:
    explorer = make_run()
    keep_exact(explorer, reliance(explorer, {}))
    desk = ReviewDesk(explorer.run, open_reviews())
    desk.record(Person(name="Ann"), Entry(layer="last", neuron=5, verdict=Action.OVERRIDE, label="sticker"))
    one = reliance(explorer, desk.states(), ["sticker"]).concepts[0]
    assert one.provenance.source == "computed"
    assert 5 in one.concept.of("last")


@pytest.mark.usefixtures("own_home")
def test_the_demo_tells_at_once_what_it_would_work_out() -> None:
    explorer = Explorer(Run.open(SHIPPED_RUNS / "demo"), ResultCache(result_cache_folder()))
    found = reliance(explorer, {}).concepts
    assert {one.provenance.source for one in found} == {"precomputed"}
    seen, last = behind_head(explorer.run), found[-1]
    assert seen is not None
    anew = exact_numbers(explorer.run, seen, last.concept, shown(explorer.run, last.concept))
    assert last.numbers.size == pytest.approx(anew.size, abs=1e-5)
    assert last.numbers.classes.keys() == anew.classes.keys()
    assert last.numbers.pictures == anew.pictures
