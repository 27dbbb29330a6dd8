"""What the hub gives and refuses, over its own protocol, as its own library asks."""

import hashlib
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import datasets
import pytest
from PIL import Image

from csp.errors import UnavailableError
from csp.world.protocols.dataset import open_dataset
from csp.world.protocols.target import open_target

COMMIT = "1" * 40


def answering(root: Path) -> type[BaseHTTPRequestHandler]:
    """Of the folders `root`/KIND/OWNER/NAME: what a repository is, and its files."""

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            asked = re.fullmatch(
                r"(?:/api)?/(?:(models|datasets)/)?(\w+/\w+)(.*)", self.path.partition("?")[0]
            )
            assert asked, self.path
            kind, repository, rest = asked[1] or "models", asked[2], asked[3]
            folder, code = root / kind / repository, {"X-Repo-Commit": COMMIT}
            if repository.endswith("gated"):
                self.say(403, b"{}", {"X-Error-Code": "GatedRepo"})
            elif not folder.is_dir():
                self.say(401, b"{}", {"X-Error-Message": "Invalid username or password."})
            elif "older" in rest:
                self.say(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            elif rest.startswith("/resolve/"):
                file = folder / rest.split("/", 3)[3]
                data = file.read_bytes() if file.is_file() else b""
                tag = (
                    {"ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
                    if data
                    else {"X-Error-Code": "EntryNotFound"}
                )
                self.say(200 if data else 404, data, code | tag)
            else:
                files = [one for one in folder.rglob("*") if one.is_file()]
                names = [{"rfilename": one.relative_to(folder).as_posix()} for one in files]
                tree = [
                    {"type": "file", "path": one["rfilename"], "size": file.stat().st_size, "oid": COMMIT}
                    for one, file in zip(names, files, strict=True)
                ]
                said = (
                    tree
                    if "/tree/" in rest
                    else {"id": repository, "sha": COMMIT, "siblings": names, "tags": []}
                )
                self.say(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

        def say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    return Hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with ThreadingHTTPServer(("127.0.0.1", 0), answering(tmp_path)) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", here)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            here + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        yield tmp_path
        server.shutdown()


def test_a_dataset_is_fetched_by_its_name_and_a_refusal_says_what_to_do(hub: Path) -> None:
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    rows = {"image": [Image.new("RGB", (4, 4), (40 * i, 0, 0)) for i in range(3)], "label": [0, 1, 0]}
    (hub / "datasets/clinic/skin/data").mkdir(parents=True)
    datasets.Dataset.from_dict(rows, features).to_parquet(
        hub / "datasets/clinic/skin/data/test-00000-of-00001.parquet"
    )
    found = open_dataset("hf:clinic/skin#test")
    assert found.table["label"].tolist() == ["a", "b", "a"]
    assert found.images.picture(found.table["path"][2]).image.getpixel((0, 0)) == (80, 0, 0)
    for name, words in {
        "clinic/none": "there is none of this name, or it is private",
        "clinic/gated": "accept its terms",
        "clinic/skin@older": "it has no such version",
    }.items():
        with pytest.raises(UnavailableError, match=f"The dataset '{name}' .*{words}"):
            open_dataset(f"hf:{name}")


def test_a_model_is_fetched_by_its_name_and_a_refusal_says_what_to_do(hub: Path, tiny_models: Path) -> None:
    (hub / "models/clinic").mkdir(parents=True)
    (hub / "models/clinic/vit").symlink_to(tiny_models / "vit")
    assert open_target("hf:clinic/vit").input_size == (32, 32)
    for name, words in {"clinic/none": "none of this name", "clinic/gated": "accept its terms"}.items():
        with pytest.raises(UnavailableError, match=f"'{name}' .*{words}"):
            open_target(f"hf:{name}")
