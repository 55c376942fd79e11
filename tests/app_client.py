"""The API in an app of its own, as a script or a stranger meets it."""

import pytest

pytest.importorskip("nicegui")


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


def wait(client, ident, seconds=240.0):
    """The job, when it has ended."""
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = client.get(f"/api/jobs/{ident}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.2)
    raise AssertionError(f"the job did not end: {job}")
