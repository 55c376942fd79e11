"""What strangers may try: each is refused with a clear message in one shape, and nothing leaves its folder."""

import contextlib
import json

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app_client import STUDY, wait
from osteon.app.api.security import COOKIE, Guard, split_host
from osteon.app.limits import MAX_BODY
from osteon.errors import InputError

TOKEN = "a-long-enough-token-0123"


def refused(answer, status):
    """The error of an answer, which must have the one shape."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert set(told) == {"error"}
    assert set(told["error"]) == {"what", "where", "hint"}
    assert told["error"]["what"]
    assert "Traceback" not in answer.text
    return told["error"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8077", "127.0.0.1.evil.example", "localhost.evil.example",
                                  "2130706433", "[::ffff:127.0.0.1]"])  # fmt: skip
def test_another_host_name(client, host):
    assert "not called" in refused(client.get("/api/therapies", headers={"host": host}), 421)["what"]


@pytest.mark.parametrize("host", ["", "127.0.0.1@evil.example", "127.0.0.1/evil", "a b", "127.0.0.1:x"])
def test_no_host_name(client, host):
    assert client.get("/api/therapies", headers={"host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8077", "127.0.0.1:1", "[::1]:8077"])
def test_own_host_names(client, host):
    assert client.get("/api/therapies/denosumab", headers={"host": host}).status_code == 200


def test_host_names_are_taken_apart():
    assert split_host("[::1]:80") == ("::1", 80)
    assert split_host("Localhost.") == ("localhost", None)
    assert split_host("a/b") is None


@pytest.mark.parametrize("headers", [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "http://localhost:8077"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
])  # fmt: skip
def test_another_site_changes_nothing(client, headers):
    answer = client.post("/api/studies", content="id: x", headers={"content-type": "text/plain", **headers})
    assert "another site" in refused(answer, 403)["what"]
    assert client.delete("/api/jobs/x", headers=headers).status_code == 403


def test_another_site_reads_nothing_of_the_api_but_may_link_to_a_page(client, bare):
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    refused(client.get("/api/evidence", headers=link), 403)
    refused(client.get("/openapi.json", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}), 403)
    refused(client.get("/openapi.json", headers=link | {"sec-fetch-dest": "iframe"}), 403)
    assert client.get("/openapi.json", headers=link).status_code == 200
    assert (
        "access-control-allow-origin"
        not in client.get("/openapi.json", headers={"origin": "http://127.0.0.1:8077"}).headers
    )


def test_own_pages_may(client, study):
    headers = {"origin": "http://127.0.0.1:8077", "sec-fetch-site": "same-origin", "content-type": "application/yaml"}
    assert client.post("/api/studies", content=study, headers=headers).status_code == 200


def socket_app():
    from fastapi import FastAPI, WebSocket

    from osteon.app.api.security import Security

    app = FastAPI()

    @app.websocket("/ws")
    async def echo(socket: WebSocket):
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.send_text(await socket.receive_text())

    app.add_middleware(Security, guard=Guard())
    return TestClient(app, base_url="http://127.0.0.1:8077")


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"host": "evil.example"}, {"origin": "null"}])
def test_sockets_from_elsewhere(headers):
    with (
        pytest.raises(WebSocketDisconnect),
        socket_app().websocket_connect("/ws", headers={"host": "127.0.0.1:8077", **headers}),
    ):
        pass


def test_sockets_of_its_own_and_their_largest_message():
    own = {"host": "127.0.0.1:8077", "origin": "http://127.0.0.1:8077"}
    with socket_app().websocket_connect("/ws", headers=own) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
        socket.send_text("x" * (MAX_BODY + 1))
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


def test_large_bodies(client):
    error = refused(
        client.post("/api/studies", content=b"x" * (MAX_BODY + 1), headers={"content-type": "text/plain"}), 413
    )
    assert "1,000,000" in error["what"]

    def pieces():
        for _ in range(30):
            yield b"x" * 50_000

    refused(client.post("/api/studies", content=pieces(), headers={"content-type": "text/plain"}), 413)
    refused(client.post("/api/jobs", content=pieces(), headers={"content-type": "application/json"}), 413)
    refused(client.post("/api/jobs", content=b"{}", headers={"content-length": "-5"}), 413)


@pytest.mark.parametrize("path", ["/api/simulate", "/api/compare", "/api/jobs", "/api/factorial"])
@pytest.mark.parametrize(
    "content", [b"{", b"", b"[1, 2", b"nonsense", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b"null"]
)
def test_malformed_json(client, path, content):
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    refused(answer, answer.status_code)


def test_json_sent_as_a_form(client):
    """What a form on another site could send without being asked."""
    answer = client.post("/api/jobs", content=b'{"yaml": "id: x"}', headers={"content-type": "text/plain"})
    refused(answer, 422)


@pytest.mark.parametrize("text", ["[" * 200_000, "{" * 100_000, "a: " * 1000, "x: !!python/object/apply:os.system [id]",
                                  "a: &a [x, x]\nb: [*a, *a]", "\x00", "- 1", "id: 1", "&" * 9999, "? " * 20_000])  # fmt: skip
def test_hostile_yaml(client, text):
    error = refused(client.post("/api/studies", content=text, headers={"content-type": "application/yaml"}), 400)
    assert "study" in error["where"] or error["where"] == "body"


def test_deep_json_studies(client):
    answer = client.post(
        "/api/studies", content=b'{"study":' + b"[" * 100_000, headers={"content-type": "application/json"}
    )
    refused(answer, 400)


def test_too_many_people(client, study):
    huge = study.replace("n_per_arm: 50", "n_per_arm: 1000000000")
    for answer in (
        client.post("/api/studies", content=huge, headers={"content-type": "application/yaml"}),
        client.post("/api/jobs", json={"yaml": huge}),
    ):
        error = refused(answer, 400)
        assert "2,000,000,000 people" in error["what"]
        assert "1,000,000" in error["what"] + error["hint"]


@pytest.mark.parametrize(("old", "new", "words"), [
    ("weekly for 12 months", "every 0.002 days for 12 months", "doses"),
    ("[0, 6, 12]", "[0, 6, 99999]", "month"),
    ("[0, 6, 12]", "[" + ", ".join(map(str, range(500))) + "]", "visits"),
    ("age: 68", "age: .nan", "age"),
    ("age: 68", "age: 1e308", "age"),
    ("id: small", "id: ../../etc/passwd", "letters"),
    ("endpoints: [lumbar", "endpoint: [lumbar", "did you mean"),
])  # fmt: skip
def test_studies_beyond_bounds(client, study, old, new, words):
    assert old in study
    error = refused(
        client.post("/api/studies", content=study.replace(old, new), headers={"content-type": "application/yaml"}),
        400,
    )
    assert words in " ".join(error.values())


def test_an_error_names_line_and_field(client, study):
    error = refused(
        client.post(
            "/api/studies", content=study.replace("alendronate", "alendronat3"), headers={"content-type": "text/yaml"}
        ),
        400,
    )
    assert "line 6" in error["where"]
    assert "arms[1].regimen" in error["where"]


def test_draws_beyond_bounds(client, study):
    assert refused(client.post("/api/jobs", json={"yaml": study, "draws": 10**9}), 422)["where"] == "draws"
    refused(client.post("/api/simulate?draws=100000", json={}), 422)
    refused(client.post("/api/jobs", json={"yaml": study, "bomb": 1}), 422)
    refused(client.post("/api/jobs", json={"yaml": study, "model": "../x"}), 422)


SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def done(bare):
    """A job that has run, of a study whose every text is a script."""
    client = TestClient(bare, base_url="http://127.0.0.1:8077")

    text = STUDY.replace("A small study", f'"{SCRIPT}"').replace("name: drug", f'name: "{SCRIPT}&quot;"')
    job = client.post("/api/jobs", json={"yaml": text, "draws": 0}).json()
    found = wait(client, job["id"])
    assert found["state"] == "done", found
    return found


def test_scripts_come_out_escaped(client, done):
    page = client.get(f"/api/jobs/{done['id']}/files/report.html?inline=true")
    assert page.status_code == 200
    assert SCRIPT not in page.text
    assert "&lt;script&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    for file in done["files"]:
        answer = client.get(f"/api/jobs/{done['id']}/files/{file['name']}")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
    told = client.get(f"/api/jobs/{done['id']}")
    assert told.headers["content-type"] == "application/json"
    assert told.json()["title"] == SCRIPT


@pytest.mark.parametrize("name", [
    "../jobs.py", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "....//x", "/etc/passwd", "%2Fetc%2Fpasswd",
    "report.html%00.png", "report.html/", "%5c..%5cx", "C:%5cwindows", "report.html/../../x", "x" * 5000,
])  # fmt: skip
def test_path_tricks(client, done, name):
    answer = client.get(f"/api/jobs/{done['id']}/files/{name}")
    assert answer.status_code in (400, 404, 405), answer.text[:200]
    assert "root:" not in answer.text


def test_links_in_a_jobs_folder_lead_nowhere(client, done, state, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    job = state.jobs.get(done["id"])
    (job.folder / "link.csv").symlink_to(secret)
    (job.folder / "left.csv").write_text("not announced")
    for name in ("link.csv", "left.csv"):
        refused(client.get(f"/api/jobs/{job.id}/files/{name}"), 404)
    job.files["link.csv"] = 6  # even if it were announced
    refused(client.get(f"/api/jobs/{job.id}/files/link.csv"), 404)
    del job.files["link.csv"]


def test_unknown_addresses_and_ids(client):
    for path in (
        "/api/nothing",
        "/api/jobs/nothing",
        "/api/jobs/nothing/files",
        "/api/evidence/NOTHING",
        "/api/params/x",
    ):
        refused(client.get(path), 404)
    assert "did you mean 'denosumab'" in refused(client.get("/api/therapies/denosumap"), 404)["hint"]
    refused(client.put("/api/jobs"), 405)
    refused(client.get("/api/therapies/" + "x" * 500), 422)


@pytest.mark.parametrize("near", ["Nowhere, US", "1e999,0", "';--", "x" * 121])
def test_odd_places(client, near):
    answer = client.get("/api/find-trials", params={"near": near})
    assert answer.status_code in (400, 422)
    refused(answer, answer.status_code)


def test_headers_of_every_answer(client):
    for path in ("/openapi.json", "/api/therapies/denosumab", "/api/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


def guarded(host="192.0.2.7"):
    from fastapi import FastAPI

    from osteon.app.api.install import Settings, install

    app = FastAPI()
    state = install(app, Settings(host, TOKEN))

    @app.get("/")
    def home():
        return "home"

    @app.get("/{rest:path}")
    def other(rest: str):
        return rest

    return TestClient(app, base_url=f"http://{'192.0.2.7' if host == '0.0.0.0' else host}:8077"), state


def test_another_address_needs_a_token():
    with pytest.raises(InputError, match="--token"):
        Guard("0.0.0.0")
    with pytest.raises(InputError, match="16"):
        Guard("0.0.0.0", "short")
    with pytest.raises(InputError, match="plain"):
        Guard("0.0.0.0", "ßßßßßßßßßßßßßßßßßßßß")
    assert Guard().admits(None)


@pytest.mark.parametrize("host", ["192.0.2.7", "0.0.0.0"])
def test_the_token(host):
    client, _ = guarded(host)
    assert refused(client.get("/api/therapies"), 401)["where"] == "token"
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", "é" * 20):
        refused(client.get("/", params={"token": wrong}), 401)
        refused(client.get("/", headers={"authorization": f"Bearer {wrong}".encode()}), 401)
        refused(client.get("/", headers={"cookie": f"{COOKIE}={wrong}".encode()}), 401)
    refused(client.get(f"/?token={TOKEN}&token=x"), 401)
    assert client.get("/api/therapies/denosumab", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    answer = client.get("/", params={"token": TOKEN, "x": "1"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?x=1"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert client.get("/").status_code == 200  # by the cookie
    refused(client.get("/", headers={"host": "evil.example"}), 421)


def test_the_token_leads_nowhere_else():
    client, _ = guarded()
    for path in ("//evil.example/", "/%5cevil.example", "/\\evil.example"):
        answer = client.get(f"{path}?token={TOKEN}", follow_redirects=False)
        assert not answer.headers.get("location", "/").startswith(("//", "/\\", "http"))


def test_the_token_guards_sockets():
    from osteon.app.api.security import Security

    async def inner(scope, receive, send):
        raise AssertionError("the socket came through")

    client = TestClient(Security(inner, Guard("192.0.2.7", TOKEN)), base_url="http://192.0.2.7")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers={"host": "192.0.2.7"}):
        pass


def test_every_error_of_the_schema_is_documented(client):
    schema = client.get("/openapi.json").json()
    assert json.dumps(schema)
    assert all(path.startswith("/api/") for path in schema["paths"])
    for path in ("/api/therapies", "/api/simulate", "/api/compare", "/api/studies", "/api/jobs", "/api/jobs/{ident}",
                 "/api/jobs/{ident}/files", "/api/evidence", "/api/evidence/{trial}", "/api/population", "/api/factorial",
                 "/api/find-trials", "/api/ancillary", "/api/params/{ident}"):  # fmt: skip
        assert path in schema["paths"]
