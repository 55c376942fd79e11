"""`osteon app`: the web app on this machine."""

from __future__ import annotations

import click


@click.command("app")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True,
              help="Address to listen on; another than this machine's own needs --token.")  # fmt: skip
@click.option("--token", metavar="SECRET", help="What a browser must know to come in (address?token=SECRET).")
def command(port: int, no_browser: bool, host: str, token: str | None) -> None:
    """The web app: see it, drag it, share it. Runs on this machine until Ctrl-C; asks no other."""
    from importlib.util import find_spec

    from osteon.errors import InputError

    if find_spec("nicegui") is None:
        raise InputError("the app needs NiceGUI: pip install 'osteon[app]'")
    from osteon.app import main

    main.run(host=host, port=port, browser=not no_browser, token=token)
