"""How good the model is, for whom."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from csp.errors import BadInputError, NotFoundError
from csp.keeping.result_cache import ResultCache
from csp.method.metrics.statistics import auroc
from csp.work.attribution.model_card import ModelCard, Which, model_card, skill
from csp.work.explorer.explorer import open_explorer
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from csp.work.run_cache import RunCache
from csp.work.subgroups import offered_columns

IMAGES = 240
NUMBERS: tuple[Which, ...] = ("auroc", "sensitivity", "specificity")


@dataclass(eq=False)
class Asked:
    """What a model card needs of an explorer: a run, and where answers are kept."""

    run: Any
    cache: RunCache


@dataclass(eq=False)
class StoredRun:
    """What a model card needs of a run."""

    images: pd.DataFrame
    probabilities: np.ndarray | None
    classes: tuple[str, ...]
    name: str = "made up"
    fingerprint: str = "f" * 64

    @property
    def manifest(self) -> "StoredRun":
        return self


def asked(home: Path, probabilities: np.ndarray | None, classes: tuple[str, ...], **columns: Any) -> Any:
    """A run with these answers, and these columns beside those that every run has."""
    count = IMAGES if probabilities is None else len(probabilities)
    table = pd.DataFrame({"image": range(count), "split": [""] * count, "label": [None] * count} | columns)
    run: Any = StoredRun(table, probabilities, classes)
    return Asked(run, RunCache(run, ResultCache(home)))


def world(home: Path, **columns: Any) -> Any:
    """Two classes; the model is right by chance alone on skin "V", and nearly always on the others."""
    rng = np.random.default_rng(0)
    skin = np.array(["I", "V"], dtype=object)[(np.arange(IMAGES) % 2)]
    skin[-30:], skin[:5] = None, "rare"
    label = rng.integers(0, 2, IMAGES)
    wrong = np.where(skin == "V", rng.random(IMAGES) < 0.5, rng.random(IMAGES) < 0.05)
    sure = 0.6 + 0.3 * rng.random(IMAGES)
    right = np.where(wrong, 1 - sure, sure)
    probabilities = np.where(label[:, None] == np.arange(2), right[:, None], 1 - right[:, None])
    names = np.array(["nevus", "Melanoma"], dtype=object)
    return asked(
        home,
        probabilities.astype(np.float32),
        ("nevus", "melanoma"),
        label=names[label],
        skin_tone=skin,
        hairs=rng.random(IMAGES) < 0.5,
        **columns,
    )


def test_every_number_is_that_of_its_groups_images(tmp_path: Path) -> None:
    explorer = world(tmp_path)
    card = model_card(explorer, "skin_tone")
    assert [one.name for one in card.groups] == ["I", "V", "rare", "not stated"], "missing values are a group"
    assert [one.small for one in card.groups] == [False, False, True, False]
    assert card.all.n == sum(one.n for one in card.groups) == IMAGES
    run = explorer.run
    rows = (run.images["skin_tone"] == "V").to_numpy()
    true = (run.images["label"] == "Melanoma").to_numpy()[rows]
    says = run.probabilities[rows].argmax(axis=1) == 1
    (dark,) = (one for one in card.groups if one.name == "V")
    assert dark.n == rows.sum()
    assert dark.accuracy.value == pytest.approx((says == true).mean())
    assert dark.classes[1].sensitivity.value == pytest.approx(says[true].mean())
    assert dark.classes[1].sensitivity.n == true.sum()
    assert dark.classes[1].specificity.value == pytest.approx((~says[~true]).mean())
    assert dark.classes[1].auroc.value == pytest.approx(auroc(run.probabilities[rows, 1], true))
    assert dark.accuracy.low < dark.accuracy.value < dark.accuracy.high
    assert model_card(explorer, "skin_tone") == card, "what is kept is the same"


def test_a_real_difference_is_more_than_chance_and_an_empty_one_is_not(tmp_path: Path) -> None:
    explorer = world(tmp_path)
    worse = model_card(explorer, "skin_tone").apart(1, "auroc")
    assert worse is not None
    assert worse.least == "V" and "rare" not in (worse.least, worse.most), "small groups are not ranked"
    assert worse.difference > worse.by_chance
    same = model_card(explorer, "hairs").apart(1, "auroc")
    assert same is not None and same.difference < same.by_chance
    assert offered_columns(explorer.run)[0] == "skin_tone", "people first"


def test_by_one_rule_a_group_with_few_of_a_class_is_not_ranked_in_any_number(tmp_path: Path) -> None:
    counts = {"2": (30, 60), "4": (30, 60), "6": (16, 60)}
    label = np.concatenate([np.repeat([1, 0], both) for both in counts.values()])
    tone = np.repeat(list(counts), [sum(both) for both in counts.values()]).astype(object)
    right = np.where(tone == "6", 0.4, 0.9)
    said = np.where(label[:, None] == np.arange(2), right[:, None], 1 - right[:, None]).astype(np.float32)
    names = np.array(["nevus", "melanoma"], dtype=object)
    card = model_card(asked(tmp_path, said, tuple(names), label=names[label], skin_tone=tone), "skin_tone")
    for which in NUMBERS:
        apart = card.apart(1, which)
        assert apart is not None and "6" not in (apart.least, apart.most), which
    assert [card.named(group.name) for group in card.unranked(1)] == ["skin tone 6"]
    assert not card.groups[2].small, "it is no small group: few of its images are of the class"


def test_independent_labels_are_judged_by_their_own_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth = rng.random((60, 2)) < 0.5
    said = np.where(truth, 0.9, 0.2).astype(np.float32)
    said[:6, 0] = 0.1
    explorer = asked(tmp_path, said, ("ruler", "hairs"), ruler=truth[:, 0], hairs=truth[:, 1])
    card = model_card(explorer, None)
    assert card.independent
    assert card.all.n == 60
    assert card.all.classes[1].sensitivity.value == 1
    assert card.all.classes[0].sensitivity.value == pytest.approx((said[truth[:, 0], 0] > 0.5).mean())


def test_one_class_is_told_from_all_other_labels(tmp_path: Path) -> None:
    label = np.array(["melanoma", "something else"] * 20, dtype=object)
    said = np.where(label == "melanoma", 0.7, 0.6)[:, None].astype(np.float32)
    card = model_card(asked(tmp_path, said, ("melanoma",), label=label), None)
    assert card.all.classes[0].auroc.value == 1
    assert (card.all.classes[0].sensitivity.value, card.all.classes[0].specificity.value) == (1, 0)


def test_what_can_not_be_told_is_said(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(30, 1)).astype(np.float32) * 40
    with pytest.raises(BadInputError, match="holds no class probabilities"):
        model_card(asked(tmp_path, None, ()), None)
    with pytest.raises(BadInputError, match="are no probabilities"):
        model_card(asked(tmp_path, numbers, ("age",)), None)
    with pytest.raises(BadInputError, match="has a label that is a class"):
        model_card(asked(tmp_path, np.full((9, 2), 0.5, np.float32), ("a", "b"), label=["c"] * 9), None)
    with pytest.raises(NotFoundError, match="no column 'sex'"):
        model_card(world(tmp_path), "sex")
    alone: ModelCard = model_card(
        asked(tmp_path, np.full((1, 2), 0.5, np.float32), ("a", "b"), label=["a"]), None
    )
    assert alone.all.small and np.isnan(alone.all.classes[0].auroc.value)


def test_a_run_without_classes_says_so(own_home: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, columns in (("activations", 3), ("embeddings", 4)):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(20, columns)).astype(np.float32))
    import_arrays(ImportSpec(tmp_path / "activations.npy", tmp_path / "embeddings.npy", "bare"))
    with pytest.raises(BadInputError, match="holds no class probabilities"):
        model_card(open_explorer("bare"), None)


def test_a_model_that_guesses_is_told_from_one_that_does_not_where_images_are_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    label = np.array(["nevus", "melanoma"] * 60, dtype=object)
    noise = rng.dirichlet([1, 1], 120).astype(np.float32)
    right = np.where((label == "melanoma")[:, None] == [False, True], 0.8, 0.2).astype(np.float32)
    classes = ("nevus", "melanoma")
    guesses = skill(asked(tmp_path, noise, classes, label=label).run)
    assert guesses is not None and guesses.guessing and "Mean AUROC 0." in guesses.sentence
    knows = skill(asked(tmp_path, right, classes, label=label).run)
    assert knows is not None and not knows.guessing and knows.auroc == 1
    assert skill(asked(tmp_path, noise[:20], classes, label=label[:20]).run) is None, "too few to tell"
    assert skill(asked(tmp_path, noise, classes).run) is None, "no labels"
    assert skill(asked(tmp_path, None, classes).run) is None, "no answers"
