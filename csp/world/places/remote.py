"""Servers: S3 and Google Cloud by pyarrow, web addresses (only read) by httpx, all else by fsspec.

Every wait is bounded, what fails may be tried again a few times, and then one sentence says which address did
what. A file that is not there is left out like one on disk; a server that does not answer ends the job, which
goes on where it was once it is started again.
"""

import hashlib
import io
import logging
import os
import re
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

import httpx
import pyarrow.fs as arrow_fs

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.pictures.decode import UnreadableImageError
from csp.world.places.addresses import is_address, refuse_secrets, scheme_of, without_query
from csp.world.places.bounded import bounded
from csp.world.places.place import MOST_BYTES, Place, hidden

T = TypeVar("T")
# at INFO it logs whole addresses, with the signatures of those that redirects lead to
logging.getLogger("httpx").setLevel(logging.WARNING)

CONNECT, ANSWER = 5.0, 20.0
"""Seconds for a connection, and without a byte."""
TRIES, PAUSE = 3, 0.5
"""How often something is tried, and the first pause between tries, doubled each time."""
TRIES_TO_WRITE = 6
"""The same of what is written: of hundreds of files, a busy server puts some off for a while."""
WHOLE = float(os.environ.get("CSP_SERVER_SECONDS", "300"))
"""Seconds for one file or one listing in all: a server may be slow, but not for ever."""
SLOWEST, LONGEST = 2**16, 24 * WHOLE
"""Bytes a second that a large file comes with: it may take so much longer, up to this many seconds."""
MOST_SPOOLED = 2**36
"""Bytes of an archive that is fetched into a temporary file."""
MOST_REDIRECTS = 5
WEB = ("http", "https")
_PIECE = 2**20
_NOW = ".now"
"""A file that is written to learn what time it is on a server; hidden, so that it counts nowhere."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REFUSED = re.compile(
    r"ACCESS_DENIED|SIGNATURE_DOES_NOT_MATCH|INVALID_ACCESS_KEY|EXPIRED|"
    r"HTTP status 40[13]|forbidden|credential",
    re.IGNORECASE,
)
_SLOW = re.compile(r"time(d )?out|too slow", re.IGNORECASE)
_STATUS = re.compile(r"HTTP status \d{3}")
_ABSENT = re.compile(
    r"NO_SUCH_BUCKET|NO_SUCH_KEY|RESOURCE_NOT_FOUND|HTTP status 404|not found|no such file", re.IGNORECASE
)
_NO_KEYS = re.compile(r"OAuth2 access token", re.IGNORECASE)
"""Google's library: there is nothing to sign a request with."""
_UNTRUSTED = re.compile(r"certificate verify failed|SSL peer certificate", re.IGNORECASE)
_ANSWERED = re.compile(r"UNAVAILABLE: (?!.*(CURL error|Could not connect))", re.IGNORECASE | re.DOTALL)
"""Google's library: the server said that it can't just now."""
_S3, _GOOGLE = ("s3", "s3a"), ("gs", "gcs")
_KEYS = {
    _S3: "the keys (such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials) and what "
    "they may read; AWS_NO_SIGN_REQUEST=true reads a public bucket without",
    _GOOGLE: "the keys (GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`) and what "
    "they may read; GS_NO_SIGN_REQUEST=true reads a public bucket without",
    WEB: "the address in a browser; what asks for a login there has to be downloaded by hand, and its path "
    "given",
}
"""By kind of server, what to check where it refuses."""
_CERTIFICATES = dict.fromkeys(_S3, "AWS_CA_BUNDLE")
"""Where a kind of server has a setting of its own for the certificates to trust."""


class RemoteFolder(Place):
    """The files below an address."""

    def __init__(self, address: str) -> None:
        """Refuses an address that holds secrets."""
        refuse_secrets(address)
        self.address = address.rstrip("/")
        self._versions: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rpartition("/")[2]

    @property
    def prefix(self) -> str:
        """The address."""
        return self.address

    def files(self) -> Iterable[str]:
        """All below it; listed once."""
        if self._versions is None:
            if scheme_of(self.address) in WEB:
                raise BadInputError(
                    f"A web address such as {self.address} does not list its files: give csv: with a table "
                    "that names them, or archive: with a zip or tar file."
                )
            self._versions = dict(_tried(self.address, lambda: _listed(self.address)))
        return self._versions

    def is_file(self, path: str) -> bool:
        """As listed; on the web, what a name stands for is known only when it is read."""
        return scheme_of(self.address) in WEB or path in self.files()

    def read(self, path: str) -> bytes:
        """Fetch one file."""
        try:
            return fetch(self._address(path))
        except NotFoundError:
            raise UnreadableImageError("There is no such file on the server.") from None

    def digest(self, path: str) -> bytes:
        """Of what the listing says that changes with a file (its size and when it was written), else of the
        content: nothing is fetched twice."""
        version = (self._versions or {}).get(path)
        return hashlib.sha256(version.encode()).digest() if version else super().digest(path)

    def _address(self, path: str) -> str:
        if is_address(path):
            if _server(path) != _server(self.address):
                raise UnreadableImageError("The table names an address of another server than its own.")
            return path
        if ".." in PurePosixPath(path).parts:
            raise UnreadableImageError("The name leads out of the folder.")
        return f"{self.address}/{path.lstrip('/')}"


def fetch(address: str, most: int = MOST_BYTES) -> bytes:
    """The content of a file on a server.

    Raises `NotFoundError` where it is not there, `UnavailableError` where the server does not give it.
    """
    refuse_secrets(address)
    return _tried(address, lambda: b"".join(_pieces(address, most)))


def fetch_file(address: str) -> IO[bytes]:
    """The same as a temporary file without a name, for what is large and read here and there."""
    refuse_secrets(address)

    def spooled() -> IO[bytes]:
        file = _temporary_file()
        try:
            _pour(_pieces(address, MOST_SPOOLED), file, Path(tempfile.gettempdir()))
        except BaseException:
            with suppress(OSError):  # it tries once more to write what it could not
                file.close()
            raise
        file.seek(0)
        return file

    return _tried(address, spooled, _seconds(MOST_SPOOLED))


def fetch_into(address: str, path: Path, most: int) -> None:
    """The same, written to a file of this machine, of at most so many bytes.

    Raises UnavailableError where that can't be written, UnreadableImageError where it is longer.
    """
    refuse_secrets(address)

    def written() -> None:
        with _kept_in(path.parent):
            file = path.open("wb")
        try:
            _pour(_pieces(address, most), file, path.parent)
        finally:
            with _kept_in(path.parent):
                file.close()

    _tried(address, written, _seconds(most))


def lengths(address: str) -> dict[str, int]:
    """How long each file below an address is, by its path from there; none where nothing is there.

    Raises BadInputError for the web, which can't be written to, UnavailableError where no server answers.
    """
    refuse_secrets(address)
    if scheme_of(address) in WEB:
        raise BadInputError(
            f"{address} is on the web, which nothing can be written to: give s3:// or gs://, or a folder here"
        )
    try:
        return {name: info.size for name, info in _tried(address, lambda: _infos(address))}
    except NotFoundError:
        return {}


def send(source: Path | bytes, address: str, *, allowed: Callable[[], None] = lambda: None) -> None:
    """Write a file of this machine, or some bytes, to an address; what lies there is replaced.

    `allowed` raises before a try that must not be made any more. Raises NotFoundError where there is no such
    bucket, UnavailableError where the server does not take it.
    """

    def written() -> None:
        allowed()
        system, path = _system(address)
        if scheme_of(address) not in _S3 + _GOOGLE:  # these know no folders
            system.create_dir(path.rpartition("/")[0], recursive=True)
        opened = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with opened, system.open_output_stream(path) as file:
            while piece := opened.read(_PIECE):
                file.write(piece)

    length = len(source) if isinstance(source, bytes) else source.stat().st_size
    _tried(address, written, _seconds(length), TRIES_TO_WRITE)


def remove(address: str) -> None:
    """Delete a file at an address; raises as `send`."""

    def removed() -> None:
        system, path = _system(address)
        system.delete_file(path)

    _tried(address, removed, tries=TRIES_TO_WRITE)


def age(address: str) -> float:
    """Seconds since a file at an address was written, by the server's own clock: those of two machines may
    differ.

    0 where the file is gone or the server does not say when it was written. Raises as `send`.
    """
    now = f"{address.rpartition('/')[0]}/{_NOW}"
    send(b"now", now)

    def seconds() -> float:
        system, path = _system(address)
        written, asked = system.get_file_info([path, _system(now)[1]])
        return (asked.mtime_ns - written.mtime_ns) / 1e9 if asked.mtime_ns and written.mtime_ns else 0.0

    passed = _tried(address, seconds)
    with suppress(NotFoundError):  # whoever else asked took it away
        remove(now)
    return passed


def _temporary_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError:
        raise UnavailableError(
            "no folder for temporary files can be written: make room there, or name another one in TMPDIR"
        ) from None


def _pour(pieces: Iterable[bytes], file: IO[bytes], folder: Path) -> None:
    for piece in pieces:
        with _kept_in(folder):
            file.write(piece)
            file.flush()


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Tells a full disk here from a server that fails."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"{folder} can't be written ({error.strerror}): make room or allow writing, then try again"
        ) from None


def matching(pattern: str) -> list[str]:
    """The addresses that a pattern with `*` in its last part means; without one, the address itself."""
    folder, _, last = pattern.rpartition("/")
    if not re.search(r"[*?\[]", last) or scheme_of(pattern) in WEB:
        return [pattern]
    found = [
        path for path in RemoteFolder(folder).files() if PurePosixPath(path).match(last) and "/" not in path
    ]
    return [f"{folder}/{path}" for path in sorted(found)]


def _listed(address: str) -> list[tuple[str, str]]:
    return [(name, f"{info.size} {info.mtime_ns}" if info.mtime_ns else "") for name, info in _infos(address)]


def _infos(address: str) -> list[tuple[str, Any]]:
    """The files below an address, each by its path from there."""
    system, path = _system(address)
    infos = system.get_file_info(arrow_fs.FileSelector(path, recursive=True))
    return [
        (name, info)
        for info in infos
        if info.type == arrow_fs.FileType.File
        and not hidden(name := info.path.removeprefix("/").removeprefix(path.strip("/")).lstrip("/"))
    ]


def _server(address: str) -> str:
    return "/".join(address.split("/")[:3]).lower()


def _pieces(address: str, most: int) -> Iterable[bytes]:
    pieces = _web_pieces(address) if scheme_of(address) in WEB else _system_pieces(address)
    got = 0
    for piece in pieces:
        got += len(piece)
        if got > most:
            raise UnreadableImageError(f"The file has more than {most:,} bytes.")
        yield piece


def _system_pieces(address: str) -> Iterable[bytes]:
    system, path = _system(address)
    with system.open_input_stream(path, compression=None) as file:
        while piece := file.read(_PIECE):
            yield piece


def _web_pieces(address: str) -> Iterable[bytes]:
    """Redirects are followed, but never from https to http: keys and pictures stay encrypted, and no outer
    server leads to the plain ones of this network."""
    times = httpx.Timeout(ANSWER, connect=CONNECT)
    with httpx.Client(timeout=times, verify=_trusted()) as client:
        request = client.build_request("GET", address)
        for _ in range(MOST_REDIRECTS):
            with closing(client.send(request, stream=True)) as answer:
                if answer.next_request is None:
                    answer.raise_for_status()
                    yield from answer.iter_bytes(_PIECE)
                    return
                onward = answer.next_request
            if request.url.scheme == "https" and onward.url.scheme != "https":
                break
            request = onward
    raise BadInputError(
        f"{without_query(address)} leads somewhere else that is not followed: give that address."
    )


def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted; `BadInputError` where the file that names them can't be read."""
    try:
        return httpx.create_ssl_context()
    except OSError:
        named = os.environ.get("SSL_CERT_FILE")
        raise BadInputError(
            f"SSL_CERT_FILE names {named}, which holds no certificates that can be read: correct it."
        ) from None


def _system(address: str) -> tuple[Any, str]:
    """What reads this kind of address, and the path that it takes."""
    scheme, path = scheme_of(address), address.partition("://")[2]
    if scheme in _S3:
        return s3_system(next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")), path
    if scheme in _GOOGLE:
        return gcs_system(os.environ.get("STORAGE_EMULATOR_HOST", "")), path
    return _by_fsspec(scheme, address), path


@cache
def s3_system(endpoint: str) -> Any:
    """Reads S3, from the server of an address where one is given."""
    where = _endpoint(endpoint)
    given = any(os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    return arrow_fs.S3FileSystem(
        **where,
        **({} if given or not endpoint else {"region": "us-east-1"}),
        anonymous=_switched_on("AWS_NO_SIGN_REQUEST"),
        connect_timeout=CONNECT,
        request_timeout=ANSWER,
        tls_ca_file_path=os.environ.get("AWS_CA_BUNDLE") or None,
        retry_strategy=arrow_fs.AwsStandardS3RetryStrategy(max_attempts=1),
    )


@cache
def gcs_system(endpoint: str) -> Any:
    """Reads Google Cloud Storage, from the server of an address where one is given."""
    anonymous = {"anonymous": True} if endpoint or _switched_on("GS_NO_SIGN_REQUEST") else {}
    return arrow_fs.GcsFileSystem(
        **_endpoint(endpoint), **anonymous, retry_time_limit=timedelta(seconds=ANSWER)
    )


def _switched_on(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("1", "true", "yes")


def _endpoint(address: str) -> dict[str, str]:
    if not address:
        return {}
    scheme, mark, host = address.rpartition("://")
    return {"endpoint_override": host.rstrip("/"), "scheme": scheme if mark else "http"}


def _by_fsspec(scheme: str, address: str) -> Any:
    try:
        import fsspec

        return arrow_fs.PyFileSystem(arrow_fs.FSSpecHandler(fsspec.filesystem(scheme)))
    except (ImportError, ValueError):
        raise UnavailableError(
            f"{address} can't be opened: nothing that is installed reads addresses with {scheme}:// "
            "(s3://, gs:// and https:// need nothing more; for others install fsspec and its package)."
        ) from None


def _seconds(length: int) -> float:
    """How long a file of so many bytes may take."""
    return min(WHOLE + length / SLOWEST, LONGEST)


def _tried(address: str, task: Callable[[], T], seconds: float | None = None, tries: int | None = None) -> T:
    """What a task brings, tried again where that may help; one sentence where it does not."""
    until = time.monotonic() + (WHOLE if seconds is None else seconds)
    pause = PAUSE
    for again in range((tries or TRIES) - 1, -1, -1):
        try:
            return bounded(task, max(0.1, until - time.monotonic()))
        except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
            problem, may_pass = _problem(address, error)
            if not again or not may_pass or time.monotonic() >= until:
                raise problem from None
            time.sleep(min(pause, max(0.0, until - time.monotonic())))
            pause *= 2
    raise AssertionError


def _problem(address: str, error: Exception) -> tuple[CspError, bool]:
    """The error in one sentence, and whether it may pass; nothing that a library says is handed on, as it may
    quote keys."""
    where, text = without_query(address), str(error)
    if isinstance(error, httpx.HTTPStatusError):
        text = f"HTTP status {error.response.status_code}"
    if isinstance(error, FileNotFoundError) or _ABSENT.search(text):
        return NotFoundError(f"There is nothing at {where}: check the address."), False
    if isinstance(error, PermissionError) or _REFUSED.search(text):
        return UnavailableError(
            f"The server refuses {where} to whoever runs this program: check {_keys(where)}."
        ), False
    if _NO_KEYS.search(text):
        return UnavailableError(f"No keys for {where} were found: check {_keys(where)}."), False
    if _UNTRUSTED.search(text):
        return UnavailableError(
            f"The certificate of the server of {where} is not trusted here: check the address, or name the "
            f"file with the certificates to trust in {_CERTIFICATES.get(scheme_of(where), 'SSL_CERT_FILE')}."
        ), False
    slow = isinstance(error, TimeoutError | httpx.TimeoutException) or _SLOW.search(text) is not None
    did = "did not answer in time" if slow else "could not be reached"
    if status := _STATUS.search(text):
        did = f"answered with an error ({status[0]})"
    elif _ANSWERED.search(text):
        did = "answered with an error"
    return UnavailableError(
        f"The server of {where} {did}: try again later; what was done so far is kept."
    ), True


def _keys(address: str) -> str:
    scheme = scheme_of(address)
    known = (words for schemes, words in _KEYS.items() if scheme in schemes)
    return next(known, "its keys and what they may read")
