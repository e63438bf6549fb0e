"""Pictures as a browser draws them: no text is cut off at a side, none lies over another one of its line."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from windlass.pages.charts.axes import figure, spanning, text
from windlass.pages.charts.timeline import Line, Measured, stacked, timeline
from windlass.pages.html.report import Details, report
from windlass.pages.html.roadmap import roadmap_page
from windlass.pages.html.style import STYLE
from windlass.records import Board

from .test_hostile import health, roadmap

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOOK = """() => [...document.querySelectorAll("svg.chart")].flatMap((svg) => {
  const [, , wide, tall] = svg.getAttribute("viewBox").split(" ").map(Number), found = [];
  const texts = [...svg.querySelectorAll("text")].filter((each) => !each.closest("g"));
  const boxes = texts.map((each) => ({words: each.firstChild?.textContent || "", ...(({x, y, width, height}) => ({x, y, width, height}))(each.getBBox())}));
  for (const box of boxes) if (box.x < 0 || box.y < -1 || box.x + box.width > wide || box.y + box.height > tall + 1) found.push("cut: " + box.words);
  for (const [at, one] of boxes.entries()) for (const other of boxes.slice(at + 1))
    if (Math.abs(one.y - other.y) < 2 && one.x < other.x + other.width && other.x < one.x + one.width) found.push(one.words + " over " + other.words);
  return found;
})"""  # noqa: E501  a script
HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture(scope="module")
def tab() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: `pip install playwright`")
    if CHROMIUM is None:
        pytest.skip("chromium is missing: `apt-get install chromium`")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def seen(tab: Any, page: str) -> list[str]:
    tab.set_content(page)
    return tab.evaluate(LOOK)


def test_no_text_of_a_page_is_cut_or_lies_over_another(tab: Any, board: Board, details: Details) -> None:
    for page in (report(board, details), roadmap_page(roadmap("Ein langes Wort")), health("refund_status")):
        assert seen(tab, page) == []


def test_a_printed_report_is_as_wide_as_its_paper(tab: Any, board: Board, details: Details) -> None:
    """A4 at 96 dpi less margins of 13 mm: 695 pixels; and the links of the page are not on paper."""
    tab.set_viewport_size({"width": 695, "height": 1000})
    tab.emulate_media(media="print")
    for page in (report(board, details), roadmap_page(roadmap("Ein langes Wort")), health("refund_status")):
        tab.set_content(page)
        wide = tab.evaluate(
            "Math.max(...[...document.querySelectorAll('body *')].map((each) => each.getBoundingClientRect().right))"
        )
        assert wide <= 696
        assert not tab.is_visible("nav") or tab.query_selector("nav") is None
    tab.emulate_media(media="screen")


@pytest.mark.parametrize("span", [HOUR, 5 * HOUR, 30 * HOUR, 5 * DAY, 9 * DAY, 40 * DAY, 400 * DAY, 3_000 * DAY])
@pytest.mark.parametrize("first", [0.0, 1_700_000_123.0])
def test_times_are_named_and_do_not_overlap(tab: Any, span: float, first: float) -> None:
    points = [Measured(first + span * part / 10, 0.9) for part in range(11)]
    drawn = timeline("share", [Line("", "main", points)], most=1.0)
    assert seen(tab, f"<style>{STYLE}</style>{drawn}") == []
    assert drawn.count("-0") + drawn.count("-1") >= 1, "some time is named"


def test_many_names_go_on_below_the_picture(tab: Any) -> None:
    shares = {f"late_delivery_{name}": [0.2] for name in range(5)}
    drawn = stacked("mix", [(0.0, DAY)], shares)
    assert seen(tab, f"<style>{STYLE}</style>{drawn}") == []
    assert drawn.count("late_delivery") >= 5


def test_a_text_that_would_be_cut_is_moved_inside(tab: Any) -> None:
    words = [text(5, 20, "today 1,911 rows", "", "end"), text(395, 40, "limit 50 ms")]
    assert seen(tab, f"<style>{STYLE}</style>{figure('f', words, (400, 80))}") == []
    bare = f'<svg class="chart" viewBox="0 0 400 80">{"".join(words)}</svg>'
    assert len(seen(tab, f"<style>{STYLE}</style>{bare}")) == 2, "control"


def test_no_axis_of_shares_goes_above_1() -> None:
    assert spanning([0.9, 1.0], 0, 100, most=1.0).high == 1.0
    assert spanning([0.9, 1.2], 0, 100, most=1.0).high == 1.2, "what is there is shown"
    assert spanning([1.0, 1.0], 0, 100, most=1.0).ticks() != []
    drawn = timeline("share", [Line("", "main", [Measured(0.0, 0.98), Measured(DAY, 1.0)])], most=1.0)
    assert ">1.0" not in drawn.replace(">1.0<", "")
