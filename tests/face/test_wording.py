"""What the screens say in words, and text from elsewhere shown as it is."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.face.screen.atlas.chips import chips_of
from csp.face.screen.atlas.facts import label_lines, notes
from csp.face.screen.elements.components import Badge, warnings_first
from csp.face.screen.wording import (
    REVIEW_STATES,
    STATES,
    by_chance,
    counted,
    counted_review,
    counted_state,
    number,
    plain,
    score,
    short,
    turned,
)
from csp.keeping.reviews.state import NeuronReview
from csp.method.control import ByChance
from csp.work.labels.chance import chance_words
from csp.work.reliance.words import signed
from csp.work.reviews.label_in_force import label_in_force

READ_BY_STREAMLIT = re.compile(
    r"https?://|www\.|[-.\w+]+@[-\w]+\.\w|:material/|:[\w+-]+:|(?:^|\s)(?:<->|->|<-|--|>=|<=|~=)(?:\s|$)",
    re.IGNORECASE,
)
"""What Streamlit's page looks for in text whose escapes were taken away."""


def unescaped(markdown: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


@pytest.mark.parametrize(
    "text",
    [
        "![b](http://evil.example/x.png)",
        "see HTTPS://evil.example or www.evil.example",
        "write to a@evil.example",
        ":material/home: :smile: :red[x] :+1:",
        "a -> b -- c <= d <-> e",
        "`x` ![b](http://evil.example) `y`",
    ],
)
def test_nothing_is_left_to_read(text: str) -> None:
    shown = unescaped(plain(text))
    assert not READ_BY_STREAMLIT.search(shown)
    assert shown.replace("\u2060", "") == text


@given(st.text(alphabet=":/.@-<>=~wht ps\n`[]()!#x+_", max_size=40))
def test_any_text_stays_itself_on_one_line(text: str) -> None:
    shown = plain(text)
    assert not READ_BY_STREAMLIT.search(unescaped(shown))
    assert unescaped(shown).replace("\u2060", "") == " ".join(text.splitlines())
    assert "\n" not in shown


def test_one_is_not_several() -> None:
    assert [counted(count, "image") for count in (0, 1, 1600)] == ["0 images", "1 image", "1,600 images"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_number_comes_first_and_its_verb_and_noun_agree(count: int) -> None:
    said = [
        *(counted_state(count, state) for state in STATES),
        *(counted_review(count, review) for review in REVIEW_STATES),
        *(chip.counted(count) for chip in chips_of(["nevus"]).values()),
    ]
    assert all(words.startswith(f"{count} ") for words in said)
    one = {
        f"{count} {words}" for words in ("never fires", "label replaced", "pushes towards nevus", "artefact")
    }
    many = {
        f"{count} {words}" for words in ("never fire", "labels replaced", "push towards nevus", "artefacts")
    }
    assert (one if count == 1 else many) <= set(said)
    assert not (many if count == 1 else one) & set(said)


def test_a_change_that_is_none_is_no_change() -> None:
    assert turned("71 %", "71 %") == "71 %"
    assert turned("71 %", "64 %", "**") == "71 % → **64 %**"


@pytest.mark.parametrize(
    ("above_noise", "state", "lines"),
    [
        (True, None, ("ruler", "the machine suggests")),
        (False, None, ("nothing fits", "the nearest is ruler")),
        (False, NeuronReview(), ("nothing fits", "the nearest is ruler")),
    ],
)
def test_a_label_that_is_not_claimed_reads_nothing_fits(
    above_noise: bool, state: NeuronReview | None, lines: tuple[str, str]
) -> None:
    facts = {"in_force": label_in_force("ruler", state), "above_noise": above_noise, "source": "machine"}
    assert label_lines(facts) == lines
    frame = pd.DataFrame([facts | {"label": "ruler", "push_class": None}])
    assert chips_of(())["nothing-fits"].fits(frame).tolist() == [not above_noise]


def test_badges_that_warn_come_first() -> None:
    facts = {"artefacts": ["ruler"], "state": "rare", "sentence": "It fires on 3 images."}
    doubt: Badge = ("doubtful", "quiet", "")
    assert [one[0] for one in notes(facts, "normal", [doubt])] == ["ruler", "doubtful", STATES["rare"]]
    blue: Badge = ("Confirmed", "blue", "By Ann")
    shown = warnings_first([blue, *notes(facts, "normal", [doubt])])
    assert [one[0] for one in shown] == ["ruler", "Confirmed", "doubtful", STATES["rare"]]


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "unlikely: less than 1 in 10"),
        (0.2, "unlikely: 2 in 10"),
        (0.5, "unsure: 5 in 10"),
        (0.97, "likely: more than 9 in 10"),
    ],
)
def test_chance_is_worded_in_tenths(chance: float, words: str) -> None:
    assert chance_words(chance) == words


def test_more_than_chance_alone_is_not_said_to_be_learnt() -> None:
    noise, untrained = ByChance(14.2, 20.0), ByChance(119.6, 140.0)
    assert by_chance([noise, None], [untrained, None]) == "by chance 14, random weights 120"
    assert by_chance([noise], [None]) == "by chance 14, random weights not measured"
    assert by_chance([noise]) == "by chance 14" and not by_chance([None], [None])


def test_a_number_that_rounds_to_nothing_has_no_sign() -> None:
    assert [signed(value, 1) for value in (-0.04, 0.04, 0.0, -16.06, 0.05001)] == [
        "0.0",
        "0.0",
        "0.0",
        "−16.1",
        "+0.1",
    ]
    assert [score(value) for value in (-0.0002, -0.02)] == ["0.000", "−0.020"]


def test_below_zero_is_written_with_a_minus() -> None:
    assert [number(value) for value in (-0.0123, -1.5, -12345.0, -1e-7)] == [
        "−0.0123",
        "−1.5",
        "−12,345",
        "−1e−07",
    ]
    assert [short(value) for value in (-0.25, -1.5, -12345.0, 2.0)] == ["−0.25", "−1.5", "−12,345", "2.0"]
