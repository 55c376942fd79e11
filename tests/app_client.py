"""The API in an app of its own, as a script or a stranger meets it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

pytest.importorskip("nicegui")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def state():
    from osteon.app.api.deps import State

    made = State()
    yield made
    made.close()


@pytest.fixture(scope="session")
def bare(state):
    """The app without pages."""
    from fastapi import FastAPI

    from osteon.app.api.install import install

    app = FastAPI()
    install(app, state=state)
    return app


@pytest.fixture
def client(bare):
    from starlette.testclient import TestClient

    return TestClient(bare, base_url="http://127.0.0.1:8077", raise_server_exceptions=False)


STUDY = """\
id: small
title: A small study
people: {species: human, sex: female, age: 68, n_per_arm: 50}
arms:
  - {name: none, regimen: none}
  - {name: drug, regimen: "alendronate 70 mg PO weekly for 12 months"}
visits: [0, 6, 12]
endpoints: [lumbar_spine_bmd, ctx]
"""


@pytest.fixture
def study():
    return STUDY


def apart(coroutine):
    """What a coroutine returns, run in a thread of its own: the browser's driver may hold this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def wait(client, ident, seconds=240.0):
    """The job, when it has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = client.get(f"/api/jobs/{ident}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.2)
    raise AssertionError(f"the job did not end: {job}")


CHROMIUM = os.environ.get("OSTEON_CHROMIUM", "/usr/bin/chromium")


def browser_missing():
    """Whether there is no browser to test with."""
    return not os.path.exists(CHROMIUM)


class Server:
    """`osteon app` in a process of its own on a free port, with a data folder of its own."""

    def __init__(self, home, *more):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base, self.log = f"http://127.0.0.1:{port}", home / "log.txt"
        command = [sys.executable, "-m", "osteon", "app", "--no-browser", "--port", str(port), *more]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "XDG_DATA_HOME": str(home), "TMPDIR": str(home)}
            )
        end = time.monotonic() + 120
        while True:
            try:
                httpx.get(f"{self.base}/api/therapies/denosumab", timeout=10)
                return
            except httpx.TransportError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < end, self.log.read_text()
                time.sleep(0.2)

    def close(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="session")
def own_server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("app"))
    yield made
    made.close()
    left = [p.name for p in made.log.parent.glob("osteon-app-*")]
    assert left == [], "the session's folder was left behind"


@pytest.fixture(scope="session")
def chromium():
    """A browser; tests skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"no Chromium at {CHROMIUM}; set OSTEON_CHROMIUM")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def picture(page, name):
    """What a test saw at its end, kept in test-results/app (or OSTEON_TEST_RESULTS) to be looked at; docs use them."""
    folder = Path(os.environ.get("OSTEON_TEST_RESULTS") or ROOT / "test-results") / "app"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}.png")


_SHOWN = """() => {
  const answer = window.osteonExplore?.answer;
  if (!answer || answer.error) return null;
  const texts = [...document.querySelectorAll(".tile .tile-value")].map((e) => [e.dataset.value, e.textContent]);
  return {plan: answer.state.plan, texts: Object.fromEntries(texts)};
}"""


def numbers_are_those_of_the_api(page, base):
    """Where a journey ends on Explore: what its tiles show is what a script is told of the same plan."""
    shown = page.evaluate(_SHOWN)
    if shown is None:
        return
    answer = httpx.post(f"{base}/api/simulate?fast=true", json={"plan": shown["plan"]}, timeout=120).json()
    assert len(shown["texts"]) == 3
    for name, text in shown["texts"].items():
        seen = float(re.search(r"[-−+]?\d+\.\d+", text).group().replace("−", "-"))
        value = answer["summary"][name]["value"]
        assert seen == pytest.approx(value, abs=0.06), (name, text, value)  # rounding, and what steps differ by


@pytest.fixture
def own_page(own_server, chromium, request):
    """A page of the app that may make no error, ask nobody else, and show no other number than the API; looked at when
    the test is done."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    wrong = []
    page.on("console", lambda m: wrong.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda e: wrong.append(f"page: {e}"))
    page.on(
        "request",
        lambda r: (
            None if r.url.startswith((own_server.base, "data:", "blob:")) else wrong.append(f"outside: {r.url}")
        ),
    )
    yield page
    picture(page, request.node.name)
    numbers_are_those_of_the_api(page, own_server.base)
    context.close()
    assert wrong == []
