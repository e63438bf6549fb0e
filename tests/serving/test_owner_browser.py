# ruff: noqa: F811
"""The owner's page, the dialog for a key and the widget in a real browser: both languages, as wide as a phone."""

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from test_browser import Tab, browser, opened  # noqa: F401  fixtures
from toy_writer import Toy

from windlass.database import sessions
from windlass.database.keys import KeyRequest, create, listing
from windlass.registry.project_files import ProjectFiles
from windlass.serving.contract.page_look import PageLook
from windlass.serving.contract.settings import Settings
from windlass.serving.http.keyring import KeyRing
from windlass.store.store import Store

SHOTS = os.environ.get("WINDLASS_SHOTS", "")
"""A folder for pictures to look at; none are kept without."""
PHONE = {"width": 390, "height": 844}
LOOK = PageLook(
    "壶与杯 Kettle & Co", "Tells what a message is about.", "判断留言的主题。", "", ":root { --accent: #0b6b4f; }"
)
TAGLINES = {"en-US": LOOK.tagline, "zh-CN": LOOK.tagline_zh}
PAGES = ("/", "/watch", "/releases", "/roadmap", "/reports")
NAMES = {"en-US": ["Ask", "Health", "Releases", "Roadmap", "Reports"],
         "zh-CN": ["提问", "运行状况", "版本", "路线图", "报告"]}  # fmt: skip


@contextmanager
def guarded(store: Store, place: Path, server_for: Callable[..., Any], **changes: Any) -> Iterator[tuple[Any, str]]:
    """A service that asks for keys, and the key of its owner."""
    _, key = create(place / "requests.sqlite", KeyRequest("owner", ("admin",)))
    with KeyRing(place / "requests.sqlite") as ring, server_for(store, place, **changes) as client:
        client.app.state.server_state.ring = ring
        yield client, key


@pytest.mark.parametrize("locale", list(NAMES))
@pytest.mark.parametrize("viewport", [PHONE, {"width": 1200, "height": 800}], ids=["phone", "desk"])
def test_the_owner_signs_in_and_goes_through_all_pages(
    text_store: Store, tmp_path: Path, opened: Callable[..., Tab], server_for: Callable[..., Any],
    locale: str, viewport: dict[str, int],
) -> None:  # fmt: skip
    with guarded(text_store, tmp_path, server_for, files=ProjectFiles(text_store)) as (client, key):
        tab = opened(client, locale=locale, viewport=viewport)
        assert tab.page.query_selector(".owner-bar") is None
        tab.page.goto(f"{tab.home}/releases")
        tab.page.fill("#sign-in input", key)
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector(".owner-bar [aria-current]")
        for path in PAGES:
            tab.page.goto(tab.home + path)
            assert tab.text(".owner-bar").split() == NAMES[locale]
            assert tab.page.get_attribute(".owner-bar [aria-current]", "href") == path
            assert not tab.is_scrolled_sideways()
            assert key not in tab.page.content() + tab.page.url
        kept = tab.page.evaluate("document.cookie + JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
        assert "wl_" not in kept
        link = f'<a href="{tab.home}/releases">there</a>'
        tab.page.route("http://elsewhere.test/*", lambda route: route.fulfill(body=link, content_type="text/html"))
        tab.page.goto("http://elsewhere.test/")
        tab.page.click("a")
        tab.page.wait_for_selector(".owner-bar")  # Strict sends no cookie with that click, and the page looks again
        tab.foreign.clear()
        tab.page.goto(tab.home)
        tab.page.click("#sign-out")
        tab.page.wait_for_selector("#sign-in")
        assert [said for said in tab.said if "401" not in said] == []
        tab.said.clear()


@pytest.mark.parametrize(("locale", "whence"), [("en-US", "whoever runs this service"), ("zh-CN", "运行本服务的人")])
def test_the_dialog_says_where_keys_come_from_and_what_is_wrong_with_one(
    text_store: Store, tmp_path: Path, opened: Callable[..., Tab], server_for: Callable[..., Any],
    locale: str, whence: str,
) -> None:  # fmt: skip
    with guarded(text_store, tmp_path, server_for) as (client, key):
        tab = opened(client, locale=locale, viewport=PHONE)
        tab.page.click("#sign-in")
        assert whence in tab.text("#key")
        assert "windlass keys create" in tab.text("#key")
        box = tab.page.query_selector("#key").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        for wrong, says in (("abc", "59"), (key[:-1] + ("A" if key[-1] != "A" else "B"), "copied whole")):
            tab.page.fill("#key input", wrong)
            tab.page.keyboard.press("Enter")
            tab.page.wait_for_selector("#key .trouble:not([hidden])")
            if locale == "en-US":
                tab.page.wait_for_function(
                    "said => document.querySelector('#key .trouble').innerText.includes(said)", arg=says
                )
        tab.page.keyboard.press("Escape")
        tab.page.wait_for_selector("#key", state="detached")
        tab.page.click("#sign-in")
        tab.page.fill("#key input", key)
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector("#sign-out")
        assert [said for said in tab.said if "401" not in said] == []
        tab.said.clear()


def test_who_has_a_password_signs_in_by_name(
    text_store: Store, tmp_path: Path, opened: Callable[..., Tab], server_for: Callable[..., Any]
) -> None:
    with guarded(text_store, tmp_path, server_for) as (client, _):
        (key,) = listing(tmp_path / "requests.sqlite")
        sessions.set_password(tmp_path / "requests.sqlite", key.id, "correct horse battery")
        tab = opened(client, locale="zh-CN", viewport=PHONE)
        tab.page.click("#sign-in")
        tab.page.click("text=用名称和密码登录")
        tab.page.fill("#key [name=name]", "owner")
        tab.page.fill("#key [name=password]", "wrong horse battery")
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector("#key .trouble:not([hidden])")
        tab.page.fill("#key [name=password]", "correct horse battery")
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector("#sign-out")
        assert [said for said in tab.said if "401" not in said] == []
        tab.said.clear()


@contextmanager
def site(page: list[str]) -> Iterator[int]:
    """Somebody else's site, whose every path is the first of these pages; gives its port on localhost."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page[0].encode())

        def log_message(self, *said: Any) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("locale", "word"), [("en-US", "Ask"), ("zh-CN", "提问")])
def test_the_widget_answers_on_a_site_of_the_list_and_on_no_other(
    text_store: Store, tmp_path: Path, browser: Any, server_for: Callable[..., Any], locale: str, word: str
) -> None:
    """The key that the site brings reaches the frame alone; on another site the browser shows nothing."""
    place, page = tmp_path / "requests.sqlite", [""]
    _, key = create(place, KeyRequest("visitors", ("predict", "feedback"), rate="5/s"))
    with KeyRing(place) as ring, site(page) as listed, site(page) as other:
        settings = Settings(embed=(f"http://localhost:{listed}",))
        with server_for(text_store, tmp_path, settings, look=LOOK) as client:
            client.app.state.server_state.ring = ring
            script = f'<script src="http://127.0.0.1:{client.port}/widget.js" data-key="{key}"></script>'
            page[0] = f"<!doctype html><title>shop</title><h1>Shop</h1>{script}"
            context = browser.new_context(locale=locale, viewport=PHONE)
            tab, said, urls = context.new_page(), [], []
            tab.set_default_timeout(10_000)
            tab.on("console", lambda message: said.append(message.text))
            tab.on("request", lambda request: urls.append(request.url))
            tab.goto(f"http://localhost:{listed}/")
            tab.click(f"button:has-text('{word}')")
            frame = tab.frame_locator("iframe")
            frame.locator("textarea").fill("my card is lost")
            frame.locator("#find").click()
            frame.locator("#answer h2").wait_for()
            assert frame.locator(".tagline").inner_text() == TAGLINES[locale]
            assert (frame.locator("#answer h2").inner_text(), frame.locator("h1").inner_text()) == ("card", LOOK.name)
            assert [url for url in urls if "wl_" in url] == []
            if SHOTS:
                tab.screenshot(path=f"{SHOTS}/widget-{locale}.png")
            said.clear()
            tab.goto(f"http://localhost:{other}/")
            tab.click(f"button:has-text('{word}')")
            tab.wait_for_timeout(300)
            assert "frame-ancestors" in " ".join(said)
            assert tab.frames[-1].query_selector("textarea") is None
            context.close()


def test_a_product_that_writes_is_talked_to_in_the_widget(
    writer_server: Callable[..., Any], tmp_path: Path, browser: Any
) -> None:
    page = [""]
    with (
        site(page) as listed,
        writer_server(Toy(), tmp_path, settings=Settings(embed=(f"http://localhost:{listed}",))) as client,
    ):
        page[0] = (f'<!doctype html><div id="help"></div><script src="http://127.0.0.1:{client.port}/widget.js" '
                   'data-place="#help"></script>')  # fmt: skip
        context = browser.new_context(locale="zh-CN", viewport=PHONE)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.goto(f"http://localhost:{listed}/")
        frame = tab.frame_locator("#help iframe")
        frame.locator("#box").fill("hello there")
        frame.locator("#send").click()
        frame.locator("article:not(.user) .tools").wait_for()
        assert "hello there" in frame.locator("article:not(.user) .text").inner_text()
        assert not frame.locator("nav").is_visible()
        if SHOTS:
            tab.screenshot(path=f"{SHOTS}/widget-chat.png")
        context.close()


def test_the_widget_is_a_few_kilobytes_and_there_is_none_without_a_list(
    client: Any, text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    for path in ("/widget", "/widget.js"):
        reply = client.ask("GET", path)
        assert (reply.status, reply.error["kind"]) == (404, "no_widget")
    with server_for(text_store, tmp_path, Settings(embed=("https://shop.example.com",)), look=LOOK) as listed:
        script, page = listed.ask("GET", "/widget.js"), listed.ask("GET", "/widget")
        assert len(script.content) < 5_000
        assert script.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "x-frame-options" not in page.headers
        assert "frame-ancestors https://shop.example.com" in page.headers["content-security-policy"]
        for path in ("/", "/watch", "/login", "/v1/session"):
            reply = listed.ask("GET", path)
            assert reply.headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
