"""Commands about the program itself: demo, doctor."""

import errno
import os
import re
import socket
import sys
from typing import Annotated, Any

import typer

from csp.errors import BadInputError, CspError, UnavailableError
from csp.face.cli.options import JsonOption
from csp.face.cli.output import print_json, print_lines
from csp.plugins import Registry


def demo(
    port: Annotated[
        int, typer.Option(min=1, max=65535, envvar="CSP_PORT", help="Where the app listens.")
    ] = 8501,
    address: Annotated[
        str,
        typer.Option(
            envvar="CSP_ADDRESS",
            help="At which of this machine's addresses: 0.0.0.0 for all of them, for others to come in.",
        ),
    ] = "127.0.0.1",
    prefix: Annotated[
        str,
        typer.Option(
            envvar="CSP_PREFIX", help="The folder below which a proxy offers the app, such as tools/csp."
        ),
    ] = "",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser window.")] = False,
) -> None:
    """Open the app on the embedded demo."""
    from csp.keeping.bundle import APP, BUNDLE
    from csp.keeping.home import home
    from csp.keeping.library.find import find_run
    from csp.work.runs.deployment import OPEN_TO_ALL, is_local

    find_run("demo")
    if not APP.is_file():
        raise UnavailableError(f"{APP} is missing; run csp from a complete copy of the program")
    _check_free(address, port)
    if not (is_local(address) or _asks_sign_in()):
        print(f"note: {OPEN_TO_ALL.format(address=address)}", file=sys.stderr)
    options = ["--server.port", str(port), "--server.headless", str(no_browser).lower()]
    options += ["--server.address", address, *(["--server.baseUrlPath", _folder(prefix)] if prefix else [])]
    os.environ["CSP_HOME"] = str(home())
    os.chdir(BUNDLE)  # Python would import what lies in the working folder, whoever put it there
    os.execv(sys.executable, [sys.executable, "-m", "csp.face.screen.page.server", str(APP), *options])  # noqa: S606


def _folder(prefix: str) -> str:
    """The parts of a prefix as addresses have them. Raises BadInputError."""
    parts = prefix.strip("/").split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", part) for part in parts):
        raise BadInputError(
            f"--prefix {prefix!r} can't stand in an address: give folders of letters, digits, '.', '_' and "
            "'-', such as tools/csp"
        )
    return "/".join(parts)


def _check_free(address: str, port: int) -> None:
    try:
        family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][0]
    except (OSError, UnicodeError) as error:
        raise BadInputError(f"--address {address!r} is no address of this machine") from error
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise BadInputError(f"--address {address!r} is no address of this machine") from error
            raise UnavailableError(
                f"port {port} can't be used ({error.strerror}); choose another with --port"
            ) from error


def doctor(
    server: Annotated[
        bool, typer.Option("--server", help="Only ask whether the server of this machine answers.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Report versions, device, cache, the place of the server, and whether every run is sound.

    Exit code 2 where something is wrong; 0 where there are only notes.
    """
    from csp.work.runs.deployment import ask_server, examine_deployment
    from csp.work.runs.doctor import examine

    if server:
        address = ask_server()
        print_json({"ok": True, "address": address}) if json else print_lines(
            [f"a server answers at {address}"]
        )
        return
    found = examine() | {"team": _team(), "plugins": _plugins()}
    found["deployment"] = examine_deployment(asks_sign_in=_asks_sign_in())
    wrong = _wrong(found)
    found = {"ok": not wrong} | found
    print_json(found) if json else print_lines(_lines(found))
    if wrong:
        more = f" ({len(wrong) - 1} more above)" if len(wrong) > 1 else ""
        raise UnavailableError(f"something here is wrong: {wrong[0]}{more}")


def _wrong(found: dict[str, Any]) -> list[str]:
    """What keeps the app, its record or one of its runs from working; a note is none of it."""
    return [
        *(part["problem"] for part in (found["team"], found["database"]) if part["problem"]),
        *found["deployment"]["problems"],
        *(f"run {run['name']}: {problem}" for run in found["runs"] for problem in run["problems"]),
    ]


def _lines(found: dict[str, Any]) -> list[str]:
    added = found["plugins"]["added"]
    device, cache, database, team = (found[part] for part in ("device", "cache", "database", "team"))
    return [
        ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
        f"{device['processors']} processors, {device['memory_free_gb']} of {device['memory_gb']} GB free",
        f"home {found['home']}, cached answers {cache['bytes'] / 2**20:.1f} MB",
        *([f"cache: {cache['notice']}"] if cache["notice"] else []),
        f"reviews: {database['problem'] or str(database['events']) + ' events, sound'}",
        f"team: {team['problem'] or _sign_in(team)}",
        *(f"server: {line}" for line in (*found["deployment"]["problems"], *found["deployment"]["notes"])),
        *(f"{one['kind']} {one['name']}: of the package {one['package']}" for one in added),
        *found["plugins"]["problems"],
        *(line for run in found["runs"] for line in _run_lines(run)),
    ]


def _plugins() -> dict[str, Any]:
    """What packages add to the program, and why some of it was left out."""
    from csp.method.labelers.registry import LABELERS
    from csp.work.metrics.registry import METRICS
    from csp.world.specs.registry import KINDS

    registries: tuple[Registry[Any], ...] = (*KINDS, LABELERS, METRICS)
    added = [
        {"kind": registry.what, "name": name, "package": package}
        for registry in registries
        for name, package in registry.packages.items()
    ]
    return {"added": added, "problems": [problem for each in registries for problem in each.problems]}


def _team() -> dict[str, Any]:
    """How people sign in, by which names their browsers know the server, and what of it can't work."""
    from csp.work.reviews.people import read_team

    try:
        team = read_team()
    except CspError as error:
        return {"sign_in": None, "hosts": [], "problem": str(error)}
    return {"sign_in": team.sign_in, "hosts": list(team.hosts), "problem": team.problem}


def _asks_sign_in() -> bool:
    """Whether people have to sign in; with a mistake in the settings nobody gets in at all."""
    return bool(_team()["sign_in"] != "name")


def _sign_in(team: dict[str, Any]) -> str:
    if team["sign_in"] == "name" and not team["hosts"]:
        return "no sign-in, for this machine only"
    return f"sign-in by {team['sign_in']}, at {', '.join(team['hosts']) or 'the address of its sign-in'}"


def _run_lines(run: dict[str, Any]) -> list[str]:
    sound = f"run {run['name']}: {'; '.join(run['problems']) or 'sound'}"
    return [sound, *(f"  note: {note}" for note in run["notes"])]
