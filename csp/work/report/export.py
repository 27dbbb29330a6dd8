"""One click or command from a run to the audit report in a file."""

from pathlib import Path

from csp.keeping.atomic import deliver, expect_delivery
from csp.work.explorer.explorer import Explorer
from csp.work.progress import Report, silent
from csp.work.report.content import ReportOptions, content
from csp.work.report.html import drawn_pictures, report_html
from csp.work.reviews.desk import ReviewDesk

FORMAT = "html"


def is_report(path: Path, named: str | None) -> bool:
    """Whether an export is the audit report: by the format named, else by the file's ending."""
    return (named or path.suffix.lower().lstrip(".")) == FORMAT


def report_text(
    explorer: Explorer, desk: ReviewDesk, wish: ReportOptions, report: Report = silent
) -> tuple[str, int]:
    """The report as HTML, and the number of neurons that it shows one by one."""
    found = content(explorer, desk, wish, report)
    pictures = drawn_pictures(explorer.run, found, report) if wish.pictures else None
    return report_html(found, pictures), len(found.neurons)


def export_report(
    explorer: Explorer, desk: ReviewDesk, path: Path, wish: ReportOptions, report: Report = silent
) -> int:
    """Write the report whole or not at all; gives the number of neurons that it shows one by one.

    Raises UnavailableError when the file can't be written or the review record can't be read.
    """
    expect_delivery(path)
    html, neurons = report_text(explorer, desk, wish, report)
    deliver(path, html.encode())
    return neurons
