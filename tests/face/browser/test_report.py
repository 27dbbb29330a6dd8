"""The audit report of the demo, printed by a browser."""

from pathlib import Path

from playwright.sync_api import Browser

from csp.keeping.reviews.store import open_reviews
from csp.work.explorer.explorer import open_explorer
from csp.work.report.content import ReportOptions
from csp.work.report.export import export_report
from csp.work.reviews.desk import ReviewDesk
from tests.face.conftest import visitor

LIMIT = 10_000_000


def test_the_report_of_the_demo_prints_to_a_file_that_fits_a_mail(browser: Browser, tmp_path: Path) -> None:
    explorer, path = open_explorer("demo"), tmp_path / "report.html"
    with open_reviews() as reviews:
        export_report(explorer, ReviewDesk(explorer.run, reviews), path, ReportOptions(explorer.run.layers))
    context = visitor(browser)
    page = context.new_page()
    page.goto(path.as_uri())
    printed = page.pdf(format="A4")
    context.close()
    assert printed.startswith(b"%PDF")
    assert 1_000_000 < len(printed) < LIMIT, "with its pictures"
