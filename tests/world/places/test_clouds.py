"""`gs://` against an emulator of Google Cloud Storage, `https://` against a certificate of its own."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pyarrow.fs as arrow_fs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from csp.errors import BadInputError, NotFoundError, UnavailableError
from csp.world.places import remote
from csp.world.protocols.dataset import open_dataset
from tests import patience
from tests.ports import free_port
from tests.world.datasets.pictures import png
from tests.world.places.test_remote import answering, failing, shows

TABLE = b"image_id,dx\n1,mel\n2,nv\n"
FILES = {"images/mel/1.png": png(1), "images/nv/2.png": png(2), "images/cases.csv": TABLE}


@pytest.fixture(autouse=True)
def tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECT", "ANSWER", "WHOLE"):
        monkeypatch.setattr(remote, name, patience.SECONDS)
    monkeypatch.setattr(remote, "TRIES", 1)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bucket with a folder of images and a table."""
    emulator = pytest.importorskip("gcp_storage_emulator.server")
    port = free_port()
    address = f"127.0.0.1:{port}"
    with emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="skin"):
        system = arrow_fs.GcsFileSystem(anonymous=True, scheme="http", endpoint_override=address)
        for name, data in FILES.items():
            with system.open_output_stream(f"skin/{name}") as file:
                file.write(data)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
        yield


@pytest.mark.usefixtures("google")
def test_a_bucket_of_google() -> None:
    folder = open_dataset("folder:gs://skin/images")
    assert folder.table["label"].tolist() == ["mel", "nv"]
    assert shows(folder, 1, 2)
    table = open_dataset("csv:gs://skin/images/cases.csv")
    assert table.table["path"].tolist() == ["mel/1.png", "nv/2.png"]
    for spec in ("folder:gs://none/images", "folder:gs://skin/none", "csv:gs://skin/none.csv"):
        with pytest.raises(NotFoundError, match="There is nothing at gs://"):
            open_dataset(spec)


def test_google_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = r"refuses gs://skin/cases.csv .*GOOGLE_APPLICATION_CREDENTIALS.*GS_NO_SIGN_REQUEST"
    with answering(failing(403, "Whatever")) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        with pytest.raises(UnavailableError, match=sentence):
            open_dataset("csv:gs://skin/cases.csv")


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (
            "<Error><Code>SlowDown</Code></Error>",
            "The server of gs://skin/a answered with an error: try again",
        ),
        (
            "PerformWork() - CURL error [7]=Could not connect to server",
            "The server of gs://skin/a could not be",
        ),
        (
            "Could not create a OAuth2 access token to authenticate",
            "No keys for gs://skin/a were found: check",
        ),
    ],
)
def test_what_googles_library_says(last: str, sentence: str) -> None:
    """Its own words, after a second of its own tries."""
    error = f"google::cloud::Status(UNAVAILABLE: Retry policy exhausted, with a last message of {last} error"
    problem, _ = remote._problem("gs://skin/a", OSError(error))
    assert str(problem).startswith(sentence)


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server, and its certificate, which nobody trusts unless told."""
    certificate = _certificate(tmp_path_factory.mktemp("https"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = FILES.get(self.path[1:])
            self.send_response(200 if data else 401 if "private" in self.path else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # of who does not trust it
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", certificate
    server.shutdown()
    thread.join()
    server.server_close()


def _certificate(folder: Path) -> Path:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    local = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    signed = made.add_extension(local, critical=True).sign(key, hashes.SHA256())
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "own.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(key.private_bytes(pem, *plain) + signed.public_bytes(pem))
    return file


def test_the_web_with_a_certificate_of_its_own(
    https: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address, certificate = https
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    # on the web nothing is listed: the table has to name the files as they are
    monkeypatch.setitem(FILES, "cases.csv", b"path,dx\nimages/mel/1.png,mel\nimages/nv/2.png,nv\n")
    dataset = open_dataset(f"csv:{address}/cases.csv")
    assert dataset.table["label"].tolist() == ["mel", "nv"]
    assert shows(dataset, 1, 2)
    with pytest.raises(NotFoundError, match="There is nothing at https://"):
        open_dataset(f"csv:{address}/none.csv")
    with pytest.raises(UnavailableError, match=r"refuses https://.*downloaded by hand"):
        open_dataset(f"archive:{address}/private.zip")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UnavailableError, match=r"certificate of the server of https://.* SSL_CERT_FILE"):
        open_dataset(f"csv:{address}/cases.csv")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(BadInputError, match=r"SSL_CERT_FILE names .* no certificates that can be read"):
        open_dataset(f"csv:{address}/cases.csv")
