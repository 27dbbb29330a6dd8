"""Serves the app: `python -m csp.face.screen.page.server APP [--section.option value ...]`.

What `streamlit run APP` does, with the same options, and besides: what the first page needs is imported
before the port opens, so that the first visitor does not wait for it; the look of all pages stands in the
document, so that nothing jumps when it comes (Streamlit sends it as a part of the page, after others).
"""

import json
import sys
import webbrowser
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from streamlit.starlette import App

import csp.face.screen.state.cached  # noqa: F401
from csp.face.screen.elements.components import PARTS
from csp.face.screen.page.frame import fault_shown
from csp.face.screen.page.guard import Guard

STATIC = Path(streamlit.__file__).parent / "static"
EVERYWHERE = ("page.css", "tiles.css", "cards.css", "table.css", "link.css", "room.css", "landmarks.css")
SOON = ("BidiComponent", "Html", "PageLink", "Button", "ButtonGroup", "TextInput", "Selectbox", "Pagination")
"""Parts of Streamlit that almost every page needs; a browser would ask for them as late as it meets one."""


def document() -> str:
    """Streamlit's document, with the look of all pages and the names of the scripts that are needed next."""
    found = [path for name in SOON for path in sorted(STATIC.glob(f"static/js/{name}.*.js"))]
    early = [f'<link rel="modulepreload" crossorigin href="./static/js/{path.name}">' for path in found]
    styles = "\n".join((PARTS / name).read_text(encoding="utf-8") for name in EVERYWHERE)
    # In the body, for what Streamlit adds to the head later would else prevail.
    head, body = (STATIC / "index.html").read_text(encoding="utf-8").split("</head>", 1)
    styled = body.replace("<body>", f"<body><style>{styles}</style>", 1)
    return "\n".join([head, *early, "</head>", styled])


def serve(app: Path, options: dict[str, object]) -> None:
    """Serves the app until it is stopped."""
    page = document()
    prefix = str(options.get("server.baseUrlPath", "")).strip("/")  # the folder that a proxy gives to the app
    # To Streamlit the server is always one without a screen: with one it offers to install things for coding
    # assistants, on every page.
    opens_browser = options.pop("server.headless", True) is False
    options["server.headless"] = True

    async def dressed(request: Request) -> HTMLResponse:
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    names = ["", *(path.stem for path in sorted(app.parent.glob("pages/*.py")))]

    @asynccontextmanager
    async def opened(server: App) -> AsyncIterator[None]:
        if opens_browser:
            address = f"http://localhost:{options.get('server.port', 8501)}/{prefix}"
            get_running_loop().call_later(0.5, webbrowser.open, address)
        yield

    sys.argv = [str(app)]  # Streamlit takes the place of the app from here
    folder = f"/{prefix}/" if prefix else "/"
    routes = [Route(f"{folder}{name}", dressed) for name in names]
    if prefix:  # the document names its scripts from the folder on, which the address has to end with
        routes.append(Route(f"/{prefix}", lambda request: RedirectResponse(request.url.replace(path=folder))))
    guard = Middleware(Guard, document=page)
    App(app, routes=routes, middleware=[guard], lifespan=opened, on_script_error=fault_shown).run(
        config=options
    )


def options_of(words: Sequence[str]) -> dict[str, object]:
    """`--server.port 8501 --server.headless true` as names and values."""
    names = [word.removeprefix("--") for word in words[::2]]
    return dict(zip(names, map(_value, words[1::2]), strict=True))


def _value(word: str) -> object:
    try:
        return json.loads(word)
    except ValueError:
        return word


if __name__ == "__main__":
    serve(Path(sys.argv[1]).resolve(), options_of(sys.argv[2:]))
