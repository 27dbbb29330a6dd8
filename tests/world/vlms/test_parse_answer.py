"""What models really write, and that nothing they could write gets through as a label that is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.world.vlms.parse_answer import LONGEST, MOST_CONCEPTS, MOST_LISTED_WORDS, parse_answer

THREE = ("ruler marks", "dark hair", "blue-white veil")
WORD = st.sampled_from(["ruler", "dark", "hair", "blue", "white", "veil", "border", "ink", "dots", "red"])
CONCEPTS = st.lists(
    st.lists(WORD, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=MOST_CONCEPTS, unique=True
)


@pytest.mark.parametrize(
    "raw",
    [
        "ruler marks\ndark hair\nblue-white veil",
        "Ruler marks, dark hair, blue-white veil.",
        "1. Ruler marks\n2. Dark hair\n3. Blue-white veil",
        "1) ruler marks 2) dark hair 3) blue-white veil",
        "- ruler_marks\n- dark_hair\n- blue-white_veil",
        "Here are three concepts:\n\n* **Ruler marks**: along the edge, in all\n* **Dark hair** lies across\n"
        "* **Blue-white veil** (most of them)\n\nI hope this helps!",
        '```json\n["ruler marks", "dark hair", "blue-white veil"]\n```',
        '{"concepts": ["ruler marks", "dark hair", "blue-white veil"]}',
        '[{"concept": "ruler marks", "why": "in all"}, {"concept": "dark hair", "why": "thick lines"}, '
        '{"concept": "blue-white veil", "why": "no"}]',
        '["ruler marks", "dark hair", "blue-white veil',
        "<think>Is it ink? Perhaps not.</think>ruler marks\ndark hair\nblue-white veil",
        "The pictures of the first grid show ruler marks, dark hair, and a blue-white veil.",
        "Concepts: “ruler marks”; “dark hair”; “blue-white veil”",
        "1. <b>Ruler</b> *marks*\n2. `dark hair`\n3. ~blue-white veil~",
        "Ruler marks\nruler marks\nDark hair\nBlue-white veil\nDARK HAIR",
    ],
)
def test_what_models_write(raw: str) -> None:
    assert parse_answer(raw) == THREE


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " \n\t\n",
        "I'm sorry, but I can't help with that.",
        "As an AI language model, I cannot identify concepts in medical images.",
        "There is no common concept.",
        "None.",
        "N/A",
        "?!",
        "1.\n2.\n3.",
        "ruler " * 3000,
        "The lesion " + "very " * 50 + "dark",
        "{}",
        "[1, 2, 3]",
        "[" * 5000,
        "<think>ruler, hair",
    ],
)
def test_nothing_is_made_up_where_nothing_is_said(raw: str) -> None:
    assert parse_answer(raw) == ()


def test_labels_that_are_too_long_are_dropped_and_the_others_kept() -> None:
    raw = (
        "1. a white ruler with black marks\n2. "
        + "w" * (LONGEST + 1)
        + "\n3. one two three four five six seven\n4. ink"
    )
    assert parse_answer(raw) == ("white ruler with black marks", "ink")
    assert parse_answer("a white ruler with black marks beside it\nblack and white stripes") == (
        "black and white stripes",
    )


def test_an_endless_answer_is_cut() -> None:
    assert len(parse_answer("\n".join(f"colour {chr(97 + n)}{n}" for n in range(500)))) == MOST_CONCEPTS


@given(st.text() | st.text(alphabet=" \n,.:;-*1234[]{}\"'_()and<>`abAB", max_size=400))
def test_whatever_is_written_only_clean_labels_come_out(raw: str) -> None:
    concepts = parse_answer(raw)
    assert len(concepts) <= MOST_CONCEPTS and len(set(concepts)) == len(concepts)
    for concept in concepts:
        assert 2 <= len(concept) <= LONGEST and len(concept.split()) <= MOST_LISTED_WORDS
        assert concept == concept.lower() and concept == " ".join(concept.split())
        assert "_" not in concept and any(sign.isalpha() for sign in concept) and concept.isprintable()


@given(CONCEPTS, st.sampled_from(["lines", "numbers", "bullets", "commas", "json", "object"]))
def test_every_way_to_list_gives_the_list(concepts: list[str], way: str) -> None:
    raw = {
        "lines": "\n".join(concepts),
        "numbers": "\n".join(f"{place}. {concept.title()}" for place, concept in enumerate(concepts, 1)),
        "bullets": "Sure:\n" + "\n".join(f"- {concept.replace(' ', '_')}" for concept in concepts),
        "commas": ", ".join(concepts),
        "json": json.dumps(concepts),
        "object": json.dumps({"concepts": concepts}),
    }[way]
    assert parse_answer(raw) == tuple(concepts)


@given(CONCEPTS)
def test_reading_what_was_read_changes_nothing(concepts: list[str]) -> None:
    once = parse_answer("\n".join(concepts))
    assert parse_answer("\n".join(once)) == once
