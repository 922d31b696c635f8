"""The page of a graph in a real browser: its controls do what they say, it loads nothing, and it fits phone and desk."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.visualize import draw

pytestmark = pytest.mark.browser


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x):
        return self.second(ag.tanh(self.first(x)))


class Stack(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bottom, self.top = Pair(), Pair()

    def forward(self, x):
        return self.top(x + self.bottom(x))


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "no Chromium on the PATH: install one, or leave these tests out with -m 'not browser'"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    ag.manual_seed(0)
    x = ag.tensor(np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32))
    x.name = "x<script>document.title = 'injected'</script>"
    loss = Stack()(x).sum()
    loss.name = "loss"
    loss.backward()
    return draw(loss).save(tmp_path_factory.mktemp("page") / "graph.html")


@pytest.fixture
def open_page(browser, file):
    """Opens the page; any error in it, and any request for anything but itself, fails the test."""
    contexts, troubles = [], []

    def opened(width=1280, height=800, scheme="light", **options):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("request", lambda request: request.url == file.as_uri() or troubles.append(request.url))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def visible(page, selector="g.node"):
    return page.locator(f".sheet:not([hidden]) {selector}")


def node(page, name):
    return visible(page).filter(has=page.locator(f"text={name}")).first


def view(page):
    return list(map(float, visible(page, "svg").get_attribute("viewBox").split()))


def drawn(page):
    return visible(page).count(), visible(page, "g.cluster").count()


def test_it_draws_and_tells_its_title(open_page):
    page = open_page()
    assert page.title().startswith("loss = ")
    assert page.locator("h1").inner_text() == page.title()
    assert visible(page, "svg").count() == 1
    assert drawn(page)[1] == 7  # the model, two pairs, and two layers in each


def test_the_slider_shows_each_depth(open_page):
    page = open_page()
    slider = page.locator("#depth")
    seen = []
    for place in range(int(slider.get_attribute("max")) + 1):
        slider.fill(str(place))
        seen.append((page.locator("#level").inner_text(), *drawn(page)))
    assert [(label, boxes) for label, _, boxes in seen] == [("0", 0), ("1", 1), ("2", 3), ("all", 7)]
    assert [count for _, count, _ in seen] == sorted(count for _, count, _ in seen)


def test_search_marks_and_centres_what_it_finds(open_page):
    page = open_page()
    page.locator("#find").fill("top.first")
    assert page.locator("#found").inner_text() == "3 matches"  # its op and two parameters
    assert visible(page, "g.node.hit").count() == 3
    centres = []
    for _ in range(4):
        x, y, width, height = view(page)
        centres.append((x + width / 2, y + height / 2))
        page.locator("#find").press("Enter")
    assert len(set(centres[:3])) == 3
    assert centres[3] == pytest.approx(centres[0])
    page.locator("#find").fill("no such thing")
    assert page.locator("#found").inner_text() == "0 matches"
    assert visible(page, "g.node.hit").count() == 0


def test_hover_shows_the_facts(open_page):
    page = open_page()
    assert page.locator("#facts").is_hidden()
    node(page, "weight").hover()
    facts = dict(zip(page.locator("#facts dt").all_inner_texts(), page.locator("#facts dd").all_inner_texts(), strict=True))
    assert facts["shape"] == "8×4"
    assert facts["dtype"] == "float32"
    assert "±" in facts["values"]
    assert float(facts["‖grad‖"]) > 0
    node(page, "tanh").hover()
    assert "saved" in page.locator("#facts dt").all_inner_texts()
    page.mouse.move(5, 300)
    assert page.locator("#facts").is_hidden()


def test_click_traces_the_path_to_the_output_until_the_next_click(open_page):
    page = open_page()
    page.locator("#fit").click()
    node(page, "sum").click()
    page.mouse.move(5, 300)
    bright = [g.locator("text").first.text_content() for g in visible(page, "g.node.on").all()]
    assert sorted(bright) == ["loss", "sum"]
    assert visible(page, "g.edge.on").count() == 1
    dim = visible(page, "g.node:not(.on)").first
    page.wait_for_function("element => Number(getComputedStyle(element).opacity) < 0.2", arg=dim.element_handle())
    node(page, "sum").click()
    page.mouse.move(5, 300)
    assert page.locator(".traced").count() == 0


def test_the_wheel_zooms_at_the_pointer_and_a_drag_pans(open_page):
    page = open_page()
    stage = page.locator("#stage").bounding_box()
    x, y = 300, 250
    page.mouse.move(x, y)

    def under(view):
        scale = view[2] / stage["width"]
        return view[0] + (x - stage["x"]) * scale, view[1] + (y - stage["y"]) * scale

    before = view(page)
    page.mouse.wheel(0, -120)
    page.wait_for_function(
        "old => document.querySelector('.sheet:not([hidden]) svg').viewBox.baseVal.width < old", arg=before[2]
    )
    after = view(page)
    assert under(after) == pytest.approx(under(before), abs=0.01)
    page.mouse.down()
    page.mouse.move(x + 80, y + 50, steps=4)
    page.mouse.up()
    scale = after[2] / stage["width"]
    assert view(page) == pytest.approx([after[0] - 80 * scale, after[1] - 50 * scale, *after[2:]], abs=0.01)
    page.locator("#fit").click()
    x, y, width, height = view(page)
    home = page.evaluate("current.home")
    assert x <= home[0] + 0.01
    assert y <= home[1] + 0.01
    assert x + width >= home[0] + home[2] - 0.01
    assert y + height >= home[1] + home[3] - 0.01


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_it_follows_the_reader_from_light_to_dark(open_page):
    assert ground(open_page(scheme="light")) == "rgb(255, 255, 255)"
    page = open_page(scheme="dark")
    assert ground(page) == "rgb(15, 23, 42)"
    page.locator("#theme").click()
    assert ground(page) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)], ids=["phone", "desktop"])
def test_everything_is_within_reach_on_phone_and_desktop(open_page, width, height, scheme):
    page = open_page(width, height, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for selector in ("#depth", "#find", "#fit", "#theme"):
        box = page.locator(selector).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] >= 14
    picture = visible(page, "g.graph").bounding_box()
    assert picture["width"] > 0.5 * min(width, 600)
    assert picture["x"] >= -1
    assert picture["x"] + picture["width"] <= width + 1
    colours = len(set(page.screenshot()))
    assert colours > 100  # of the bytes of a PNG: it is not a blank page


def test_two_fingers_zoom(open_page):
    page = open_page(390, 844, has_touch=True)
    before = view(page)
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        session.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in points]}
        )

    touch("touchStart", (0, (150, 400)), (1, (240, 400)))
    for step in range(1, 6):
        touch("touchMove", (0, (150 - 10 * step, 400)), (1, (240 + 10 * step, 400)))
    touch("touchEnd")
    page.wait_for_function(
        "old => document.querySelector('.sheet:not([hidden]) svg').viewBox.baseVal.width < old", arg=0.7 * before[2]
    )


def test_names_stay_text(open_page):
    page = open_page()
    assert "injected" not in page.title()
    assert visible(page, "script").count() == 0
    assert node(page, "document.title").count() == 1
