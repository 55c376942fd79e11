"""Journeys through the page "Explore", in a real browser on a real server: no error, no request elsewhere."""

import re
from pathlib import Path

import httpx
import pytest

from osteon.files import parse_yaml
from osteon.study import study_from

LINK = "v=1&sex=female&age=66&ysm=16&ls=-2.5&y=6&t=denosumab,60,mg,SC,every+6+months,0,36"
PAIR = LINK + "&u=denosumab,60,mg,SC,every+6+months,0,36&u=zoledronate,5,mg,IV,once,36,12"


def go(page, server, link=""):
    page.goto(f"{server.base}/#{link}")
    page.wait_for_selector('#explore[data-bands="yes"]', timeout=240_000)  # compiles the kernel where it is new
    assert "not medical advice" in page.locator("main .notice").first.inner_text()


def number(text):
    """ "+8.2 %" as a float."""
    return float(re.search(r"[-−+]?\d+\.\d+", text).group().replace("−", "-"))


def settle(page):
    """Wait until the curves of what was last done are drawn, with bands."""
    page.wait_for_timeout(250)
    page.wait_for_selector('#explore[data-bands="yes"]')
    page.wait_for_timeout(50)


def tile(page, site="lumbar_spine"):
    return number(page.locator(f'[data-value="{site}_bmd"]').inner_text())


def test_the_number_on_the_page_is_the_number_of_the_api(own_page, own_server):
    go(own_page, own_server, LINK)
    treatment = {
        "therapy": "denosumab",
        "dose": 60,
        "unit": "mg",
        "route": "SC",
        "interval": "every 6 months",
        "months": 36,
    }
    plan = {
        "age": 66,
        "years_since_menopause": 16,
        "t_score": {"lumbar_spine": -2.5},
        "years": 6,
        "treatments": [treatment],
    }
    found = httpx.post(f"{own_server.base}/api/simulate", json={"plan": plan}, timeout=240).json()
    for site in ("lumbar_spine", "total_hip", "femoral_neck"):
        assert tile(own_page, site) == pytest.approx(found["series"][f"{site}_bmd_pct"][-1], abs=0.1)
    assert f"{abs(tile(own_page)):.1f}\u00a0%" in own_page.locator("#changed").inner_text()


def test_values_follow_while_a_slider_moves(own_page, own_server):
    go(own_page, own_server)
    slider = own_page.get_by_label("Age", exact=True)
    box, before, seen = slider.bounding_box(), tile(own_page), set()
    own_page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 12)
    own_page.mouse.down()
    for step in range(8):
        own_page.mouse.move(box["x"] + box["width"] * (0.5 + 0.05 * step), box["y"] + 12)
        own_page.wait_for_timeout(250)
        seen.add(tile(own_page))  # the button is still down
    own_page.mouse.up()
    assert len(seen) >= 3
    settle(own_page)
    assert tile(own_page) != before
    slider.press("ArrowLeft")
    assert own_page.locator('.slider[data-key="age"] output').inner_text() != ""


def test_add_move_and_remove_a_treatment_with_the_keyboard(own_page, own_server):
    go(own_page, own_server)
    own_page.get_by_text("No treatment yet").wait_for()
    own_page.get_by_role("button", name="Add Denosumab to the plan").press("Enter")
    bar = own_page.get_by_role("button", name=re.compile("^Denosumab, 60 mg every 6 months, months 0 to 36"))
    bar.wait_for()
    own_page.keyboard.press("ArrowRight")
    own_page.keyboard.press("Shift+ArrowRight")
    own_page.keyboard.press("-")
    own_page.get_by_role("button", name=re.compile("^Denosumab.*months 13 to 48")).wait_for()
    own_page.get_by_label("Start of Denosumab").fill("24")
    own_page.get_by_role("button", name=re.compile("^Denosumab.*months 24 to 59")).wait_for()
    settle(own_page)
    assert "denosumab,60,mg,SC,every+6+months,24,35" in own_page.url
    own_page.get_by_role("button", name=re.compile("^Denosumab, 60")).press("Delete")
    own_page.get_by_text("No treatment yet").wait_for()


def test_drag_a_card_to_a_month_and_the_bar_on(own_page, own_server):
    go(own_page, own_server, "v=1&y=10")
    own_page.evaluate("document.querySelector('#timeline').scrollIntoView({block: 'center', behavior: 'instant'})")
    own_page.locator('.tcard[data-therapy="zoledronate"]').drag_to(
        own_page.locator("#timeline"), target_position={"x": 300, "y": 20}
    )
    bar = own_page.locator(".tl-bar")
    bar.wait_for()
    settle(own_page)
    start = int(re.search(r"zoledronate,5,mg,IV,every\+12\+months,(\d+),36", own_page.url).group(1))
    assert 10 < start < 110
    box = bar.bounding_box()
    own_page.mouse.move(box["x"] + 20, box["y"] + 10)
    own_page.mouse.down()
    own_page.mouse.move(box["x"] - 40, box["y"] + 10, steps=4)
    own_page.mouse.up()
    settle(own_page)
    assert int(re.search(r"every\+12\+months,(\d+),36", own_page.url).group(1)) < start


def test_two_plans_side_by_side(own_page, own_server):
    go(own_page, own_server, PAIR)
    b = number(own_page.locator('[data-value="b-lumbar_spine_bmd"]').inner_text())
    assert b > tile(own_page) + 2  # a follow-up keeps what stopping loses
    assert own_page.locator(".tl-bar").count() == 3
    own_page.get_by_role("button", name="Remove plan B").click()
    settle(own_page)
    assert own_page.locator('[data-value="b-lumbar_spine_bmd"]').count() == 0
    assert "&u=" not in own_page.url
    own_page.get_by_role("button", name="Compare with a plan B").click()
    settle(own_page)
    assert "&u=denosumab" in own_page.url


def test_a_link_brings_everything_back_and_junk_does_no_harm(own_page, own_server):
    go(own_page, own_server, LINK)
    own_page.get_by_label("Years to look ahead").press("ArrowRight")
    settle(own_page)
    link, value = own_page.url, tile(own_page)
    own_page.goto("about:blank")
    own_page.goto(link)
    own_page.wait_for_selector('#explore[data-bands="yes"]')
    assert tile(own_page) == value
    own_page.goto("about:blank")
    go(own_page, own_server, "v=7&age=<script>alert(1)</script>&t=%00,,,&u")
    assert own_page.locator('.slider[data-key="age"] output').inner_text() == "66 years"


def test_take_picture_numbers_and_study_home(own_page, own_server):
    go(own_page, own_server, PAIR)

    def taken(label):
        own_page.locator(".menu-box summary").click()
        with own_page.expect_download() as started:
            own_page.get_by_role("button", name=label).click()
        return Path(started.value.path())

    assert taken("Picture (PNG)").read_bytes().startswith(b"\x89PNG")
    assert "not medical advice" in taken("Picture (SVG)").read_text("utf-8")
    rows = taken("Numbers (CSV)").read_text("utf-8").splitlines()
    assert rows[1] == "plan,name,month,value,lower,upper,change_pct"
    last = next(r for r in reversed(rows) if r.startswith("A,lumbar_spine_bmd,72,"))
    assert float(last.split(",")[-1]) == pytest.approx(tile(own_page), abs=0.05)
    study = study_from(parse_yaml(taken("Study file (YAML)").read_text("utf-8"), "plan"))
    assert [arm.name for arm in study.arms] == ["untreated", "plan A", "plan B"]


def test_what_cannot_be_is_said_and_the_page_goes_on(own_page, own_server):
    go(
        own_page,
        own_server,
        "v=1&y=10&t=denosumab,60,mg,SC,every+6+months,0,36&t=denosumab,60,mg,SC,every+6+months,40,36",
    )
    own_page.route("**/live", lambda route: route.continue_())
    own_page.locator(".tl-bar").nth(1).focus()
    for _ in range(2):
        own_page.keyboard.press("Shift+ArrowLeft")
    own_page.locator("#error").wait_for()
    assert "overlaps" in own_page.locator("#error").inner_text()
    own_page.keyboard.press("Delete")
    own_page.locator("#error").wait_for(state="hidden")


def test_units_and_moments(own_page, own_server):
    go(own_page, own_server, LINK)
    own_page.get_by_role("button", name="T-score", exact=True).click()
    own_page.get_by_text("osteoporosis", exact=True).first.wait_for()
    own_page.get_by_role("button", name="Total hip").click()
    assert "total hip" in own_page.locator("#hero").get_attribute("aria-label")
    scrub = own_page.get_by_label("Moment shown in the balance")
    scrub.fill("30")
    early = own_page.locator(".seesaw-words").first.inner_text()
    scrub.fill("70")
    assert own_page.locator(".seesaw-words").first.inner_text() != early
    assert "years" in own_page.locator("#when").inner_text()
    own_page.get_by_text("The numbers as a table").click()
    assert own_page.locator("#table tbody tr").count() == 7


def test_light_dark_and_a_phone(own_page, own_server):
    own_page.set_viewport_size({"width": 375, "height": 812})
    go(own_page, own_server, PAIR)
    assert own_page.evaluate("document.documentElement.scrollWidth") <= 375
    own_page.get_by_role("button", name="Menu").click()
    own_page.get_by_role("link", name="Glossary").first.wait_for()
    own_page.get_by_role("button", name="Menu").click()
    own_page.get_by_role("button", name="Light or dark").click()
    assert own_page.evaluate("document.documentElement.classList.contains('dark')")
    own_page.reload()
    own_page.wait_for_selector('#explore[data-bands="yes"]')
    assert own_page.evaluate("document.documentElement.classList.contains('dark')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_contrast_and_order(own_page, own_server, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    own_page.emulate_media(color_scheme=scheme)
    go(own_page, own_server, PAIR)
    found = axe.run(own_page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}).response["violations"]
    assert [
        (v["id"], v["nodes"][0]["html"][:160], v["nodes"][0].get("failureSummary", "")[:160]) for v in found
    ] == []
