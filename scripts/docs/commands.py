"""Writes docs/reference/commands.md from the commands' own help: `python -m scripts.docs.commands`.

`tests/docs/test_reference.py` compares the file with what this gives, so that neither drifts from the other.
"""

from pathlib import Path
from typing import Any

from typer.main import get_command

from csp.face.cli.app import app
from csp.face.cli.registered import filled

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
INTRO = """# Every option

What `csp COMMAND --help` says, on one page (made by `python -m scripts.docs.commands`). What the commands
print with `--json` and how they belong together: [commands by task](../commands.md).
"""


def page() -> str:
    """The whole page."""
    root = get_command(app)
    return "\n".join([INTRO, *_sections(root, ("csp",))])


def _sections(command: Any, path: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for name, each in sorted(command.commands.items()):
        if each.hidden:
            continue
        if hasattr(each, "commands"):
            found += _sections(each, (*path, name))
        else:
            found.append(_section(each, (*path, name)))
    return found


def _section(command: Any, path: tuple[str, ...]) -> str:
    given = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    usage = " ".join([*path, *(_metavar(one) for one in given), "[OPTIONS]" if options else ""]).strip()
    lines = [
        f"## {' '.join(path)}",
        "",
        " ".join(filled(command.help or "").split()),
        "",
        "```",
        usage,
        "```",
        "",
    ]
    rows = [(_metavar(one), one.help or "", "") for one in given if one.help]
    rows += [(", ".join([*one.opts, *one.secondary_opts]), one.help or "", _default(one)) for one in options]
    if rows:
        lines += ["| | | default |", "| --- | --- | --- |"]
        lines += [f"| `{name}` | {_cell(text)} | {_cell(default)} |" for name, text, default in rows]
        lines.append("")
    return "\n".join(lines)


def _metavar(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _default(option: Any) -> str:
    value = option.default
    if value is None or value is False or callable(value) or value in ((), []):
        return ""
    return str(value)


def _cell(text: str) -> str:
    return " ".join(filled(text).split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
