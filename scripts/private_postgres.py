#!/usr/bin/env python3
"""Runs a private PostgreSQL server in a temporary folder, for tests and benchmarks.

Prints its URL (database `postgres`, a socket in the folder, no port) once it answers. A line `restart` on
stdin restarts it as a crash would, and prints `restarted`. At the end of stdin, or at SIGTERM, it stops and
leaves nothing.
"""

import argparse
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

USER = "postgres"


def binaries() -> Path | None:
    """The folder of the newest server that Debian installed."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda path: float(path.parent.name), default=None)


def as_server(command: list[str]) -> None:
    """Run a command as a user that PostgreSQL accepts: it refuses root."""
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        prefix + command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stdout}")


def serve(bin_folder: Path, folder: Path, durable: bool) -> None:
    """Start, obey stdin, stop."""
    data, log = str(folder / "data"), str(folder / "log")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=100"
    if not durable:
        options += " -c fsync=off"
    initdb = [str(bin_folder / "initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"]
    as_server([*initdb, "--locale", "C.UTF-8", "--no-sync"])
    control = [str(bin_folder / "pg_ctl"), "-D", data, "-w", "-t", "180", "-l", log, "-o", options]
    as_server([*control, "start"])
    try:
        print(f"postgresql://{USER}@/postgres?host={folder}", flush=True)
        for line in sys.stdin:
            if line.strip() == "restart":
                as_server([*control, "-m", "immediate", "restart"])
                print("restarted", flush=True)
    finally:
        as_server([*control, "-m", "immediate", "stop"])


def main() -> None:
    """Make the folder, serve, remove the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--durable", action="store_true", help="sync every commit to disk, as real servers do"
    )
    options = parser.parse_args()
    if (bin_folder := binaries()) is None:
        sys.exit("PostgreSQL is missing: install Debian's package 'postgresql'")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    folder = Path(tempfile.mkdtemp(prefix="csp-postgres-"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)
    try:
        serve(bin_folder, folder, options.durable)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
