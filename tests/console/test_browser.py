"""The pages in a real Chromium: every page as every role, by keyboard, in both lights, on a phone, and by axe-core."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.scene import PASSWORD, Scene

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")

AXE = Path(__file__).with_name("axe") / "axe.min.js"
PAGES = ("/", "/log", "/held", "/follow?closed=1", "/policies", "/policies/replay", "/integrity", "/accounts", "/me")
FOR = {"ada": PAGES, "otto": tuple(p for p in PAGES if p != "/accounts"),
       "rita": tuple(p for p in PAGES if p not in ("/accounts", "/integrity", "/policies/replay"))}  # fmt: skip
LIGHTS = ("light", "dark")
SIZES = {"desktop": (1360, 900), "phone": (360, 780)}

TEXT = """Hello Jill,

No, we do not give out standing desks.

Best regards
Dana

On Mon, 2 Jun 2025 at 09:50, Jill Amory wrote:
> Could I get a standing desk?
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def furnished(scene: Scene) -> Scene:
    scene.hold("first", "Re: Standing desk for room 4.12", TEXT)
    scene.hold("second", "Re: VPN access")
    scene.past(120)
    return scene


@pytest.fixture
def visit(furnished: Scene, chromium: Any) -> Iterator[Callable[..., Any]]:
    """A page logged in as somebody; what goes wrong in it fails the test."""
    wrong: list[str] = []
    contexts = []

    def tell(said: Any) -> None:
        if said.type == "error":
            wrong.append(said.text)

    def open_(
        name: str, light: str = "light", size: str = "desktop", wanted: tuple[str, ...] = (), **options: Any
    ) -> Any:
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=light, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: tell(said) if not any(each in said.text for each in wanted) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(furnished.url) else None)
        page.goto(furnished.url + "/log-in")
        if name:
            page.fill("[name=name]", name)
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
            page.wait_for_url(furnished.url + "/")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FOR)
def test_every_page_fits_and_has_no_serious_finding_in_either_light(
    visit: Callable[..., Any], furnished: Scene, name: str, size: str
) -> None:
    # German words are longer: where there is least room they must fit as well.
    page = visit(name, size=size, locale="de-DE" if size == "phone" else "en-GB")
    version = furnished.parts.rules.current.version
    extra = (f"/mail/{furnished.ids['first']}", f"/policies/version/{version}")
    for path in (*FOR[name], *extra):
        page.goto(furnished.url + path)
        assert page.locator("h1").count() == 1 and page.locator("main").count() == 1, path
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        page.evaluate(AXE.read_text("utf-8"))
        for light in LIGHTS:
            page.emulate_media(color_scheme=light)
            assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (light == "dark")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
            assert found(page) == [], (path, light)


@pytest.mark.parametrize("light", LIGHTS)
def test_the_door_has_no_serious_finding(visit: Callable[..., Any], light: str) -> None:
    assert serious(visit("", light)) == []


def serious(page: Any) -> list[tuple[str, list[str]]]:
    """What axe-core finds that is serious or critical: (rule, where)."""
    page.evaluate(AXE.read_text("utf-8"))
    return found(page)


def found(page: Any) -> list[tuple[str, list[str]]]:
    """The same of a page that has axe-core."""
    options = "{iframes: false, preload: false, resultTypes: ['violations']}"
    violations = page.evaluate(f"axe.run(document, {options}).then(found => found.violations)")
    return [
        (each["id"], [node["html"][:160] for node in each["nodes"]])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


def test_axe_would_find_something(visit: Callable[..., Any]) -> None:
    """The test of the test."""
    page = visit("ada", wanted=("Content Security Policy", "style"))
    page.evaluate(
        "document.querySelector('main').innerHTML = '<input><p style=\"color:#ccc;background:#fff\">pale</p>'"
    )
    assert {"label"} <= {rule for rule, _ in serious(page)}


def test_with_the_keyboard_alone(visit: Callable[..., Any], furnished: Scene) -> None:
    """From the first page to a settled mail with Tab, Enter and letters."""
    id = furnished.hold("keyboard", "Re: Keyboard")
    page = visit("rita")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto(f"{furnished.url}/mail/{id}")
    focus = "document.activeElement.name + '=' + (document.activeElement.value || '')"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(focus) == "why=":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is seen"
    page.keyboard.type("settled without a mouse")
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate(focus) == "do=discard":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**done=discard")
    assert furnished.outcome(id) == "discarded" and "It is discarded" in page.locator("[role=status]").inner_text()


def test_a_reviewer_settles_and_an_auditor_sees_how(visit: Callable[..., Any], furnished: Scene) -> None:
    id = furnished.hold("story", "Re: Story", TEXT)
    rita = visit("rita")
    rita.click("text=Held")
    rita.click("text=Re: Story")
    assert rita.locator("mark").first.inner_text().startswith("No")
    rita.click("text=I look after it")
    rita.fill("[name=why]", "rung up")
    rita.click("text=Send as it is")
    assert rita.locator("[role=status]").inner_text() == "It goes out as it is."
    otto = visit("otto")
    otto.click("nav >> text=Log")
    otto.fill("[name=subject]", "story")
    otto.click("text=Search")
    otto.click(f"a[href$='{id}']")
    assert (
        "rung up" in otto.locator(".timeline").first.inner_text()
        and otto.locator("button:has-text('Send')").count() == 0
    )


def test_in_german(visit: Callable[..., Any], furnished: Scene) -> None:
    page = visit("ada", locale="de-DE")
    assert page.locator("h1").inner_text() == "Überblick"
    page.click("text=English")
    assert page.locator("h1").inner_text() == "Overview"


def test_the_policy_of_the_page_stops_scripts(visit: Callable[..., Any], furnished: Scene) -> None:
    """Even if something came through: nothing inline runs, and nothing is loaded."""
    page = visit("ada", wanted=("Content Security Policy", "style"))
    before = page.evaluate("window.ran")
    page.evaluate(
        "(() => { const it = document.createElement('script'); it.textContent = 'window.ran = 1';"
        " document.body.append(it) })()"
    )
    assert before is None and page.evaluate("window.ran") is None


def test_the_overview_without_colour(visit: Callable[..., Any], furnished: Scene) -> None:
    """What the chart shows stands in a table too, and each bar says what it is."""
    page = visit("otto")
    assert page.locator("svg.chart").get_attribute("role") == "img"
    titles = page.locator("svg.chart rect title").all_text_contents()
    assert titles and all(re.fullmatch(r"\d+ \w+: \w+ \d+", title) for title in titles), titles[:3]
    page.click("text=The numbers as a table")
    cells = page.locator("details td").all_text_contents()
    assert sum(map(int, cells)) == sum(int(title.rsplit(" ", 1)[1]) for title in titles)
