"""Settings that people write: what can't be read or meant is one sentence, and costs nothing."""

from pathlib import Path

import pytest

from csp.errors import BadInputError, NotFoundError
from csp.world.documents import read_settings

LINES = [
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
]
BOMB = "\n".join(["a: &a [x, x, x]", *LINES, "model: *i"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", BOMB.encode(), r"\*a refers to .* in line 2"),
        ("a.yaml", b"a: {<<: *b}", r"\*b refers to"),
        ("a.yaml", b"model: !!python/object/apply:os.system [ls]", "python/object.* in line 1"),
        ("a.yaml", b"at: 2020-99-99", "can't be read as YAML: month"),
        ("a.yaml", b"at: !!timestamp x", "can't be read as YAML"),
        ("a.yaml", b"at: !!bool x", "can't be read as YAML"),
        ("a.yaml", b"at: !!int x", "can't be read as YAML"),
        ("a.yaml", b"k: " + b"9" * 5_000, "can't be read as YAML"),
        ("a.yaml", b"k: 9223372036854775808", "number that is too large: one of 64 bits"),
        ("a.yaml", b"k: " + b"[" * 5_000, "nested more than 50 deep"),
        ("a.yaml", b"k: " + b"[" * 60 + b"]" * 60, "nested more than 50 deep"),
        ("a.json", b'{"k":' * 100_000, "nested more than 50 deep"),
        ("a.json", b'{"k": 1' + b"0" * 5_000 + b"}", "number that is too large"),
        ("a.json", b'{"k": NaN}', "number that is too large, or none"),
        ("a.json", b'{"k": 1, "k": 2}', "'k' twice: keep one of the two"),
        ("a.yaml", b"k: 1\nl: 2\nk: 3", "'k' twice: keep one of the two"),
        ("a.json", rb'{"k": "\ud800"}', "half a character"),
        ("a.yaml", rb'k: "\0"', "NUL character"),
        ("a.yaml", b"3: x", "whose name is no text: '3'"),
        ("a.yaml", b"k: \xff", "no text in UTF-8"),
        ("a.yaml", b"- k", "must hold fields"),
        ("a.yaml", b"", "must hold fields"),
        ("a.yaml", b"a: [", "in line 1"),
        ("a.json", b"{", "in line 1"),
    ],
)
def test_what_settings_cannot_be(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=said) as refused:
        read_settings(tmp_path / name, "config file")
    assert len(str(refused.value)) < 500 + len(str(tmp_path)) and "\n" not in str(refused.value)


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no config file"):
        read_settings(tmp_path / "a.yaml", "config file")
    with pytest.raises(BadInputError, match="a device"):
        read_settings(Path("/dev/zero"), "config file")


def test_both_languages_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model: m\nlayers: [a, b]\nk: 3\n")
    (tmp_path / "a.json").write_text('{"model": "m", "layers": ["a", "b"], "k": 3}')
    same = {"model": "m", "layers": ["a", "b"], "k": 3}
    assert (
        read_settings(tmp_path / "a.yaml", "config") == read_settings(tmp_path / "a.json", "config") == same
    )
