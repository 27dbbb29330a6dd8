"""Every press that changes something asks for the role: a walk over all callbacks, so that none forgets."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from csp.face.screen.page.deeds import asked_when_pressed
from csp.work.reviews.people import NoAccessError
from tests.face.server import ROOT

SCREENS = sorted((ROOT / "csp" / "face" / "screen").rglob("*.py"))
DRAWN = [*SCREENS, ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]

LOOKING = {
    "atlas.map._picked",
    "compare.sides._swap",
    "compare.sides._write_side",
    "compare.views._write_neuron",
    "elements.components._open_image",
    "elements.pager._show_more",
    "elements.pager._turn",
    "elements.picture_picker._take_upload",
    "elements.picture_picker.choose_anew",
    "judge.actions.drop",
    "judge.actions.skip",
    "judge.actions.undo_last",
    "judge.bar._open_editor",
    "judge.editor._reveal",
    "judge.session.keep_typed",
    "neuron.contrast_control._write",
    "neuron.image_dialog._close",
    "reliance.what_if._switched",
    "neuron.image_dialog._go",
    "neuron.images._other_view",
    "neuron.toolbar._go_anywhere",
    "neuron.toolbar._jump",
    "neuron.toolbar._move",
    "neuron.toolbar._switch_pin",
    "page.identity._ignore",
    "page.identity._keep_name",
    "review.queue._switch_blind",
    "review.queue._to_queue",
    "runs.cards._check",
    "search.bar._add_term",
    "search.bar._everywhere",
    "search.bar._take_suggestion",
    "start.home._next_example",
    "start.present._turn",
    "state.waiting._cancel",
    "url.state.put",
    "url.state.switch",
    "url.state.write",
}
"""Callbacks that change what one person sees and nothing else. Whatever else a press does is a `deed`."""
STREAMLIT = {"st.query_params.from_dict", "st.logout"}
CHANGING = {
    *("start_job", "cancel_job", "resume_job", "discard_run", "restore_run"),
    *("trust_run", "distrust_run"),
    *("add_candidate", "import_reviews", ".record", ".claim"),
}
"""What the floors below offer that changes something; a name after a point is a method."""
ASKED_BELOW = {"review/queue.py:_taken", "judge/actions.py:_record"}
"""`ReviewDesk` asks for the role itself."""
DRAWN_ALONE = {"page/shortcuts.py:_help_dialog", "state/waiting.py:_line"}
"""Parts drawn without their page that show nothing of a run."""


def short(path: Path) -> str:
    return str(path.relative_to(ROOT / "csp" / "face" / "screen")) if path in SCREENS else path.name


def callbacks(path: Path) -> Iterator[tuple[int, ast.expr]]:
    """What is given as `on_click=`, `on_change=` and so on, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg and keyword.arg.startswith("on_") and not isinstance(keyword.value, ast.Constant):
                yield keyword.value.lineno, keyword.value


def named(given: ast.expr) -> Iterator[str]:
    """The functions that an expression may be or call."""
    if isinstance(given, ast.IfExp):
        yield from named(given.body)
        yield from named(given.orelse)
    elif isinstance(given, ast.Lambda) and isinstance(given.body, ast.Call):
        yield from named(given.body.func)
    else:
        yield ast.unparse(given)


@pytest.mark.parametrize("path", DRAWN, ids=short)
def test_a_callback_looks_or_asks_for_the_role(path: Path) -> None:
    for line, given in callbacks(path):
        for name in named(given):
            if name in STREAMLIT or name == "fault_shown":
                continue
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            work = getattr(module, name)
            place = f"{work.__module__}.{work.__qualname__}".removeprefix("csp.face.screen.")
            assert hasattr(work, "deed") or place in LOOKING, (
                f"{short(path)}:{line}: {place} is a callback: decorate it with @deed(...) if it changes "
                "anything for others, else name it in LOOKING"
            )


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def called(function: ast.FunctionDef) -> set[str]:
    found = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {
        f".{one.attr}" if isinstance(one, ast.Attribute) else one.id
        for one in found
        if isinstance(one, ast.Attribute | ast.Name)
    }


def decorators(function: ast.FunctionDef) -> set[str]:
    return {ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in function.decorator_list}


@pytest.mark.parametrize("path", DRAWN, ids=short)
def test_what_changes_something_asks_for_the_role(path: Path) -> None:
    for function in functions(path):
        if called(function) & CHANGING and f"{short(path)}:{function.name}" not in ASKED_BELOW:
            assert "deed" in decorators(function) or "owner" in called(function), (
                f"{short(path)}: {function.name} changes something: decorate it with @deed(...)"
            )


@pytest.mark.parametrize("path", DRAWN, ids=short)
def test_a_download_made_when_pressed_asks_again(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("download_button"):
            given = ast.unparse(node.args[1])
            assert given == "html" or given.startswith("asked_when_pressed("), f"{short(path)}: {given}"


def test_who_may_not_look_any_more_makes_no_download(own_home: Path) -> None:
    made: list[str] = []

    def make() -> bytes:
        made.append("made")
        return b"all verdicts"

    download = asked_when_pressed(make)
    assert download() == b"all verdicts"
    own_home.mkdir(exist_ok=True)
    (own_home / "team.toml").write_text('sign_in = "oidc"\n')
    with pytest.raises(NoAccessError):
        download()
    assert made == ["made"]


@pytest.mark.parametrize("path", DRAWN, ids=short)
def test_what_is_drawn_without_its_page_asks_who_is_there(path: Path) -> None:
    """Fragments and dialogs: the frame of the page, which asks, is not drawn again with them."""
    for function in functions(path):
        alone = decorators(function) & {"st.fragment", "st.dialog"}
        if alone and f"{short(path)}:{function.name}" not in DRAWN_ALONE:
            assert "let_in" in called(function), f"{short(path)}: {function.name} does not call let_in()"
            assert "own_edge" in decorators(function), (
                f"{short(path)}: an error in {function.name} has no edge"
            )


def test_no_name_is_left_that_nothing_uses() -> None:
    used = set()
    for path in SCREENS:
        for _, given in callbacks(path):
            for name in named(given):
                if name not in STREAMLIT and name != "fault_shown":
                    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                    work = getattr(module, name)
                    used.add(f"{work.__module__}.{work.__qualname__}".removeprefix("csp.face.screen."))
    assert used >= LOOKING, LOOKING - used
