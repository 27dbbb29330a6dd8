from pathlib import Path

import pytest

from csp.errors import BadInputError, NotFoundError
from csp.keeping.bundle import BUNDLE
from csp.work.indexing.spec import make_spec, read_config
from csp.work.indexing.vocabulary_file import read_vocabulary
from csp.work.runs.spec_paths import destination, openable_spec, portable_spec

CONFIG = """
model: torchvision:resnet18@weights.pt
layers: [layer4]
data: csv:images.csv
encoder: openclip:local-dir:clip
vocabulary: terms.txt
out: demo
"""


def test_paths_in_a_config_are_relative_to_it(tmp_path: Path) -> None:
    for name in ("weights.pt", "images.csv"):
        (tmp_path / name).touch()
    (tmp_path / "clip").mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    spec = make_spec(read_config(tmp_path / "config.yaml"))
    assert spec.model == f"torchvision:resnet18@{tmp_path}/weights.pt"
    assert spec.data == f"csv:{tmp_path}/images.csv"
    assert spec.encoder == f"openclip:local-dir:{tmp_path}/clip"
    assert spec.vocabulary == tmp_path / "terms.txt"
    assert spec.out == "demo"


def test_a_run_goes_where_its_path_says(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert destination("mine") == own_home / "runs" / "mine"
    assert destination("./mine") == tmp_path / "here" / "mine"
    assert destination("../mine") == tmp_path / "mine"
    (tmp_path / "here" / "config.json").write_text('{"out": "../mine", "vocabulary": "../terms.txt"}')
    found = read_config(tmp_path / "here" / "config.json")
    assert found == {"out": f"{tmp_path}/mine", "vocabulary": tmp_path / "terms.txt"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": []}, "layers"),
        ({"gamma": 2}, "gamma"),
        ({"layer": "x"}, "layer is no field"),
        ({"pooling": "median"}, "mean, max, patch, cls or such as quantile:0.95"),
        ({"batch_size": 0}, "batch_size"),
        ({"templates": ["a mole"]}, "templates"),
        ({"templates": []}, "templates"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], message: str) -> None:
    fields = {"model": "m", "layers": ["l"], "data": "d", "encoder": "e", "out": "o"}
    assert make_spec(fields).layers == ("l",)
    with pytest.raises(BadInputError, match=message):
        make_spec(fields | change)


def test_an_unreadable_config_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no config file"):
        read_config(tmp_path / "none.yaml")
    for name, content in (("a.yaml", "a: [1"), ("b.json", "{"), ("c.yaml", "- 1")):
        (tmp_path / name).write_text(content)
        with pytest.raises(BadInputError, match=name):
            read_config(tmp_path / name)


def test_specs_in_this_program_are_kept_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip").mkdir()
    assert portable_spec("openclip:local-dir:clip") == f"openclip:local-dir:{tmp_path}/clip"
    assert portable_spec(f"openclip:local-dir:{BUNDLE}/docs") == "openclip:local-dir:docs"
    assert openable_spec("openclip:local-dir:docs") == f"openclip:local-dir:{BUNDLE}/docs"
    for spec in ("openclip:ViT-B-32/openai", "hf:openai/clip", "torchvision:resnet18"):
        assert portable_spec(spec) == openable_spec(spec) == spec


def test_a_vocabulary_is_read_from_lines_or_a_table(tmp_path: Path) -> None:
    lines = tmp_path / "terms.txt"
    lines.write_text("\ufeffmole\n\n  blue   veil \nmole\n", encoding="utf-8")
    assert read_vocabulary(lines).table["text"].tolist() == ["mole", "blue veil"]
    table = tmp_path / "terms.csv"
    table.write_text('text,attributes,broad\n"ruler, hair",ruler; hairs,0\nmole,,1\n')
    read = read_vocabulary(table).table
    assert read["attributes"].tolist() == [["ruler", "hairs"], []]
    assert read["broad"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '["mole", "blue veil"]'),
        ("a.txt", ' ["mole",\n"blue veil"]'),
        ("a.json", '{"0": "mole", "1": "blue veil"}'),
        ("a.json", '[{"text": "mole"}, {"text": "blue veil", "broad": false}]'),
        ("a.txt", "mole, blue  veil\n"),
        ("a.csv", "mole;blue veil"),
        ("a.txt", "mole,\nblue veil,\n"),
        ("a.csv", "mole\nblue veil\n"),
        ("a.csv", "Text;Attributes;Broad\nmole;;0\nblue veil;;0\n"),
        ("a.tsv", "term\tfound by\nmole\tAnn\nblue veil\tBob\n"),
        ("a.txt", "sep=;\nText;Broad\nmole;\nblue veil;"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_vocabulary_is_read_in_the_form_that_people_have(
    tmp_path: Path, name: str, content: str, encoding: str
) -> None:
    (tmp_path / name).write_bytes(content.encode(encoding))
    assert read_vocabulary(tmp_path / name).table["text"].tolist() == ["mole", "blue veil"]


def test_a_vocabulary_of_one_text_warns(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mole\nmole\n")
    assert "one text only" in read_vocabulary(tmp_path / "a.txt").notes[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\n \n", "holds no text"),
        ("a.txt", b"\xff\xfe\x00", "is not text"),
        ("a.txt", b"PK\x03\x04 and so on", "Excel workbook"),
        ("a.csv", b"size,weight\n1,2\n", "no column `text` among size, weight"),
        ("a.json", b'["mole", 3]', "item 2 is 3"),
        ("a.json", rb'["mole", "a\u0000b"]', "a text with a NUL character"),
        ("a.txt", b"x" * 10_001, "a text of 10,001 characters"),
        ("a.json", b"[mole", "begins like JSON but can't be read"),
        ("a.csv", b"text,broad\nmole,maybe\n", "line 2: broad is 'maybe'"),
    ],
)
def test_a_vocabulary_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=message):
        read_vocabulary(tmp_path / name)


def test_one_layer_may_stand_without_a_list() -> None:
    fields = {"model": "m", "layers": "layer4", "data": "d", "encoder": "e", "out": "o"}
    assert make_spec(fields).layers == ("layer4",)


@pytest.mark.parametrize(
    ("change", "wish"),
    [
        ({"k": "many"}, "write a whole number"),
        ({"gamma": "much"}, "write a number"),
        ({"gamma": 3}, "write 1.0 or less"),
        ({"reuse": "perhaps"}, "write true or false"),
        ({"layers": {"a": 1}}, "write a list"),
        ({"names": "x"}, "write fields below it"),
        ({"model": 3}, "write a text"),
    ],
)
def test_a_wrong_field_says_what_to_write(change: dict[str, object], wish: str) -> None:
    fields = {"model": "m", "layers": ["l"], "data": "d", "encoder": "e", "out": "o"}
    with pytest.raises(BadInputError, match=wish) as refused:
        make_spec(fields | change)
    assert "valid" not in str(refused.value)
