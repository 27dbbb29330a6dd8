"""The fingerprint changes with what decides numbers, and with nothing else."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.keeping.canonical_json import canonical_json
from csp.keeping.run_folder.manifest import FileRecord, LayerRecord, Manifest, Parameters, Source, distinct
from csp.keeping.run_folder.plan import _WORDS, first_difference
from csp.keeping.versions import installed_libraries
from tests import build

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLANS = st.dictionaries(st.text("abc", min_size=1), JSON, max_size=4)

DECIDING: list[dict[str, Any]] = [
    {"target": Source(spec="drawn:tiny", name="tiny classifier", hash="b" * 64)},
    {"dataset": Source(spec="drawn:40", name="drawn lesions", hash="b" * 64)},
    {"encoder": Source(spec="drawn:clip", name="tiny encoder", hash="b" * 64)},
    {"layers": (LayerRecord(layer="early", neurons=6, pooling="max"),)},
    {"classes": ("melanoma", "nevus")},
    {"parameters": Parameters(k=31)},
    {"parameters": Parameters(reuse=False)},
    {"parameters": Parameters(gamma=0.5)},
    {"parameters": Parameters(contrast="quantile:0.1")},
    {"parameters": Parameters(templates=("{}",))},
    {"parameters": Parameters(renormalise=False)},
    {"files": {"tables/images.parquet": FileRecord(bytes=1, sha256="0")}},
]
OTHER: list[dict[str, Any]] = [
    {"name": "renamed"},
    {"created": datetime(2001, 1, 1, tzinfo=UTC)},
    {"csp_version": "9"},
    {"code": "0"},
    {"libraries": {}},
    {"notes": ("seen",)},
    {"target": Source(spec="torchvision:elsewhere", name="renamed", hash="a" * 64)},
]


@pytest.mark.parametrize("change", DECIDING, ids=str)
def test_fingerprint_changes_with_what_decides(change: dict[str, Any]) -> None:
    manifest = build.manifest()
    assert manifest.model_copy(update=change).fingerprint != manifest.fingerprint


@pytest.mark.parametrize("change", OTHER, ids=str)
def test_fingerprint_ignores_the_rest(change: dict[str, Any]) -> None:
    manifest = build.manifest()
    assert manifest.model_copy(update=change).fingerprint == manifest.fingerprint


def test_a_run_of_schema_1_keeps_its_fingerprint() -> None:
    """As schema 1 made it: it knew no contrast rule."""
    old = json.loads(build.manifest().model_dump_json()) | {
        "schema_version": 1,
        "created": "2026-01-01T00:00Z",
    }
    del old["parameters"]["contrast"]
    found = Manifest.model_validate(old)
    assert found.fingerprint == "f54af2c90eae44781370493f399927e697c2cb8e822a1a2d95ea2def1d23eb94"
    assert found.parameters.contrast == "mean"


def test_the_usual_contrast_is_no_part_of_a_plan() -> None:
    """So a job begun before there was a choice can go on."""
    assert "contrast" not in Parameters().planned()
    assert Parameters(contrast="quantile:0.1").planned()["contrast"] == "quantile:0.1"


def test_manifest_survives_its_file() -> None:
    manifest = build.manifest()
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


@given(PLANS)
def test_key_order_does_not_matter(plan: dict[str, Any]) -> None:
    turned = dict(reversed(list(plan.items())))
    assert canonical_json(turned) == canonical_json(plan)
    assert first_difference(plan, turned) is None


@given(PLANS, st.text("abc", min_size=1))
def test_a_changed_field_is_named(plan: dict[str, Any], field: str) -> None:
    before, now = plan | {field: "before"}, plan | {field: "now"}
    assert first_difference(before, now) == f'{_WORDS.get(field, field)} was "before", now "now"'
    del before[field]
    assert first_difference(before, now) == f'{_WORDS.get(field, field)} was nothing, now "now"'


def test_a_difference_is_told_in_words_not_as_a_hash() -> None:
    source = {"spec": "csv:a", "name": "a", "hash": "1" * 64}
    plan = {"data": source, "vocabulary": "2" * 64, "files": ["3" * 64]}
    changed = {
        "the content of the dataset was changed since": {"data": source | {"hash": "4" * 64}},
        'the dataset was "csv:a", now "csv:b"': {"data": {"spec": "csv:b", "name": "b", "hash": "4" * 64}},
        "the content of the vocabulary was changed since": {"vocabulary": "5" * 64},
        "the vocabulary was given only then": {"vocabulary": None},
    }
    for words, other in changed.items():
        assert first_difference(plan, plan | other) == words


@given(st.lists(st.sampled_from(["crane", "crane (2)", "maillot", ""]), max_size=6))
def test_classes_of_one_name_stay_apart(names: list[str]) -> None:
    found = distinct(names)
    assert len(set(found)) == len(names)
    assert distinct(found) == found
    assert all(one.startswith(name) for one, name in zip(found, names, strict=True))


def test_nan_has_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"score": float("nan")})


def test_libraries_are_recorded() -> None:
    assert installed_libraries()["zarr"].startswith("3.")
