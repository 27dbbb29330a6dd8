"""The audit report: one file that opens offline and holds what people decided, safely."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from csp.errors import UnavailableError
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.added_tables import Additions
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import CHANCES
from csp.work.neurons.rows import machine_rows
from csp.work.report.content import NOTHING_FITS, NeuronGroup, ReportOptions, content
from csp.work.report.export import export_report, is_report, report_text
from csp.work.report.html import CONTENTS, report_html
from csp.work.report.requirements import REQUIREMENTS, answered
from csp.work.reviews.artefacts import artefact_neurons
from csp.work.reviews.desk import Person, ReviewDesk
from tests.build import add_pushes

ANN, BO = Person(name="Ann <script>alert(1)</script>"), Person(name="Bo", verified=True)
HOSTILE = '<img src=x onerror="alert(1)"> & "ruler" \u202e'
WISH = ReportOptions(("early", "late"))


class Elements(HTMLParser):
    """Collects what a browser would build."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [value for name, value in given.items() if name == "id" and value]
        self.links += [value for name, value in given.items() if name in ("href", "src") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def built(html: str) -> Elements:
    found = Elements()
    found.feed(html)
    return found


def review(desk: ReviewDesk) -> None:
    desk.record(
        ANN, Entry(layer="late", neuron=0, verdict=Action.OVERRIDE, label=HOSTILE, reason="<b>why</b>")
    )
    desk.record(BO, Entry(layer="late", neuron=0, verdict=Action.CONFIRM, tags=("artefact:ruler",)))
    desk.record(BO, Entry(layer="late", neuron=1, verdict=Action.REJECT))


def test_it_is_whole_asks_for_nothing_and_runs_nothing(explorer: Explorer, desk: ReviewDesk) -> None:
    review(desk)
    html, neurons = report_text(explorer, desk, WISH)
    page = built(html)
    assert neurons == sum(layer.neurons for layer in explorer.run.manifest.layers)
    assert {"script", "img", "iframe", "link", "object"}.isdisjoint(page.tags)
    assert all(link.startswith(("#", "data:image/jpeg;base64,")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("use") > page.tags.count("image") > 0
    (counts,) = re.findall(r"people decided on 2 neurons \((.*?)\)", page.text)
    assert set(counts.split(", ")) == {"1 confirmed", "1 no label fits"}


def test_what_people_wrote_is_shown_as_written(explorer: Explorer, desk: ReviewDesk) -> None:
    review(desk)
    text = built(report_text(explorer, desk, WISH)[0]).text
    for said in (HOSTILE, "Ann <script>alert(1)</script>", "<b>why</b>", "In dispute.", "artefact:ruler"):
        assert said in text
    assert "(name not checked)" in text
    assert desk.reviews.verify().head in text
    assert explorer.run.fingerprint in text


def test_pictures_and_neurons_nobody_reviewed_can_be_left_out(explorer: Explorer, desk: ReviewDesk) -> None:
    review(desk)
    html, neurons = report_text(
        explorer, desk, ReportOptions(("early", "late"), pictures=False, reviewed_only=True)
    )
    page = built(html)
    assert neurons == 2
    assert "image" not in page.tags
    assert "data:" not in "".join(page.links)
    assert "neurons that nobody reviewed are left out" in page.text
    assert re.search(r", image \d+", page.text)


def test_a_damaged_record_is_said_first(explorer: Explorer, desk: ReviewDesk, own_home: Path) -> None:
    review(desk)
    with closing(sqlite3.connect(own_home / "reviews.sqlite")) as database, database:
        database.execute("DROP TRIGGER IF EXISTS events_no_update")
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE review_events SET label = 'nothing to see' WHERE sequence = 1")
    text = built(report_text(explorer, desk, WISH)[0]).text
    assert "BROKEN" in text
    assert "The record is not as it was written" in text
    assert "nothing to see" not in text, "what can't be verified is not shown"


def test_it_is_written_whole_or_not_at_all(explorer: Explorer, desk: ReviewDesk, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert export_report(explorer, desk, path, WISH) > 0
    assert path.read_text().rstrip().endswith("</html>")
    with pytest.raises(UnavailableError, match="can't be written"):
        export_report(explorer, desk, tmp_path / "no folder" / "report.html", WISH)
    assert is_report(path, None)
    assert not is_report(path, "csv")


def test_artefacts_are_found_by_label_and_by_tag(explorer: Explorer, desk: ReviewDesk) -> None:
    desk.record(ANN, Entry(layer="late", neuron=0, verdict=Action.OVERRIDE, label="ruler marks and hairs"))
    desk.record(BO, Entry(layer="late", neuron=1, verdict=Action.UNSURE, tags=("artefact:ink",)))
    desk.record(ANN, Entry(layer="late", neuron=2, verdict=Action.OVERRIDE, label="blue-white veil"))
    found = {one.neuron: one for one in artefact_neurons(explorer, desk.states()) if one.layer == "late"}
    assert found[0].tags == ("artefact:hairs", "artefact:ruler")
    assert (found[0].source, found[0].words) == ("person", "hairs, ruler marks")
    assert "artefact:ink" in found[1].tags
    assert 2 not in found


def test_findings_come_first_and_neurons_by_label_the_strongest_first(
    explorer: Explorer, desk: ReviewDesk
) -> None:
    add_pushes(explorer.run)
    desk.record(BO, Entry(layer="late", neuron=1, verdict=Action.CONFIRM, blind=True))
    found = content(explorer, desk, WISH)
    strengths = [group.strength for group in found.groups if group.label not in (NOTHING_FITS, "No label")]
    assert strengths == sorted(strengths, reverse=True) and any(strengths)
    assert len({group.label.casefold() for group in found.groups}) == len(found.groups)
    assert len(found.neurons) == sum(layer.neurons for layer in explorer.run.manifest.layers)
    assert set(found.leanings) == set(explorer.run.manifest.classes)
    for rows in found.leanings.values():
        assert [row.value for row in rows] == sorted((row.value for row in rows), reverse=True)
        assert all(layer == "late" for row in rows for layer, _ in row.neurons)
    assert sum(len(group.rows) for group in found.artefact_groups) == len(found.artefacts)
    assert [(row.who.name, row.neurons, row.blind) for row in found.reviewers] == [("Bo", 1, 1)]
    text = built(report_text(explorer, desk, WISH)[0]).text
    order = [
        "What the classifier leans on",
        "What was checked, and by whom",
        "How often the machine is wrong",
    ]
    places = [text.index(words) for words in (*order, "Limits", "Where usual questions", "1 blind look")]
    assert places == sorted(places)


def test_it_says_of_each_neuron_what_the_screens_say(explorer: Explorer, desk: ReviewDesk) -> None:
    firsts = explorer.stored_labels.first_labels("late")
    likely = {neuron: 0.02 if neuron == 1 else 0.81 for neuron in firsts}
    rows = pd.DataFrame({"layer": "late", "neuron": likely.keys(), "label": firsts.values()})
    Additions(explorer.run).append(CHANCES, rows.assign(chance=likely.values()))
    html = report_text(explorer, desk, ReportOptions(("late",), pictures=False))[0]
    said = built(html).text.split("The neurons", 2)[-1]
    (nothing,) = (part for part in said.split("late / ") if part.startswith("1: "))
    assert nothing.startswith("1: Nothing fits")
    assert "unlikely: less than 1 in 10" in nothing and firsts[1] in nothing
    assert "likely: 8 in 10" in said
    desk.record(BO, Entry(layer="late", neuron=1, verdict=Action.CONFIRM, label=firsts[1]))
    found = content(explorer, desk, ReportOptions(("late",), pictures=False))
    assert next(one for one in found.neurons if one.neuron == 1).title == firsts[1], "a person's stands"
    for one in found.claims:
        frame = machine_rows(explorer, one.layer).frame
        labelled = frame[frame["machine_label"].notna()]
        assert (one.claimed, one.labelled) == (labelled["above_noise"].sum(), len(labelled)), (
            "as Neurons has it"
        )
    titles = {labeler.title for labeler, _ in found.labelers}
    assert titles and all(f"is by <strong>{title}</strong>" in html for title in titles)
    assert "By CSP:" in html or titles == {"CSP"}
    lacking = NeuronGroup("no ruler", (replace(found.neurons[0], lacking=True),))
    assert "of such a label no chance is said. By " in " ".join(
        built(report_html(replace(found, groups=(lacking,)), None)).text.split()
    )


def test_usual_questions_point_to_chapters_or_say_that_they_are_not_covered(
    explorer: Explorer, desk: ReviewDesk
) -> None:
    found = content(explorer, desk, ReportOptions(("late",), reviewed_only=True))
    assert found.cards
    bare = replace(found, cards=(), no_card="the run holds no class probabilities")
    for one, known in ((found, True), (bare, False), (replace(found, cards=found.cards[:1]), True)):
        ids, rows = built(report_html(one, None)).ids, {row.question: row for row in answered(one)}
        assert {chapter for row in rows.values() for chapter in row.chapters} <= set(ids) & set(CONTENTS)
        accurate, for_whom = (
            rows["How accurate is it?"],
            rows["How does it do for particular groups of persons?"],
        )
        assert accurate.chapters == (("quality",) if known else ())
        assert for_whom.chapters == (("quality",) if len(one.cards) > 1 else ())
        assert for_whom.remark, "and why it is not known"
    sources = " ".join({one.source for one in REQUIREMENTS})
    assert all(name in sources for name in ("art. 12", "art. 13", "art. 14", "FDA", "ISO/IEC 42001"))
    assert any(not one.chapters for one in REQUIREMENTS)
    assert not any(not one.chapters and one.remark for one in REQUIREMENTS), "a remark says what is covered"
