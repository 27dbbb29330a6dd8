"""Data on servers: a real S3 server (moto's), and servers that refuse, keep silent or trickle."""

import io
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow.fs as arrow_fs
import pytest

from csp.errors import BadInputError, CspError, NotFoundError, UnavailableError
from csp.world.pictures.decode import UnreadableImageError
from csp.world.places import remote
from csp.world.places.addresses import refuse_secrets, without_query
from csp.world.protocols.dataset import Dataset, open_dataset
from tests import patience
from tests.full_disk import files_of_at_most
from tests.world.datasets.pictures import picture, png

KEY, SECRET = "AKIAOFTHISTEST", "a-secret-that-nobody-sees"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server with a bucket of images, a table and an archive."""
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    system = arrow_fs.S3FileSystem(
        access_key=KEY,
        secret_key=SECRET,
        region="us-east-1",
        scheme="http",
        endpoint_override=f"{host}:{port}",
        allow_bucket_creation=True,
    )
    system.create_dir("skin")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("nevus/7.png", png(7))
    table = b"image_id,dx,age\n1,mel,40\n2,nv,50\ngone,nv,60\n"
    contents = {"images/mel/1.png": png(1), "images/nv/2.png": png(2), "images/.hidden.png": png(3)}
    for name, data in (contents | {"images/cases.csv": table, "all.zip": packed.getvalue()}).items():
        with system.open_output_stream(f"skin/{name}") as file:
            file.write(data)
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("CONNECT", "ANSWER", "WHOLE"):
        monkeypatch.setattr(remote, name, patience.SECONDS)
    monkeypatch.setattr(remote, "PAUSE", 0.01)
    monkeypatch.setattr(remote, "TRIES", 2)
    for name in (
        "AWS_ENDPOINT_URL_S3",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_SESSION_TOKEN",
        "http_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    remote.s3_system.cache_clear()
    yield
    remote.s3_system.cache_clear()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)


def shows(dataset: Dataset, row: int, number: int) -> bool:
    seen = dataset.images.picture(dataset.table["path"][row]).image
    return np.array_equal(np.asarray(seen), np.asarray(picture(number)))


@pytest.mark.usefixtures("bucket")
def test_a_folder_in_a_bucket() -> None:
    dataset = open_dataset("folder:s3://skin/images")
    assert dataset.table["path"].tolist() == ["mel/1.png", "nv/2.png"]
    assert dataset.table["label"].tolist() == ["mel", "nv"]
    assert dataset.name == "images"
    assert shows(dataset, 0, 1) and shows(dataset, 1, 2)
    assert dataset.fingerprint() == open_dataset("folder:s3://skin/images/").fingerprint()


@pytest.mark.usefixtures("bucket")
def test_a_table_in_a_bucket_names_the_images_below_it() -> None:
    dataset = open_dataset("csv:s3://skin/images/cases.csv")
    assert dataset.table["path"].tolist() == ["mel/1.png", "nv/2.png", "gone"]
    assert dataset.table["age"].tolist() == [40, 50, 60]
    assert shows(dataset, 1, 2)
    with pytest.raises(UnreadableImageError, match="no such file on the server"):
        dataset.images.picture("gone")


@pytest.mark.usefixtures("bucket")
def test_an_archive_in_a_bucket() -> None:
    dataset = open_dataset("archive:s3://skin/all.zip")
    assert dataset.table["path"].tolist() == ["nevus/7.png"]
    assert shows(dataset, 0, 7)


@pytest.mark.usefixtures("bucket")
def test_what_is_not_in_the_bucket_is_said() -> None:
    names = ("folder:s3://nobucket/images", "folder:s3://skin/nothing-here", "csv:s3://skin/none.csv")
    for spec in (*names, "archive:s3://skin/none.zip"):
        with pytest.raises(NotFoundError, match="There is nothing at s3://"):
            open_dataset(spec)


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server that answers every request in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_HEAD = do_GET  # noqa: N815 # as the library calls it

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def failing(status: int, code: str) -> Callable[[BaseHTTPRequestHandler], None]:
    body = f"<Error><Code>{code}</Code><Message>key {KEY} {SECRET}</Message></Error>".encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)

    return answer


def said(spec: str) -> str:
    """The one sentence on a dataset that can't be had; no key is in it."""
    with pytest.raises(UnavailableError) as caught:
        open_dataset(spec)
    sentence, cause = str(caught.value), caught.value.__cause__
    assert KEY not in sentence and SECRET not in sentence and "\n" not in sentence
    assert cause is None
    return sentence


def test_a_server_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(failing(403, "AccessDenied")) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert "The server refuses s3://skin/images to whoever runs this" in said("folder:s3://skin/images")
        assert "The server refuses" in said(f"csv:{address}/cases.csv")


def test_a_server_with_an_error_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(failing(503, "SlowDown")) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert "answered with an error (HTTP status 503): try again later" in said("csv:s3://skin/cases.csv")
        assert "HTTP status 503" in said(f"archive:{address}/all.zip")
    tries = []

    def second(request: BaseHTTPRequestHandler) -> None:
        tries.append(request.path)
        failing(500, "InternalError")(request) if len(tries) == 1 else failing(200, "fine")(request)

    with answering(second) as address:
        assert remote.fetch(f"{address}/x").startswith(b"<Error><Code>fine")
    assert len(tries) == 2


def test_no_server_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: connections are refused
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert "could not be reached" in said("folder:s3://skin/images")
        assert "could not be reached" in said(f"csv:{address}/cases.csv")


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "ANSWER", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert "did not answer in time" in said("csv:s3://skin/cases.csv")
        assert "did not answer in time" in said(f"csv:{address}/cases.csv")


def test_a_server_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    over = threading.Event()
    monkeypatch.setattr(remote, "WHOLE", 0.3)

    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(10**4))
        request.end_headers()
        while not over.wait(0.05):
            try:
                request.wfile.write(b"x")
            except OSError:
                return

    with answering(trickle) as address:
        try:
            assert "did not answer in time" in said(f"csv:{address}/cases.csv")
            with pytest.raises(UnavailableError, match="did not answer in time"):
                remote.fetch_into(f"{address}/one.bin", tmp_path / "one", 10**4)
        finally:
            over.set()


@pytest.mark.parametrize("size", [8_000, 300_000])
def test_a_full_disk_here_is_no_fault_of_the_server(tmp_path: Path, size: int) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(size))
        request.end_headers()
        with suppress(OSError):
            request.wfile.write(bytes(size))

    full = pytest.raises(UnavailableError, match=r"^/.* can't be written \(File too large\): make room")
    with answering(answer) as address, files_of_at_most(5_000):
        with full:
            remote.fetch_into(f"{address}/one.bin", tmp_path / "one", size)
        with full:
            remote.fetch_file(f"{address}/one.zip")


def test_a_server_that_goes_away_ends_the_job_and_not_the_picture(
    bucket: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = open_dataset("folder:s3://skin/images")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="what was done so far is kept"):
        dataset.images.picture("mel/1.png")


@pytest.mark.parametrize(
    "address",
    [
        f"https://user:{SECRET}@example.org/cases.csv",
        f"s3://{KEY}:{SECRET}@skin/images",
        f"https://example.org/all.zip?X-Amz-Signature={SECRET}",
        f"https://example.org/all.zip?sv=1&sig={SECRET}",
    ],
)
def test_addresses_with_secrets_are_refused_without_showing_them(address: str) -> None:
    for scheme in ("folder", "csv", "archive", "webdataset"):
        with pytest.raises(BadInputError, match="holds a password or a signature") as caught:
            open_dataset(f"{scheme}:{address}")
        assert SECRET not in str(caught.value)
    assert SECRET not in without_query(address)
    refuse_secrets("https://example.org/all.zip?download=1")


def test_tables_on_the_web_name_only_what_lies_on_their_server() -> None:
    files = {
        "/data/cases.csv": b"path,label\na.png,x\nhttp://10.0.0.1/b.png,y\n../c.png,z\n",
        "/data/a.png": png(4),
    }

    def answer(request: BaseHTTPRequestHandler) -> None:
        data = files.get(request.path)
        request.send_response(200 if data else 404)
        request.send_header("Content-Length", str(len(data or b"")))
        request.end_headers()
        request.wfile.write(data or b"")

    with answering(answer) as address:
        dataset = open_dataset(f"csv:{address}/data/cases.csv")
        assert shows(dataset, 0, 4)
        with pytest.raises(UnreadableImageError, match="another server than its own"):
            dataset.images.picture(dataset.table["path"][1])
        with pytest.raises(UnreadableImageError, match="leads out of the folder"):
            dataset.images.picture(dataset.table["path"][2])
        with pytest.raises(BadInputError, match="does not list its files"):
            open_dataset(f"folder:{address}/data")


def test_what_fsspec_reads_is_read_by_it(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe("/skin/nevus/1.png", png(1))
    try:
        dataset = open_dataset("folder:memory://skin")
        assert dataset.table["label"].tolist() == ["nevus"]
        assert shows(dataset, 0, 1)
    finally:
        memory.rm("/skin", recursive=True)
    with pytest.raises(CspError, match="nothing that is installed reads addresses with nosuch://"):
        open_dataset("folder:nosuch://skin")
