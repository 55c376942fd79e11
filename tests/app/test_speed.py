"""How fast a slider is, against an empty page's slider in the same run: a slow machine is slow for both."""

import os
import statistics
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow  # minutes of a browser and a busy server: left to `make verify`

TIMES = 2.0  # how much longer than on an empty page a slider may take, key to redrawn chart
SERVER_TIMES = 12.0  # how much more CPU than a question that asks nothing a move may cost the server
ROUNDS, MOVES = 6, 7
LINK = "v=1&sex=female&age=55&w={weight}&ls=-2.5&y=6&t=denosumab,60,mg,SC,every+6+months,0,36"

# What an app cannot do without: the slider asks the server, and the number that it answers is written.
EMPTY = """<!doctype html><title>empty</title><input type="range" id="s-age" min="45" max="90"><p id="n"></p><script>
const s = document.getElementById("s-age"); s.value = 55;
s.addEventListener("input", async () => {
  const reply = await fetch("/live/nothing", {method: "POST", headers: {"content-type": "application/json"},
    body: JSON.stringify({age: Number(s.value)})});
  document.getElementById("n").textContent = (await reply.json()).age;
});</script>"""

# From the key to the frame in which what it changes is drawn.
MOVE = """([slider, drawn, rest]) => new Promise((done, fail) => {
  const input = document.querySelector(slider), begun = performance.now();
  const late = setTimeout(() => fail(new Error("no answer in 20 s")), 20000);
  const seen = new MutationObserver(() => {
    seen.disconnect(); clearTimeout(late);
    requestAnimationFrame(() => { const time = performance.now() - begun; setTimeout(() => done(time), rest); });
  });
  seen.observe(document.querySelector(drawn), {childList: true, characterData: true, subtree: true});
  input.stepUp();
  input.dispatchEvent(new Event("input", {bubbles: true}));
})"""


def cpu(process):
    """Seconds of CPU that a process has used."""
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        pytest.skip("no /proc here, from which the server's CPU time is read")
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_move_costs_the_server_little(own_server, record_property):
    """CPU, not the clock: whatever else the machine does meanwhile does not count."""

    def ask(client, path, content):
        begun = cpu(own_server.process)
        for one in content:
            assert client.post(path, json=one).status_code == 200
        spent = cpu(own_server.process) - begun
        return 1000 * spent / len(content)  # ms

    ages = [round(55 + 0.11 * i, 2) for i in range(150)]
    with httpx.Client(base_url=own_server.base, timeout=240) as client:
        text = LINK.format(weight=61)
        plan = client.post("/live", json={"text": text, "bands": True}).json()["state"]["plan"]
        moves = [{"plan": {**plan, "age": age}, "other": None, "moving": True} for age in ages]
        ask(client, "/live", [{"plan": {**plan, "age": 80.03}}])
        nothing = ask(client, "/live/nothing", moves * 2)
        move = ask(client, "/live", moves)
    line = f"CPU of the server: {move:.1f} ms a move, {nothing:.1f} ms a question that asks nothing"
    record_property("speed", line)
    print(line)
    assert move < SERVER_TIMES * nothing


@pytest.mark.slow
def test_a_slider_takes_at_most_twice_an_empty_pages(own_server, chromium, record_property):
    """Rounds on one page and the other by turns, and medians: what else the machine does hits both."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    full, empty = context.new_page(), context.new_page()
    empty.goto(f"{own_server.base}/openapi.json")
    empty.set_content(EMPTY)
    times = {"full": [], "empty": []}
    for turn in range(ROUNDS):
        full.goto("about:blank")
        full.goto(f"{own_server.base}/#{LINK.format(weight=round(62 + turn + time.time() % 1, 3))}")
        full.bring_to_front()
        full.wait_for_selector('#explore[data-bands="yes"]', timeout=240_000)
        full.wait_for_timeout(300)
        for name, page, drawn in (("empty", empty, "#n"), ("full", full, "#hero")):
            page.bring_to_front()
            page.wait_for_timeout(200)
            found = [page.evaluate(MOVE, ["#s-age", drawn, 60]) for _ in range(MOVES)]
            times[name] += found[1:]
    context.close()
    own, nothing = statistics.median(times["full"]), statistics.median(times["empty"])
    line = f"key to redrawn chart: {own:.0f} ms, on an empty page {nothing:.0f} ms ({own / nothing:.2f} times)"
    record_property("speed", line)
    print(line)
    assert own <= TIMES * nothing


def test_nothing_is_sent_back(own_server):
    assert httpx.post(f"{own_server.base}/live/nothing", json={"age": 3}).json() == {"age": 3}
