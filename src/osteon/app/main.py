"""The app itself: pages, static files and API in one process, and the server that runs it."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import threading
import webbrowser
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from osteon.errors import InputError

STATIC = Path(__file__).parent / "static"
PAGES = {
    "/": "explore", "/trial": "trial", "/evidence": "evidence", "/ageing": "ageing", "/join": "join",
    "/hosts": "hosts", "/glossary": "glossary",
}  # fmt: skip
LOCAL = ("127.0.0.1", "localhost", "::1")


@functools.cache
def _register() -> None:
    """Pages and static files, once in a process: NiceGUI keeps them globally."""
    from nicegui import app, ui

    from osteon.app import theme

    app.add_static_files("/static", str(STATIC))
    for path, name in PAGES.items():
        module = importlib.import_module(f"osteon.app.pages.{name}")

        def show(path: str = path, page: Any = module.page) -> None:
            with theme.frame(path):
                page()

        # NiceGUI reads parameters of pages from the address; a page has none.
        ui.page(path)(functools.partial(show, path, module.page))


def create(host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """The app for a server. `host` and `token` say who may come in (see `osteon app`)."""
    from nicegui import ui

    from osteon.app import live

    _register()
    api = FastAPI(
        title="osteon", version=importlib.metadata.version("osteon"), docs_url=None, redoc_url=None, lifespan=_warmed
    )
    api.state.warm = False
    api.include_router(live.router)
    _add_api(api, host, token)
    ui.run_with(
        api,
        title="osteon",
        favicon=STATIC / "favicon.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        reconnect_timeout=30.0,
        show_welcome_message=False,
    )
    return api


def _add_api(api: FastAPI, host: str, token: str | None) -> None:
    """The API, the jobs, and the guard in front of everything (see `osteon.app.api`)."""
    from osteon.app.api.install import Settings, install

    install(api, Settings(host, token))


@contextlib.asynccontextmanager
async def _warmed(api: FastAPI) -> AsyncIterator[None]:
    """Compile the kernel beside the server, so that the first page need not wait for it; at the end, end all jobs."""
    threading.Thread(target=_warm, args=(api,), daemon=True, name="osteon-warm").start()
    try:
        yield
    finally:
        api.state.osteon.close()


def _warm(api: FastAPI) -> None:
    from osteon.app import service
    from osteon.app.plan import Plan

    service.courses(Plan())  # each of the two has a kernel of its own
    service.courses(Plan(), draws=service.DRAWS)
    api.state.warm = True


def run(*, host: str = "127.0.0.1", port: int = 8080, browser: bool = True, token: str | None = None) -> None:
    """Serve the app until Ctrl-C. Raises InputError where the address is not allowed or taken."""
    import uvicorn

    if host not in LOCAL and not token:
        raise InputError(
            f"--host {host} opens the app to other machines; give --token too, a secret that they must know"
        )
    listener = _listen(host, port)
    where = f"http://{'[::1]' if host == '::1' else host}:{listener.getsockname()[1]}/"
    if token:
        where += f"?token={token}"
    config = uvicorn.Config(create(host, token), log_level="warning", ws_max_size=2**20, timeout_graceful_shutdown=2)
    print(f"osteon app: {where} (Ctrl-C ends it)", flush=True)
    if browser:
        threading.Timer(1.0, webbrowser.open, (where,)).start()
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> Any:
    """The socket: bound here, so that a port that is taken is said in one line."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port"
        ) from None
    listener.listen(128)
    return listener
