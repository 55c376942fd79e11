"""Journeys through the pages beside Explore, in a real browser on a real server: no error, no request elsewhere."""

import json
import re

import httpx
import pytest

from app_client import STUDY, picture


def go(page, server, path, title):
    page.goto(server.base + path)
    page.get_by_role("heading", name=title, exact=True).wait_for()
    assert "not medical advice" in page.locator("main .notice").first.inner_text()


def test_trial_from_text_to_files(own_page, own_server):
    go(own_page, own_server, "/trial", "Trial")
    own_page.get_by_label("Study file, YAML").fill(STUDY)
    own_page.get_by_text("This is a study: 2 arms").wait_for()
    own_page.get_by_label("Draws (how sure?)").click()
    own_page.get_by_role("option", name=re.compile("^none")).click()
    own_page.get_by_role("button", name="Run", exact=True).click()
    own_page.get_by_text("At the last visit").wait_for(timeout=120_000)
    with own_page.expect_download() as started:
        own_page.get_by_role("link", name="summary.json").click()
    rows = json.loads(started.value.path().read_text())["summary"]
    row = next(r for r in rows if (r["arm"], r["endpoint"], r["month"]) == ("drug", "lumbar_spine_bmd", 12.0))
    shown = own_page.locator("table.plain tr", has_text="Lumbar spine BMD").filter(has_text="drug").first.inner_text()
    assert f"{row['value']:.2f}".replace("-", "−") in shown  # the number on the page is the file's
    report = own_page.frame_locator("iframe.report")
    report.get_by_text("A small study").first.wait_for()
    assert "“drug”" in own_page.locator(".sentence").first.inner_text()


@pytest.mark.slow
def test_a_virtual_trial(own_page, own_server):
    go(own_page, own_server, "/trial", "Trial")
    own_page.get_by_label("Study file, YAML").fill(STUDY.replace("n_per_arm: 50", "n_per_arm: 20"))
    own_page.get_by_text("This is a study: 2 arms, 20 people").wait_for()
    own_page.get_by_text("Also as a virtual trial").click()
    own_page.get_by_label("Draws (how sure?)").click()
    own_page.get_by_role("option", name=re.compile("^none")).click()
    own_page.get_by_role("button", name="Run", exact=True).click()
    own_page.get_by_text("The virtual trial", exact=True).wait_for(timeout=180_000)
    with own_page.expect_download() as started:
        own_page.get_by_role("link", name="summary.json").click()
    told = json.loads(started.value.path().read_text())["trial"]
    row = next(r for r in told["table"] if r["endpoint"] == told["endpoint"] and r["month"] == told["month"]
               and "_vs_" in r["statistic"])  # fmt: skip
    table = own_page.locator("table.plain", has_text="What the trial would report").inner_text()
    assert f"{row['value']:.2f}".replace("-", "−") in table
    own_page.get_by_role("link", name="adam/ADSL.json").wait_for()
    own_page.frame_locator('iframe[title="Report of the virtual trial"]').get_by_text(
        "A small study"
    ).first.wait_for()


def test_a_design_is_no_virtual_trial(own_page, own_server):
    go(own_page, own_server, "/trial", "Trial")
    own_page.get_by_label("Begin with an example").click()
    own_page.get_by_role("option", name="All combinations").click()
    own_page.get_by_text("a design of 8 cells").wait_for()
    own_page.get_by_text("Also as a virtual trial").click()
    own_page.get_by_text("a virtual trial needs arms, and is left out").wait_for()


def test_a_wrong_study_says_where(own_page, own_server):
    go(own_page, own_server, "/trial", "Trial")
    field = own_page.get_by_label("Study file, YAML")
    field.fill(STUDY.replace("alendronate", "alendronat3"))
    own_page.get_by_text(re.compile("study, line 6: arms.1..regimen")).wait_for()
    assert own_page.get_by_role("button", name="Run", exact=True).is_disabled()
    field.fill(STUDY.replace("n_per_arm: 50", "n_per_arm: 1000000000"))
    own_page.get_by_text("2,000,000,000 people").wait_for()
    field.fill("<script>alert(1)</script><img src=x onerror=alert(1)>")
    own_page.get_by_text("not a YAML mapping").wait_for()
    assert own_page.locator("main img, main script").count() == 0


def test_cancel_a_run(own_page, own_server):
    go(own_page, own_server, "/trial", "Trial")
    own_page.get_by_role("button", name="Run", exact=True).click()
    own_page.get_by_role("progressbar").wait_for()
    own_page.get_by_role("button", name="Cancel the run").click()
    own_page.get_by_text("cancelled; nothing was kept").wait_for()


def test_the_form_writes_a_study(own_page, own_server):
    go(own_page, own_server, "/trial", "Trial")
    own_page.get_by_text("Build a study from a form").click()
    own_page.get_by_label("Title").fill('From: a "form" <b>')
    own_page.get_by_label("Age, years").fill("61")
    own_page.get_by_role("button", name="Write the study").click()
    own_page.get_by_text("This is a study: 2 arms, 100 people").wait_for()
    text = own_page.get_by_label("Study file, YAML").input_value()
    assert "age: 61" in text
    answer = httpx.post(own_server.base + "/api/studies", content=text, headers={"content-type": "application/yaml"})
    assert answer.json()["title"] == 'From: a "form" <b>'


def test_evidence_shows_the_published_values(own_page, own_server):
    go(own_page, own_server, "/evidence", "Evidence")
    told = httpx.get(own_server.base + "/api/evidence/FRAME", timeout=60).json()
    values = [p for arm in told["arms"] for curve in arm["curves"] for p in curve["points"]]
    own_page.locator("svg.chart").first.wait_for()
    assert own_page.locator("svg.chart circle.seen").count() == len(values)
    assert own_page.locator("svg.chart path.model").count() > 0, "the model's lines come with osteon"
    own_page.get_by_text("Where each number comes from").first.click()
    cell = f"{values[0]['value']:.2f}".replace("-", "−")
    assert own_page.get_by_role("cell", name=cell, exact=True).first.is_visible()
    own_page.get_by_text("Where the model is wrong").wait_for()


@pytest.mark.slow
def test_ageing_compares_with_probabilities(own_page, own_server):
    go(own_page, own_server, "/ageing", "Ageing")
    own_page.get_by_label("Bone drug").click()
    own_page.get_by_role("option", name="none").click()
    own_page.get_by_label("Months").click()
    own_page.get_by_role("option", name="6", exact=True).click()
    own_page.get_by_role("button", name="Compare").click()
    own_page.get_by_role("heading", name="What decides the answer").wait_for(timeout=300_000)
    assert "probability" in own_page.locator(".sentence").first.inner_text()
    with own_page.expect_download() as started:
        own_page.get_by_role("link", name="contrasts.json").click()
    rows = json.loads(started.value.path().read_text())["contrasts"]
    row = next(
        r for r in rows if r["endpoint"] == "total_hip_bmd" and r["name"].startswith("effect") and r["month"] == 6
    )
    words = f"{row['value']:+.1f}, P {row['p_positive']:.2f}".replace("-", "−")
    assert own_page.locator("svg text.note", has_text=words).count() >= 1


def test_one_treatment_has_nothing_to_combine_with(own_page, own_server):
    go(own_page, own_server, "/ageing", "Ageing")
    for label in ("Bone drug", "Senolytic"):
        own_page.get_by_label(label).click()
        own_page.get_by_role("option", name="none", exact=True).click()
        own_page.get_by_role("option").first.wait_for(state="detached")
    own_page.get_by_role("button", name="Compare").click()
    own_page.get_by_text("nothing to combine with").wait_for()


@pytest.mark.parametrize(
    ("path", "title", "button"),
    [("/join", "Trials to join", "Look for studies"), ("/hosts", "Ancillary hosts", "Rank the records")],
)
def test_without_records_the_pages_say_how_to_get_some(own_page, own_server, path, title, button):
    go(own_page, own_server, path, title)
    own_page.get_by_text("osteon registry refresh").first.wait_for()
    own_page.get_by_role("button", name=button).click()
    own_page.locator("[role=alert]", has_text="registry import").wait_for()


def test_glossary(own_page, own_server):
    go(own_page, own_server, "/glossary", "Glossary")
    assert own_page.locator("#t-score dt").inner_text() == "T-score"


@pytest.mark.parametrize("path", ["/trial", "/evidence", "/ageing", "/join", "/hosts", "/glossary"])
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_accessible_and_narrow(own_server, chromium, path, scheme):
    """Rules of axe-core, and no sideways scrolling on a phone."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context = chromium.new_context(viewport={"width": 375, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(own_server.base + path)
    page.locator("main .card").first.wait_for()
    page.wait_for_timeout(500)
    picture(page, f"{path} {scheme} narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    told = [(v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found]
    context.close()
    assert told == []
