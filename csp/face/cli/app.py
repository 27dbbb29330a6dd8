"""The commands in one app, and the one place where errors become a line on stderr and exit code 2."""

import io
import sys
from collections.abc import Sequence

import typer

# Private, but typer shows no public base of its usage errors.
from typer._click.exceptions import ClickException, NoArgsIsHelpError

from csp.face.cli import (
    add_to_run,
    candidates,
    evaluate,
    jobs,
    look,
    maintain,
    make_run,
    reliance,
    review,
    search,
)
from csp.face.cli.output import print_error
from csp.face.cli.registered import RegisteredCommand
from csp.keeping.faults import told

STOPPED = 130

app = typer.Typer(
    name="csp",
    help="Explains image classifiers neuron by neuron with Contrastive Semantic Projection.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
_SETTINGS = {"search": {"ignore_unknown_options": True}}  # words may begin with a minus: "-ruler"
for _name, _command in (
    ("demo", maintain.demo),
    ("index", make_run.index),
    ("import", make_run.import_),
    ("layers", look.layers),
    ("examples", look.examples),
    ("label", look.label),
    ("search", search.search),
    ("evaluate", evaluate.evaluate),
    ("experiment", evaluate.experiment),
    ("candidates", candidates.candidates),
    ("map", add_to_run.map_),
    ("attribute", add_to_run.attribute),
    ("control", add_to_run.control),
    ("reliance", reliance.reliance),
    ("mend", reliance.mend),
    ("export", add_to_run.export),
    ("runs", look.runs),
    ("doctor", maintain.doctor),
):
    app.command(_name, cls=RegisteredCommand, context_settings=_SETTINGS.get(_name))(_command)
app.command("push", hidden=True)(add_to_run.attribute)  # its name before 0.2
app.add_typer(review.app, name="review")
app.add_typer(jobs.app, name="jobs")
app.add_typer(make_run.saes, name="sae")


def run(arguments: Sequence[str]) -> int:
    """Run one command; the exit code is 0, 2 (an error, told in one line) or 130 (stopped)."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # letters that the terminal can't show become ?
        sys.stdout.reconfigure(errors="replace")
    try:
        code = app(args=list(arguments), prog_name="csp", standalone_mode=False)
    except NoArgsIsHelpError as error:
        sys.stdout.write(f"{error.format_message()}\n")
        return 0
    except ClickException as error:
        return _fail(error.format_message())
    except Exception as error:  # noqa: BLE001 # the edge of every command
        return _fail(told(error))
    if code == STOPPED:
        sys.stderr.write("\ncsp: stopped; what is done is kept, and the same command goes on from there\n")
    return code if isinstance(code, int) else 0


def _fail(message: str) -> int:
    print_error(message)
    return 2
