"""Candidates: asked of a real VLM on a real run, kept whole, resumed, scored without a model, seen again."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from csp.errors import BadInputError, CspError, UnavailableError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.work.candidates.ask import Generated, generate, generate_all
from csp.work.candidates.read import add_candidate, candidates, vlm_answers, what_the_vlm_saw
from csp.work.candidates.scores import joined_labels, joined_texts
from csp.work.candidates.tables import CANDIDATES, CandidateRequest, Layout
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.explorer.typed_text import score_text
from csp.work.neurons.label_lists import label_lists
from csp.work.progress import Progress
from csp.world.vlms.prompts import PROMPTS
from tests.work.engines.sent import Sent
from tests.world.misbehaving import Server, fails, serving, tells

RULER, HAIRS, DEAD, CONSTANT, GAPS = 0, 1, 2, 3, 5
ANSWER = "1. Ruler marks\n2. dark_hair\n3. a bicycle"


@pytest.fixture
def explorer(tiny_run: Run) -> Explorer:
    return open_explorer("tiny")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(tells(ANSWER)) as server:
        yield server


def test_on_another_engine_the_same_is_asked_and_kept(explorer: Explorer, server: Server) -> None:
    chosen = {"early": [RULER], "late": [RULER, DEAD, HAIRS]}
    there = generate_all(explorer, chosen, asking(server, seed=1), engine=Sent())
    here = generate_all(explorer, chosen, asking(server, seed=2))
    assert there == here
    assert there["late"].answered == 2 and list(there["late"].not_asked) == [DEAD]
    rows = Additions(explorer.run).read(CANDIDATES).drop(columns=["request", "seed", "when", "seconds"])
    first, second = rows.iloc[:3].reset_index(drop=True), rows.iloc[3:].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, second)


def asking(server: Server, **changed: object) -> CandidateRequest:
    return CandidateRequest(vlm=f"openai:{server.address}#tiny-vlm", **changed)  # type: ignore[arg-type]


def test_answers_are_kept_whole_and_scored_without_a_model(explorer: Explorer, server: Server) -> None:
    reached: list[Progress] = []
    done = generate(explorer, "late", [RULER, HAIRS], asking(server, seed=4, by="Ada"), reached.append)
    assert (done.answered, done.unparsable, done.unscored) == (2, 0, "")
    assert [progress.done for progress in reached] == [1, 2]
    (answer,) = vlm_answers(open_explorer("tiny").run, "late", RULER)
    assert (answer.raw, answer.concepts) == (ANSWER, ("ruler marks", "dark hair", "bicycle"))
    assert (answer.mode, answer.prompt, answer.seed) == ("contrastive", PROMPTS["contrastive"], 4)
    assert (answer.vlm, answer.vlm_name, answer.by) == (
        f"openai:{server.address}#tiny-vlm",
        "tiny-vlm",
        "Ada",
    )
    view = explorer.neuron("late", RULER, explorer.options(k=9))
    assert answer.shown.activating == tuple(pair.activating.image for pair in view.pairs)
    assert answer.shown.contrastive == tuple(
        pair.contrastive.image for pair in view.pairs if pair.contrastive
    )
    found = candidates(explorer, "late", RULER)
    assert found[0].text == "ruler marks" and found[0].source == "vlm" and found[0].by == "tiny-vlm"
    for candidate in found:
        expected = score_text(explorer, "late", RULER, candidate.text)
        assert candidate.scores == expected.scores


def test_what_the_vlm_saw_is_what_was_sent(explorer: Explorer, server: Server) -> None:
    layout = Layout(rows=2, images=4, pixels=60)
    for mode in ("contrastive", "activating-only"):
        generate(explorer, "late", [RULER], asking(server, mode=mode, layout=layout))
    sent = [
        [part["image_url"]["url"] for part in one["body"]["messages"][0]["content"] if part["type"] != "text"]
        for one in server.questions
    ]
    assert [len(grids) for grids in sent] == [2, 1]
    latest, first = vlm_answers(explorer.run, "late", RULER)
    assert (latest.mode, latest.shown.contrastive) == ("activating-only", ())
    saw = what_the_vlm_saw(explorer.run, first)
    assert saw.same and len(saw.grids) == 2
    small, large = (Image.open(io.BytesIO(png)) for png in (saw.grids[0], saw.large[0]))
    assert small.size == (60, 60) and large.size == (360, 360)
    assert np.array_equal(np.asarray(large)[3::6, 3::6], np.asarray(small))


def test_a_job_goes_on_where_it_stopped(explorer: Explorer, server: Server) -> None:
    server.behaviours = [tells(ANSWER), fails(400, "out of credit"), tells(ANSWER)]
    with pytest.raises(BadInputError, match=r"out of credit.*; 1 new answers are kept"):
        generate(explorer, "late", [RULER, HAIRS, GAPS], asking(server))
    assert candidates(explorer, "late", RULER)[0].scores
    done = generate(explorer, "late", [RULER, HAIRS, GAPS], asking(server))
    assert (done.known, done.answered) == (1, 2)
    assert generate(explorer, "late", [RULER, HAIRS, GAPS], asking(server)).known == 3
    assert len(server.questions) == 4
    assert generate(explorer, "late", [RULER], asking(server, seed=1)).answered == 1
    assert generate(explorer, "late", [RULER], asking(server, prompt="{images} Why?")).answered == 1
    assert len(vlm_answers(explorer.run, "late", RULER)) == 3


def test_the_look_alikes_shown_follow_the_rule_asked_for(explorer: Explorer, server: Server) -> None:
    assert generate(explorer, "late", [RULER], asking(server)).answered == 1
    assert generate(explorer, "late", [RULER], asking(server, contrast="mean")).known == 1
    assert generate(explorer, "late", [RULER], asking(server, contrast="quantile:0.1")).answered == 1
    latest, first = vlm_answers(explorer.run, "late", RULER)
    options = explorer.options(Layout().images, contrast="quantile:0.1")
    pairs, _ = explorer.pairs("late", RULER, options)
    lowest = [pair.contrastive.image for pair in pairs if pair.contrastive and pair.activation > 0]
    assert list(latest.shown.contrastive) == lowest != list(first.shown.contrastive)


def test_what_cannot_be_read_is_kept_and_counted(explorer: Explorer, server: Server) -> None:
    server.behaviours = [tells("I'm sorry, I can't help."), tells("")]
    done = generate(explorer, "late", [RULER, HAIRS], asking(server))
    assert (done.answered, done.unparsable) == (0, 2) and "2 answers unparsable" in done.sentence
    (answer,) = vlm_answers(explorer.run, "late", RULER)
    assert (answer.status, answer.concepts, answer.raw) == ("unparsable", (), "I'm sorry, I can't help.")
    assert candidates(explorer, "late", RULER) == ()


def test_neurons_with_nothing_to_show_are_not_asked(explorer: Explorer, server: Server) -> None:
    done = generate(explorer, "late", [DEAD, CONSTANT], asking(server))
    assert "did not respond to any image" in done.not_asked[DEAD]
    assert "activating-only" in done.not_asked[CONSTANT] and not server.questions
    alone = generate(explorer, "late", [DEAD, CONSTANT], asking(server, mode="activating-only"))
    assert (alone.answered, list(alone.not_asked)) == (1, [DEAD])


def test_candidates_outside_the_vocabulary_wait_for_the_encoder(explorer: Explorer, server: Server) -> None:
    server.behaviours = [tells("ruler marks\nhorse")]
    done = generate(explorer, "late", [RULER], asking(server))
    assert "encoder" in done.unscored
    horse = next(one for one in candidates(explorer, "late", RULER) if one.text == "horse")
    assert horse.scores == {}


def test_people_add_edit_and_score_their_own(explorer: Explorer, server: Server) -> None:
    generate(explorer, "late", [RULER], asking(server))
    add_candidate(explorer, "late", RULER, "  a  ruler ", by="Ada")
    add_candidate(explorer, "late", RULER, "A RULER", by="Bob")
    add_candidate(explorer, "late", RULER, "snow", by="Bob", replaces="bicycle")
    found = {one.text: one for one in candidates(explorer, "late", RULER)}
    assert (found["a ruler"].source, found["a ruler"].by, found["a ruler"].replaced) == (
        "person",
        "Ada",
        False,
    )
    assert found["a ruler"].scores["csp"] == score_text(explorer, "late", RULER, "a ruler").scores["csp"]
    assert (found["snow"].replaces, found["bicycle"].replaced) == ("bicycle", True)
    assert list(found)[-1] == "bicycle"
    assert "a ruler" not in {one.text for one in candidates(explorer, "late", HAIRS)}
    for text in ("", "x" * 121):
        with pytest.raises(BadInputError):
            add_candidate(explorer, "late", RULER, text, by="Ada")
    with pytest.raises(UnavailableError):
        add_candidate(explorer, "late", RULER, "a horse", by="Ada")
    assert "a horse" in {one.text for one in candidates(explorer, "late", RULER)}


def test_requests_that_cannot_work(explorer: Explorer, server: Server) -> None:
    for changed, sentence in (
        ({"prompt": "What is this?"}, "0 places for the pictures"),
        ({"prompt": "{images} {images}?"}, "2 places"),
        ({"prompt": "{images}"}, "asks nothing"),
        ({"mode": "both"}, "no mode"),
        ({"layout": Layout(rows=0)}, "can't be laid out"),
        ({"layout": Layout(rows=4, images=3)}, "can't be laid out"),
        ({"layout": Layout(pixels=2)}, "can't be drawn"),
        ({"seed": -1}, "seed"),
        ({"most_tokens": 0}, "tokens"),
        ({"contrast": "quantile:2"}, "quantile"),
    ):
        with pytest.raises(BadInputError, match=sentence):
            generate(explorer, "late", [RULER], asking(server, **changed))
    with pytest.raises(CspError, match="starts with none of hf:, openai:, python:"):
        generate(explorer, "late", [RULER], CandidateRequest(vlm="gpt"))
    assert not server.questions and Additions(explorer.run).read(CANDIDATES).empty


def test_a_run_without_pictures_says_so(explorer: Explorer, server: Server, tiny_run: Run) -> None:
    answered = generate(explorer, "late", [RULER], asking(server))
    assert isinstance(answered, Generated) and answered.answered == 1
    (answer,) = vlm_answers(explorer.run, "late", RULER)
    (tiny_run.path / "thumbnails.bin").unlink()
    with pytest.raises(CspError):
        what_the_vlm_saw(open_explorer("tiny").run, answer)


class TestWithARealEncoder:
    """On a run whose encoder is there."""

    def test_new_texts_join_the_vocabulary(self, indexed: Run, world: Path, server: Server) -> None:
        server.behaviours = [tells("white mole\nred ruler")]
        explorer = open_explorer(str(indexed.path))
        layer = indexed.layers[0]
        neuron = next(n for n in range(8) if indexed.activations(layer, n).max() > 0)
        generate(explorer, layer, [neuron], asking(server))
        joined = joined_texts(explorer.run)
        assert joined is not None and joined.vocabulary.texts[-2:] == ("red ruler", "white mole")
        best = joined_labels(explorer, layer, neuron, explorer.options(), top=20)
        assert len(best["csp"]) == len(indexed.vocabulary) + 2
        listed = label_lists(explorer, {layer: [neuron]}, "csp", explorer.options(), 20, candidates=True)
        assert {"red ruler", "white mole"} < {row["label"] for row in listed[0]["labels"]}
        found = candidates(explorer, layer, neuron)
        assert {one.text for one in found} == {"white mole", "red ruler"}
        at_half = candidates(explorer, layer, neuron, explorer.options(gamma=0.5))
        for one, half in zip(found, at_half, strict=True):
            alone = score_text(explorer, layer, neuron, one.text)
            assert one.scores["csp"].score == pytest.approx(alone.scores["csp"].score, abs=1e-5)
            assert one.scores["csp"].score != half.scores["csp"].score

    def test_an_encoder_elsewhere_must_be_the_same(self, indexed: Run, world: Path, server: Server) -> None:
        server.behaviours = [tells("white veil")]
        explorer, layer = open_explorer(str(indexed.path)), indexed.layers[0]
        neuron = next(n for n in range(8) if indexed.activations(layer, n).max() > 0)
        encoder = f"openclip:local-dir:{world}/clip"
        done = generate(explorer, layer, [neuron], asking(server, encoder=encoder, seed=9))
        assert done.unscored == "" and candidates(explorer, layer, neuron)[0].scores
