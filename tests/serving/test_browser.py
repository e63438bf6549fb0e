"""The page in a real browser: ask, see why, correct; by keyboard, on a phone, in Chinese; nothing leaves the host.

Where Chromium or Playwright is missing the tests are skipped, and say so.
"""

import base64
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from toy_writer import ENDLESS, TEXT, Toy

from windlass.database.keys import KeyRequest, create
from windlass.database.request_log import feedback_rows
from windlass.registry.model_cards import ModelCards, model_cards
from windlass.serving.http.keyring import KeyRing
from windlass.store.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NARROW = {"width": 360, "height": 740}
WAIT_MS = 10_000
WIDE = "| " + " | ".join(f"column-{number}" for number in range(20)) + " |\n|" + "---|" * 20
CARD = f"# Card\n\n## How it was measured\n\n{WIDE}\n\n    {'word ' * 200}\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: `pip install playwright`")
    if CHROMIUM is None:
        pytest.skip("chromium is missing: `apt-get install chromium`")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Tab:
    """A tab, and what it must not do: complain in the console, break the policy, ask another host."""

    def __init__(self, browser: Any, client: Any, **options: Any) -> None:
        self.context = browser.new_context(**{"locale": "en-US", "viewport": {"width": 1200, "height": 800}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.home = f"http://127.0.0.1:{client.port}"
        self.said: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(self.home)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:")):
            self.foreign.append(request.url)

    def ask(self, text: str) -> None:
        self.page.fill("textarea", text)
        self.page.click("#find")
        self.page.wait_for_selector("#answer .meta")

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def is_scrolled_sideways(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Opens the page of a service in a tab of its own, and looks at the end whether it behaved."""
    tabs: list[Tab] = []

    def make(client: Any, **options: Any) -> Tab:
        tabs.append(Tab(browser, client, **options))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.context.close()
        assert tab.said == []
        assert tab.foreign == []


@pytest.fixture(scope="module")
def desk(text_store: Store, tmp_path_factory: pytest.TempPathFactory, server_for: Callable[..., Any]) -> Iterator[Any]:
    with server_for(text_store, tmp_path_factory.mktemp("desk"), model_cards=lambda id: ModelCards(CARD)) as client:
        yield client


def drawn(red: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (40, 20), (red, 90, 30)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def counter(
    tmp_path_factory: pytest.TempPathFactory, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> Iterator[Any]:
    """A product that reads a picture, a number and a category."""
    store = Store(tmp_path_factory.mktemp("counter"))
    photo = f"data:image/png;base64,{base64.b64encode(drawn(200)).decode()}"
    golden = [{"photo": photo, "amount": 2.5, "channel": "web"}, {"photo": photo, "amount": None, "channel": "sea"}]
    release_maker(store, {"photo": "image", "amount": "number", "channel": "category"}, golden)
    with server_for(store, store.project, model_cards=lambda id: model_cards(store, id)) as client:
        yield client


def test_a_question_is_answered_explained_and_corrected_and_the_correction_is_in_the_store(
    desk: Any, opened: Callable[..., Tab]
) -> None:
    tab = opened(desk)
    tab.ask("🎉 my card is lost")
    assert tab.text("#answer h2") == "card"
    tab.page.wait_for_selector(".explained")
    marks = tab.page.eval_on_selector_all("mark", "found => found.map((mark) => mark.textContent)")
    assert {"card", "lost"} <= set(marks)
    tab.page.click(".verdict >> text=No")
    tab.page.select_option(".verdict select", "refund")
    tab.page.click(".verdict >> text=Send")
    assert "refund" in tab.text(".verdict.stored")
    (row,) = feedback_rows(desk.log.path)
    assert (row["value"], row["correct"]) == ("card", "refund")
    tab.page.click(".verdict >> text=Change")
    tab.page.click(".verdict >> text=Yes")
    assert "right" in tab.text(".verdict.stored")
    assert [row["correct"] for row in feedback_rows(desk.log.path)] == ["refund", "card"]


def test_another_label_can_be_explained(desk: Any, opened: Callable[..., Tab]) -> None:
    tab = opened(desk)
    tab.ask("my card is lost")
    tab.page.wait_for_selector(".why select")
    before = tab.text(".reasons")
    tab.page.select_option(".why select", "refund")
    tab.page.wait_for_function("before => document.querySelector('.reasons')?.innerText !== before", arg=before)
    assert tab.page.input_value(".why select") == "refund"


def test_an_example_of_a_picture_and_a_table_fills_every_field(counter: Any, opened: Callable[..., Tab]) -> None:
    tab = opened(counter)
    tab.page.click("#example")
    tab.page.wait_for_selector(".filled img")
    assert tab.page.input_value("input[type=number]") == "2.5"
    tab.page.click("#find")
    tab.page.wait_for_selector(".heat i")
    assert len(tab.page.query_selector_all(".heat i")) > 10
    assert "amount is 2.5" in tab.text(".reasons")
    assert "channel is 'web'" in tab.text(".reasons")
    tab.page.click("#example")
    assert tab.page.input_value("[data-label=another]") == "sea"


def test_a_picture_is_chosen_dropped_or_pasted(counter: Any, opened: Callable[..., Tab]) -> None:
    tab = opened(counter)
    tab.page.set_input_files("input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": drawn(10)})
    tab.page.wait_for_selector(".filled img")
    assert tab.text(".name") == "a.png"
    give = """async ([kind, content]) => {
      const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), carried = new DataTransfer();
      carried.items.add(new File([bytes], kind + ".png", {type: "image/png"}));
      const event = kind === "paste" ? new ClipboardEvent("paste", {clipboardData: carried, bubbles: true})
        : new DragEvent("drop", {dataTransfer: carried, bubbles: true});
      document.querySelector(".drop").dispatchEvent(event);
    }"""
    for kind in ("drop", "paste"):
        tab.page.click(".remove")
        assert tab.page.query_selector(".filled") is None
        tab.page.evaluate(give, [kind, base64.b64encode(drawn(20)).decode()])
        tab.page.wait_for_selector(".filled img")
        assert tab.text(".name") == f"{kind}.png"


def test_the_keyboard_is_enough(desk: Any, opened: Callable[..., Tab]) -> None:
    tab = opened(desk)
    press, focused = tab.page.keyboard.press, lambda: tab.page.evaluate("document.activeElement.textContent")
    assert tab.page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    tab.page.keyboard.type("where is my refund")
    press("Control+Enter")
    tab.page.wait_for_selector(".verdict")
    assert tab.text("#spoken").startswith("Answer: refund, ")
    order = []
    while focused() != "Yes":
        press("Tab")
        order.append(focused())
        assert len(order) < 10
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert tab.page.evaluate(outline) != "none"
    assert order[:3] == ["Ask", "Example", "Clear"]
    press("Enter")
    tab.page.wait_for_selector(".verdict.stored")
    tab.page.focus("#tab-ask")
    press("ArrowRight")
    press("ArrowRight")
    assert focused() == "Model card"
    assert tab.page.is_visible("text=How it was measured")
    assert not tab.page.is_visible("#form")


def test_a_browser_in_chinese_is_spoken_to_in_chinese(counter: Any, opened: Callable[..., Tab]) -> None:
    tab = opened(counter, locale="zh-CN")
    tab.page.click("text=示例")
    tab.page.wait_for_selector(".filled img")
    tab.page.click("#find")
    tab.page.wait_for_selector(".reasons")
    assert "答得对吗" in tab.text(".verdict")
    assert "channel：web" in tab.text(".reasons")
    assert tab.page.get_attribute("html", "lang") == "zh-Hans"
    tab.page.click("#language")
    assert "Was this right?" in tab.text(".verdict")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(counter: Any, desk: Any, opened: Callable[..., Tab], scheme: str) -> None:
    tab = opened(counter, viewport=NARROW, color_scheme=scheme)
    tab.page.click("#example")
    tab.page.wait_for_selector(".filled img")
    tab.page.click("#find")
    tab.page.wait_for_selector(".reasons")
    tab.page.click(".verdict >> text=No")
    assert not tab.is_scrolled_sideways()
    other = opened(desk, viewport=NARROW, color_scheme=scheme)
    other.ask("card" * 200)
    other.page.wait_for_selector(".explained")
    assert not other.is_scrolled_sideways()
    other.page.click("#tab-card")
    assert not other.is_scrolled_sideways()
    other.page.evaluate("document.querySelector('h1').style.minWidth = '500px'")
    assert other.is_scrolled_sideways(), "control: what is too wide is seen"


def test_recent_requests_are_shown_again_from_this_tab_alone(desk: Any, opened: Callable[..., Tab]) -> None:
    tab = opened(desk)
    for text in ("my card is lost", "where is my refund"):
        tab.ask(text)
    n_asked = desk.app.state.service.measures.answers.total()
    tab.page.reload()
    tab.page.click("#recent li:nth-child(2) button")
    assert tab.text("#answer h2") == "card"
    assert tab.page.input_value("textarea") == "my card is lost"
    assert desk.app.state.service.measures.answers.total() == n_asked
    assert not opened(desk).page.is_visible("#recent")
    tab.page.click("#forget")
    assert not tab.page.is_visible("#recent")


def test_a_service_that_is_not_ready_is_asked_again(desk: Any, opened: Callable[..., Tab]) -> None:
    tab, service = opened(desk), desk.app.state.service
    service.proof = "not ready"
    try:
        tab.page.fill("textarea", "my card is lost")
        tab.page.click("#find")
        tab.page.wait_for_selector("text=Trying again in 1 s")
    finally:
        service.proof = ""
    tab.page.wait_for_selector("#answer .meta")
    assert tab.text("#answer h2") == "card"
    assert [said for said in tab.said if "503" not in said] == []
    tab.said.clear()


def test_what_is_wrong_is_said_as_the_service_says_it(counter: Any, opened: Callable[..., Tab]) -> None:
    tab = opened(counter)
    tab.page.click("#find")
    assert "fill in at least one field" in tab.text("[role=alert]")
    tab.page.fill("input[type=number]", "3")
    tab.page.click("#find")
    tab.page.wait_for_selector("text=image is missing, expected a picture")
    assert [said for said in tab.said if "422" not in said] == []
    tab.said.clear()


def test_a_text_is_streamed_can_be_stopped_and_be_judged(
    writer_server: Callable[..., Any], tmp_path: Any, opened: Callable[..., Tab]
) -> None:
    with writer_server(Toy(wait_s=0.01), tmp_path, TEXT) as client:
        tab = opened(client)
        tab.ask("hello there")
        assert tab.text("#answer .text") == "You said: hello there"
        tab.page.fill("textarea", ENDLESS)
        tab.page.click("#find")
        tab.page.wait_for_selector("text=more more")
        tab.page.keyboard.press("Escape")
        tab.page.wait_for_selector("text=Stopped.")
        tab.page.click("#recent li:nth-child(2) button")
        tab.page.click(".verdict >> text=No")
        tab.page.fill(".verdict textarea", "Hello!")
        tab.page.click(".verdict >> text=Send")
        tab.page.wait_for_selector(".verdict.stored")
        (row,) = feedback_rows(client.log.path)
        assert row["correct"] == "Hello!"


def test_a_key_is_asked_for_and_kept_in_the_tab(
    text_store: Store, tmp_path: Path, opened: Callable[..., Tab], server_for: Callable[..., Any]
) -> None:
    place = tmp_path / "requests.sqlite"
    _, key = create(place, KeyRequest("visitor", ("predict", "feedback")))
    with KeyRing(place) as ring, server_for(text_store, tmp_path) as client:
        client.app.state.server_state.ring = ring
        tab = opened(client)
        tab.page.fill("textarea", "my card is lost")
        tab.page.click("#find")
        tab.page.fill("#key input", key)
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector(".explained")
        assert tab.text("#answer h2") == "card"
        tab.page.reload()
        tab.ask("where is my refund")
        tab.page.click("#example")
        tab.page.wait_for_selector("text=Use another key")
    assert [said for said in tab.said if "401" not in said and "403" not in said] == []
    tab.said.clear()


def test_an_answer_of_a_newer_release_is_told(
    text_store: Store, tmp_path: Path, opened: Callable[..., Tab], server_for: Callable[..., Any]
) -> None:
    with server_for(text_store, tmp_path) as client:
        tab, replica = opened(client), client.app.state.service.replica
        replica.release = replace(replica.release, id="toy-2")
        tab.ask("my card is lost")
        assert "toy-2" in tab.text(".newer")
        tab.page.click(".newer >> text=Reload")
        tab.ask("my card is lost")
        assert tab.page.query_selector(".newer") is None


def test_what_the_policy_forbids_is_seen(browser: Any, desk: Any) -> None:
    """Control of all tests above: a style in an element, and another host, do show up."""
    tab = Tab(browser, desk)
    tab.page.evaluate("document.body.setAttribute('style', 'color: red')")
    tab.page.evaluate("fetch('http://127.0.0.1:9/').catch(() => null)")
    tab.context.close()
    assert "Content Security Policy" in " ".join(tab.said)
