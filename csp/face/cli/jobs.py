"""Commands about long jobs that pages started: list, show, cancel, resume."""

from typing import Annotated, Any

import typer

from csp.face.cli.options import JsonOption
from csp.face.cli.output import print_columns, print_json, print_lines
from csp.work.jobs.jobs import Job

app = typer.Typer(
    help="Look at long jobs, cancel or resume one.", no_args_is_help=True, rich_markup_mode=None
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id, as `csp jobs list` shows it.")]


@app.command("list")
def list_(
    last: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100, json: JsonOption = False
) -> None:
    """List jobs: those that have not ended first, then the newest."""
    from csp.work.jobs.jobs import count_jobs, list_jobs

    found = list_jobs(last)
    if json:
        print_json([_document(job) for job in found])
    elif found:
        print_columns(("id", "state", "progress", "title"), [_row(job) for job in found])
        if (count := count_jobs()) > len(found):
            print_lines(["", f"{len(found)} of {count} jobs; --last {count} lists all"])
    else:
        print_lines(["no jobs yet; pages start them"])


@app.command()
def show(id_: IdArgument, json: JsonOption = False) -> None:
    """Show one job: where it stands, and the end of its log."""
    from csp.work.jobs.jobs import job

    found = job(id_)
    if json:
        print_json(_document(found) | {"log": found.log})
        return
    print_lines([*(f"{name}: {value}" for name, value in _document(found).items() if value), "", found.log])


@app.command()
def cancel(id_: IdArgument) -> None:
    """Ask a job to stop; what it computed stays."""
    from csp.work.jobs.jobs import cancel_job

    print_lines([f"{cancel_job(id_).title}: asked to stop"])


@app.command()
def resume(id_: IdArgument) -> None:
    """Go on with a job that failed, was cancelled or was killed."""
    from csp.work.jobs.jobs import resume_job

    print_lines([f"{resume_job(id_).title}: goes on in the background"])


def _row(job: Job) -> tuple[object, ...]:
    reached = job.progress
    return (
        job.id,
        job.state,
        f"{reached.stage} {reached.done}/{reached.total}" if reached else None,
        job.title,
    )


def _document(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "by": job.by,
        "state": job.state,
        "progress": job.progress.model_dump() if job.progress else None,
        "created": job.created.isoformat(timespec="seconds"),
        "ended": job.ended.isoformat(timespec="seconds") if job.ended else None,
        "error": job.error,
        "result": job.result,
    }
