"""What the report says first."""

from csp.keeping.reviews.store import open_reviews
from csp.work.report.content import ReportOptions
from csp.work.report.export import report_text
from csp.work.reviews.desk import ReviewDesk
from tests.work.reliance.conftest import MakeRun


def told(make_run: MakeRun, behind: bool) -> str:
    explorer = make_run(behind=behind)
    with open_reviews() as reviews:
        wish = ReportOptions(explorer.run.layers, pictures=False)
        return report_text(explorer, ReviewDesk(explorer.run, reviews), wish)[0]


def test_the_report_begins_with_what_the_model_leans_on(make_run: MakeRun) -> None:
    html = told(make_run, behind=True)
    findings = html.partition('id="findings"')[2].partition("Single neurons")[0]
    assert "This model leans on: sticker. Of these, not the lesion: sticker." in findings
    assert "in 100 on images that show sticker; with as many random ones off" in findings
    assert "nobody checked its labels" in findings
    assert "of less effect than five in a hundred or than chance. Not the lesion: hairs" in findings


def test_what_could_not_be_tested_is_said(make_run: MakeRun) -> None:
    html = told(make_run, behind=False)
    assert "Not known: nothing could be switched off." in html
    assert "sticker (no linear layer follows the layers of this run" in html
