"""The VLM behind a server: against servers that misbehave, and a real one that serves a real model."""

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from csp.errors import BadInputError, CspError, UnavailableError
from csp.keeping.bundle import BUNDLE
from csp.world.pictures.grid import picture_grid
from csp.world.protocols.vlm import StoppedError, open_vlm
from csp.world.vlms.openai_server import OpenAiVlm, _said
from csp.world.vlms.prompts import PROMPTS
from tests import patience
from tests.ports import free_port
from tests.world.misbehaving import (
    Behaviour,
    Handler,
    Server,
    breaks_off,
    drips,
    fails,
    gives,
    hangs,
    serving,
    tells,
)
from tests.world.tiny import pictures

GRIDS = [picture_grid(pictures(9)), picture_grid(pictures(9)[::-1])]
SECRET = "sk-very-secret"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "CSP_VLM_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def impatient(server: Server, *, tries: int = 3, seconds: float = patience.SECONDS) -> OpenAiVlm:
    """The model `m` of a server, asked again without a pause."""
    vlm = open_vlm(f"openai:{server.address}#m")
    assert isinstance(vlm, OpenAiVlm)
    return replace(vlm, server=replace(vlm.server, tries=tries, seconds=seconds, pause=0.0))


def ask(vlm: OpenAiVlm) -> str:
    return vlm.answer(GRIDS, PROMPTS["contrastive"], seed=3, most_tokens=40)


def test_the_server_gets_the_very_pixels_and_the_prompt() -> None:
    with serving(tells(" ruler\nhair ")) as server:
        assert ask(impatient(server)) == "ruler\nhair"
    body = server.questions[0]["body"]
    assert server.questions[0]["path"] == "/v1/chat/completions"
    assert (body["model"], body["seed"], body["max_tokens"]) == ("m", 3, 40)
    first, second, text = body["messages"][0]["content"]
    assert text["text"] == PROMPTS["contrastive"].replace("{images}", "").strip()
    for part, grid in zip((first, second), GRIDS, strict=True):
        data = base64.b64decode(part["image_url"]["url"].partition("base64,")[2])
        assert Image.open(io.BytesIO(data)).tobytes() == grid.tobytes()


def test_the_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serving(fails(400, f"bad key {SECRET} used"), fails(401, f"wrong {SECRET}")) as server:
        vlm = impatient(server)
        assert SECRET not in repr(vlm) + vlm.spec
        for expected in (BadInputError, UnavailableError):
            with pytest.raises(expected) as caught:
                ask(vlm)
            assert SECRET not in str(caught.value)
    assert {one["key"] for one in server.seen} == {f"Bearer {SECRET}"}


def test_the_key_for_openai_goes_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from csp.world.vlms.openai_server import _key

    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert _key("api.openai.com") == SECRET
    assert _key("api.openai.com.example.org") == _key("gpu-box") == ""
    monkeypatch.setenv("CSP_VLM_API_KEY", "own")
    assert _key("gpu-box") == _key("api.openai.com") == "own"


@pytest.mark.parametrize("passing", [fails(429), fails(500), fails(503), breaks_off, gives(b'{"choi')])
def test_what_passes_is_tried_again(passing: Behaviour) -> None:
    with serving(passing, passing, tells("ruler")) as server:
        assert ask(impatient(server)) == "ruler"
    assert len(server.questions) == 3


@pytest.mark.parametrize("hanging", [hangs, drips])
def test_a_server_that_hangs_is_left_and_asked_anew(hanging: Behaviour) -> None:
    with serving(hanging, tells("ruler")) as server:
        assert ask(impatient(server, tries=50, seconds=1)) == "ruler"
    with (
        serving(hanging) as server,
        pytest.raises(UnavailableError, match=r"within 0.3 seconds \(2 times asked\)"),
    ):
        ask(impatient(server, tries=2, seconds=0.3))


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (fails(500), r"is busy or broken \(HTTP 500\) \(3 times asked\)"),
        (breaks_off, "broke off in the middle of its answer"),
        (gives(b"<html>"), "half an answer, or one that is no JSON"),
        (gives(b" " * 4_000_001), "answers endlessly"),
        (gives(b'{"hello": 1}'), "does not answer as an OpenAI-compatible one does"),
        (fails(403), "refuses the key"),
        (fails(404, "no such model. Try m2"), r"does not take the question \(HTTP 404: no such model\)"),
        (fails(307, "elsewhere", Location="http://example.org/"), "HTTP 307"),
    ],
)
def test_what_does_not_pass_is_one_sentence(behaviour: Behaviour, sentence: str) -> None:
    with serving(behaviour) as server, pytest.raises(CspError, match=sentence):
        ask(impatient(server))


@pytest.mark.parametrize(
    "content",
    [
        "5",
        "true",
        '{"a": "ruler"}',
        '["ruler"]',
        '[{"type": "text"}]',
        '[{"type": "text", "text": ["ruler"]}]',
    ],
)
def test_an_answer_of_another_kind_than_text_is_refused(content: str) -> None:
    document = f'{{"choices": [{{"message": {{"content": {content}}}}}]}}'.encode()
    with serving(gives(document)) as server, pytest.raises(CspError, match="does not answer as an OpenAI-"):
        ask(impatient(server))


def test_an_answer_in_parts_is_its_texts() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ruler"}]
    with serving(gives(json.dumps({"choices": [{"message": {"content": parts}}]}).encode())) as server:
        assert ask(impatient(server)) == "ruler"


@pytest.mark.parametrize("opens, closes", [("[", "]"), ('{"a":', "}")])
def test_an_answer_nested_deep_is_refused_in_a_sentence(opens: str, closes: str) -> None:
    for depth in range(900, 1000):
        document = _nested(opens, closes, depth)
        with pytest.raises(UnavailableError, match="does not answer as an OpenAI-"):
            _said(document, "there")


def _nested(opens: str, closes: str, depth: int) -> Any:
    """What JSON reads at this depth, and else what it reads at half of it."""
    try:
        return json.loads(opens * depth + "1" + closes * depth)
    except RecursionError:
        return _nested(opens, closes, depth // 2)


def test_retry_after_is_honoured() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    with serving(fails(429, Retry_After="0.3"), fails(503, Retry_After=soon), tells("ruler")) as server:
        assert ask(impatient(server)) == "ruler"
    first, second, _ = (one["at"] for one in server.questions)
    assert second - first >= 0.3
    with serving(fails(429, Retry_After="9999")) as server, pytest.raises(UnavailableError, match="busy"):
        ask(impatient(server))
    assert len(server.questions) == 1


def test_a_person_can_stop_while_the_server_thinks() -> None:
    with serving(hangs) as server:
        vlm = impatient(server)
        asked: list[int] = []

        def stop() -> bool:
            asked.append(1)
            return len(asked) > 2

        with pytest.raises(StoppedError):
            vlm.answer(GRIDS, PROMPTS["contrastive"], seed=0, stop=stop)


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """A shell starts what runs in its background deaf to Ctrl-C, and these tests may run there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_ends_the_waiting() -> None:
    """So does a cancelled job, whose process gets the same signal: neither is asked anew."""
    main = threading.main_thread().ident
    assert main is not None

    def interrupts(handler: Handler) -> None:
        signal.pthread_kill(main, signal.SIGINT)
        hangs(handler)

    with serving(interrupts) as server:
        vlm = impatient(server)
        with pytest.raises(KeyboardInterrupt):
            ask(vlm)
        assert len(server.questions) == 1


def test_an_empty_answer_is_an_answer() -> None:
    with serving(tells(None)) as server:
        assert ask(impatient(server)) == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("http://127.0.0.1:1/v1#m", "can't be reached"),
        ("localhost:8000#m", "names no server and model"),
        ("http://localhost/v1", "names no server and model"),
        ("http://localhost:99999/v1#m", "names no server and model"),
        ("http://localhost:0/v1#m", "names no server and model"),
        ("http://[::1#m", "names no server and model"),
        (f"http://me:{SECRET}@localhost/v1#m", "may hold no key"),
        (f"http://localhost/v1?key={SECRET}#m", "may hold no key"),
    ],
)
def test_an_address_that_cannot_be_used(name: str, sentence: str) -> None:
    with pytest.raises(CspError, match=sentence) as caught:
        open_vlm(f"openai:{name}")
    assert SECRET not in str(caught.value)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo's VLM served by `transformers serve`: the spec of the model there."""
    folder = shutil.copytree(BUNDLE / "assets/models/vlm", tmp_path_factory.mktemp("served") / "vlm")
    advice = folder / "generation_config.json"  # a server samples only where the model's makers advise it
    advice.write_text(json.dumps(json.loads(advice.read_text()) | {"do_sample": True}))
    port = free_port()
    transformers = Path(sys.executable).with_name("transformers")
    command = [transformers, "serve", folder, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    log = (folder / "log.txt").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", folder / "log.txt")
        yield f"openai:http://127.0.0.1:{port}/v1#{folder}"
    finally:
        log.close()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    for _ in range(10 * patience.SECONDS):
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.mark.slow
def test_a_real_server_serves_a_real_model(served: str) -> None:
    there = open_vlm(served)
    here = open_vlm("hf:" + served.partition("#")[2])
    for seed, grids, mode in ((1, GRIDS, "contrastive"), (2, GRIDS[:1], "activating-only")):
        question = {"prompt": PROMPTS[mode], "seed": seed, "most_tokens": 40}
        assert there.answer(grids, **question) == here.answer(grids, **question) != ""
